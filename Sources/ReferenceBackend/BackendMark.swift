package import Wire

/// A line of the side file in which a planted bug, or a decoy, says what it did. The judge never reads it; a score compares it with
/// the findings.
package struct BackendMark: Sendable, Hashable {
    /// `reached`: the code path of the bug was passed. `triggered`: the backend is now in the wrong.
    package enum Stage: String, Sendable { case reached = "REACHED", triggered = "TRIGGERED" }

    /// Nil for a decoy's mark.
    package var bug: BackendBug?
    /// Nil for a bug's mark.
    package var decoy: BackendDecoy?
    package var stage: Stage
    /// The user whose exchange it was; nil when none is known.
    package var user: String?
    /// The exchange: `request_id` as the request gave it, and the connection that sent it.
    package var request: JSON?
    package var connection: String
    /// Type of the event that is wrong or missing, `upgrade` for a handshake.
    package var type: String

    /// One NDJSON line without its line feed.
    package var line: String {
        var members: [JSON.Member] = [
            bug.map { .init(key: "bug", value: .string($0.rawValue)) }
                ?? .init(key: "decoy", value: decoy.map { .string($0.rawValue) } ?? .null),
            .init(key: "mark", value: .string(stage.rawValue)),
            .init(key: "user", value: user.map { .string($0) } ?? .null),
            .init(key: "request_id", value: request ?? .null),
            .init(key: "connection_id", value: .string(connection)),
        ]
        members.append(.init(key: "type", value: .string(type)))
        return JSON.object(members).text
    }
}
