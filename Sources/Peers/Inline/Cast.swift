/// Who plays the users of a plan: which principal each of them is to the server, and with which credential. Without an
/// entry a user is the principal of that name, with a credential that the contract lets us mint.
package struct Cast: Sendable, Equatable {
    /// Names that generated plans give their users.
    package static let names = ["alice", "bob", "carol", "dave"]

    /// By the plan's user.
    package var principals: [String: String] = [:]
    /// Given credentials by the plan's user; they are sent as they are.
    package var tokens: [String: String] = [:]
    package init() {}

    /// Every user of a plan under a name of its own (`alice-7`), so that cases that are played side by side share none.
    package init(minted users: [String], block: Int) {
        for user in users { principals[user] = "\(user)-\(block)" }
    }

    package func principal(of user: String) -> String { principals[user] ?? user }
    package func user(of principal: String) -> String? { principals.first { $0.value == principal }?.key }
}
