package import Plans

/// Puts a plan together step by step.
package struct PlanBuilder {
    package private(set) var plan = Plan()

    package init(_ comment: String = "") {
        if !comment.isEmpty { plan.head.comments = [comment] }
    }

    package mutating func user(_ name: String, _ credential: String) {
        guard !plan.users.contains(where: { $0.name == name }) else { return }
        plan.users.append(Plan.User(name: name, credential: credential))
    }

    /// The label of the new step.
    @discardableResult
    package mutating func add(_ user: String, _ verb: Plan.Verb, connection: String? = nil, comment: String? = nil) -> Int {
        let number = plan.steps.count + 1
        plan.steps.append(
            Plan.Step(number: number, user: user, connection: connection, verb: verb, above: comment.map { [$0] } ?? []))
        return number
    }

    package mutating func add(_ user: String, _ verbs: [Plan.Verb], comment: String? = nil) {
        for (index, verb) in verbs.enumerated() { add(user, verb, comment: index == 0 ? comment : nil) }
    }

    /// Steps of different users that begin at once; one step is no barrier.
    package mutating func together(_ labels: [Int]) {
        guard labels.count >= 2 else { return }
        plan.steps.append(Plan.Step(number: plan.steps.count + 1, user: nil, verb: .together(labels)))
    }
}
