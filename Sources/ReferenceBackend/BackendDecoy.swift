/// What looks like a defect and is none, switched on like a bug, so that a judge can be shown to keep silent (fuzzing.md,
/// decoys W1-W8; the others need no help of the backend).
/// The raw value is the name used on the command line and in marks.
package enum BackendDecoy: String, Sendable, Hashable, CaseIterable, Comparable {
    case sharedRoom = "W1"
    case slowTool = "W3"
    case mixedRuns = "W5"

    /// One line for `miswire backend --help` and reports.
    package var summary: String {
        switch self {
        case .sharedRoom: "users share rooms, and everything said in one goes to all who joined it"
        case .slowTool: "every tool takes 400 ms longer, which the contract allows"
        case .mixedRuns: "events of several runs of a connection overtake each other, never those of one run"
        }
    }

    package static func < (lhs: BackendDecoy, rhs: BackendDecoy) -> Bool { lhs.rawValue < rhs.rawValue }

    /// What a user wrote after `--decoys`: `W1,w3` (case and blanks do not matter, empty pieces are skipped).
    package static func list(_ text: String) throws(UnknownDecoy) -> Set<BackendDecoy> {
        var decoys: Set<BackendDecoy> = []
        for piece in text.split(separator: ",") {
            let name = String(piece.filter { $0 != " " }).uppercased()
            if name.isEmpty { continue }
            guard let decoy = BackendDecoy(rawValue: name) else { throw UnknownDecoy(name: String(piece)) }
            decoys.insert(decoy)
        }
        return decoys
    }
}

/// A decoy name that this backend does not have.
package struct UnknownDecoy: Error, CustomStringConvertible {
    package var name: String
    package var description: String {
        "\"\(name)\" is no decoy of the backend; expected one of "
            + BackendDecoy.allCases.sorted().map { $0.rawValue }.joined(separator: " ")
    }
}
