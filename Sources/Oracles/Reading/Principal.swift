import Journaling

/// For whom a session speaks at the server: the name in the first credential that was sent at Sout; without a name
/// each connection is its own user.
enum Principal: Sendable, Hashable {
    case named(String)
    /// A credential that names nobody though the contract says where: equal ones are one user.
    case credential(String)
    case session(SessionID)
    /// Whoever shares it: an owner of words, never of a connection.
    case room(Memberships.Room)

    var label: String {
        switch self {
        case .named(let name): name
        case .credential(let tag): tag
        case .session(let id): id.description
        case .room(let room): room.value
        }
    }
    var name: String? {
        if case .named(let name) = self { name } else { nil }
    }
    /// A connection whose user nobody names.
    var isAnybody: Bool {
        switch self {
        case .credential, .session: true
        case .named, .room: false
        }
    }
}

/// Sessions that spoke before they said for whom: what was theirs is that user's.
struct Aliases: Sendable {
    private var users: Fading<SessionID, Principal>

    init(capacity: Int) { users = Fading(capacity: capacity) }

    mutating func set(_ id: SessionID, _ user: Principal) { users.set(id, user) }

    func callAsFunction(_ principal: Principal) -> Principal {
        if case .session(let id) = principal { users[id] ?? principal } else { principal }
    }
}
