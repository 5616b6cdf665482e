import Journaling
import Wire

/// A place in events whose values may be identifiers: whose they were, and which types carried each.
struct PathTally: Sendable {
    let path: String
    /// A value's life so far.
    struct Life: Sendable {
        var user: String
        var session: SessionID
        var first: Int
        var last: Int
        var count: Int
        /// Nobody sent it before the server said it.
        var isMinted: Bool
        var isShared = false
        var isElsewhere = false
    }
    private(set) var lives: [String: Life] = [:]
    /// In the order in which they came, so that nothing depends on a table's own order.
    private(set) var order: [String] = []
    private(set) var isFull = false
    private(set) var messages = 0
    private(set) var named = 0
    /// Messages in which it was the principal's name.
    private(set) var own = 0
    private(set) var users: Set<String> = []
    /// How often each type of event carried it.
    private(set) var carried: [Int: Int] = [:]
    private(set) var first: [Int: Int] = [:]
    private(set) var sessions: [SessionID: String] = [:]
    private(set) var changed = 0
    /// Values that do not look like what a generator makes: short, or without a digit.
    private(set) var plain = 0

    init(path: String) { self.path = path }

    mutating func take(_ text: String, kind: Int, _ heard: Heard, wasSent: Bool, _ scale: InferenceScale) {
        messages += 1
        carried[kind, default: 0] += 1
        if heard.isNamed {
            named += 1
            if text == heard.user { own += 1 }
        }
        if users.count <= 64 { users.insert(heard.user) }
        if sessions.count < scale.sessions || sessions[heard.session] != nil {
            if let told = sessions[heard.session], told != text { changed += 1 }
            sessions[heard.session] = text
        }
        if var life = lives[text] {
            life.last = kind
            life.count += 1
            if life.user != heard.user { life.isShared = true }
            if life.session != heard.session { life.isElsewhere = true }
            lives[text] = life
        } else if lives.count < scale.values {
            order.append(text)
            first[kind, default: 0] += 1
            lives[text] = Life(
                user: heard.user, session: heard.session, first: kind, last: kind, count: 1, isMinted: !wasSent)
            if text.utf8.count < 6 || !text.utf8.contains(where: { (0x30...0x39).contains($0) }) { plain += 1 }
        } else {
            isFull = true
        }
    }

    var isShared: Bool { order.contains { lives[$0]?.isShared == true } }
    var isOfOneSession: Bool { !order.contains { lives[$0]?.isElsewhere == true } }
    var isMinted: Bool { order.allSatisfy { lives[$0]?.isMinted == true } }
    /// Values said more than once.
    var repeated: Int { order.count { (lives[$0]?.count ?? 0) > 1 } }
}

/// A path of requests and a path of events that held the same value.
struct LinkTally: Sendable {
    var request: String
    var event: String
    var hits = 0
    var misses = 0
    /// The value was the client's own: nobody had said it before.
    var fresh = 0
    var values: Set<String> = []
}
