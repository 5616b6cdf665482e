import Journaling
import Synchronization

/// A credential of a user who is connected, as it stands in the head of that user's session.
package struct Loan: Sendable, Hashable {
    package var user: String
    /// The contract's words for its place: `header authorization`.
    package var place: String
    /// With the escapes of that place.
    package var text: String
}

/// The credentials of users who are connected and whom a profile names for a swap; of nobody else (trust.md T26). The
/// shell makes one for each proxy, so that none leaves for another server; nothing of it is written anywhere.
package final class CredentialLender: Sendable {
    private let sessions = Mutex<[SessionID: [Loan]]>([:])

    package init() {}

    func deposit(_ loans: [Loan], for session: SessionID) {
        if !loans.isEmpty { sessions.withLock { $0[session] = loans } }
    }

    func withdraw(_ session: SessionID) { sessions.withLock { $0[session] = nil } }

    /// Those of these users, the latest session of each last.
    func loans(of users: [String]) -> [Loan] {
        sessions.withLock { held in held.sorted { $0.key < $1.key }.flatMap { $0.value.filter { users.contains($0.user) } } }
    }
}
