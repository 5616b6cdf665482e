/// Rooms that users share while the decoy W1 is on: whoever joins one gets what is said in it. Who is in which, in order of
/// joining; a user of many connections is in it with all of them.
struct Rooms: Sendable {
    /// More rooms than this, or more users in one, are refused.
    static let limit = 1_000
    private var members: [String: [String]] = [:]

    /// False: there is no place.
    mutating func join(_ room: String, _ user: String) -> Bool {
        if isMember(user, of: room) { return true }
        let known = members[room]
        guard known?.count ?? 0 < Self.limit, known != nil || members.count < Self.limit else { return false }
        members[room, default: []].append(user)
        return true
    }

    mutating func leave(_ room: String, _ user: String) {
        members[room]?.removeAll { identical($0, user) }
        if members[room]?.isEmpty == true { members[room] = nil }
    }

    func isMember(_ user: String, of room: String) -> Bool { members(of: room).contains { identical($0, user) } }

    func members(of room: String) -> [String] { members[room] ?? [] }
}
