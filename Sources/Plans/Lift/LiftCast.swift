import Journaling

/// The users of a lifted plan: one for each principal and form of credential, and the connections of each.
struct LiftCast {
    struct Role {
        var user: String
        /// Nil = the connection without a name.
        var connection: String?
    }
    private(set) var users: [Plan.User] = []
    /// Who the users were in the recording.
    private(set) var principals: [String: String] = [:]
    /// Each session's part, by position in the group.
    private(set) var roles: [Role] = []
    /// Whose credential stands in the recording as that tag.
    private(set) var tags: [String: String] = [:]

    private static let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"]

    init(_ sessions: [LiftSession]) {
        let principals = Set(sessions.compactMap(\.user))
        var known: [[String]: String] = [:]
        var taken: Set<String> = []
        /// Ends of the last session on each connection, by user and position.
        var ends: [String: [Instant]] = [:]
        for (index, session) in sessions.enumerated() {
            let key = session.user.map { [$0, session.opening.credential] } ?? ["", "\(index)"]
            let user: String
            if let name = known[key] {
                user = name
            } else {
                user = Self.name(for: session.user, taken, principals)
                known[key] = user
                taken.insert(user)
                add(user, session)
            }
            if let tag = session.opening.tag, tags[tag] == nil { tags[tag] = user }
            var mine = ends[user] ?? []
            let end = session.ended ?? .distantFuture
            let place = mine.firstIndex { $0 <= session.began } ?? mine.count
            if place < mine.count { mine[place] = end } else { mine.append(end) }
            ends[user] = mine
            roles.append(Role(user: user, connection: place == 0 ? nil : "c\(place + 1)"))
        }
    }

    private mutating func add(_ user: String, _ session: LiftSession) {
        var line = Plan.User(name: user, credential: session.opening.credential)
        if let principal = session.user {
            principals[user] = principal
            if principal != user { line.above = ["recorded as \(Self.oneLine(principal))"] }
        }
        users.append(line)
    }

    /// The principal's own name where a plan can write it.
    private static func name(for principal: String?, _ taken: Set<String>, _ principals: Set<String>) -> String {
        if let principal, isFree(principal, taken) { return principal }
        let base = principal.flatMap { isFree($0, []) ? $0 : nil }
        let names = base.map { base in (2...10_000).lazy.map { "\(base)-\($0)" } }
        if let name = names?.first(where: { !taken.contains($0) && !principals.contains($0) }) { return name }
        if let name = Self.names.first(where: { !taken.contains($0) && !principals.contains($0) }) { return name }
        var number = Self.names.count + 1
        while taken.contains("user\(number)") || principals.contains("user\(number)") { number += 1 }
        return "user\(number)"
    }

    private static func isFree(_ name: String, _ taken: Set<String>) -> Bool {
        isName(name) && name != "together" && runNumber(name) == nil && name.utf8.count <= 64 && !taken.contains(name)
    }

    /// For a comment: no line breaks, not too long.
    private static func oneLine(_ text: String) -> String {
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(80) {
            view.append(scalar.value < 0x20 || scalar.value == 0x7f ? "?" : scalar)
        }
        return String(view).trimmed
    }
}
