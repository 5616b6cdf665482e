import Journaling

/// The live connections of each principal, in order of arrival. Nearly all have one, and that is known without a look-up
/// where nobody has several.
struct Company: Sendable {
    private var connections: [Principal: [SessionID]] = [:]
    /// Those with several.
    private var crowds: Set<Principal> = []

    subscript(user: Principal) -> [SessionID]? { connections[user] }

    func hasSeveral(_ user: Principal) -> Bool { !crowds.isEmpty && crowds.contains(user) }

    mutating func add(_ id: SessionID, to user: Principal) {
        connections[user, default: []].append(id)
        if connections[user]?.count == 2 { crowds.insert(user) }
    }

    mutating func remove(_ id: SessionID, from user: Principal) {
        connections[user]?.removeAll { $0 == id }
        switch connections[user]?.count {
        case 0:
            connections[user] = nil
            crowds.remove(user)
        case 1: crowds.remove(user)
        default: break
        }
    }
}
