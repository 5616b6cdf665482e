import Journaling

/// For whom a session speaks at the server: the name in the first credential that was sent at Sout; without a name
/// each connection is its own user.
enum Principal: Sendable, Hashable {
    case named(String)
    case session(SessionID)

    var label: String {
        switch self {
        case .named(let name): name
        case .session(let id): id.description
        }
    }
    var name: String? {
        if case .named(let name) = self { name } else { nil }
    }
}
