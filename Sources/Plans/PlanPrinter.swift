enum PlanPrinter {
    static func text(of plan: Plan) -> String { "" }
}
