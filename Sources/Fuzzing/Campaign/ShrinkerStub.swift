import Plans

struct PlanShrinker: Sendable {
    var best: Plan
    init(_ plan: Plan, witnesses: [String], upTo: Int?) { best = plan }
    mutating func next() -> Plan? { nil }
    mutating func answer(_ shows: Bool) {}
}
