/// The plans that ship with the program: the users of the demo, one plan a stage (corpus/plans).
package enum PlanLibrary {
    package static let names = [
        "transparent", "delayed-accept", "lost-credential", "mutated-requests", "crossed-streams", "crossed-requests",
        "interleaved-users",
    ]
    /// The plan's text, nil when none has that name.
    package static func text(_ name: String) -> String? { nil }
    package static func plan(_ name: String) -> Plan? {
        guard let text = text(name) else { return nil }
        return try? PlanText.parse(text, file: name + ".plan")
    }
}
