import Journaling

/// How sessions opened.
struct PartyTally: Sendable {
    private(set) var accepted = 0
    private(set) var paths: [Counted] = []
    private(set) var subprotocols: [Counted] = []
    private(set) var withoutSubprotocol = 0
    private(set) var places: [Counted] = []
    private(set) var withCredential = 0
    /// Accepted without a credential, or with a bad one.
    private(set) var anonymous = 0
    private(set) var statuses: [Int: Int] = [:]
    /// Refused with 401 or 403, without a credential or with a bad one.
    private(set) var turnedAway = 0
    private(set) var users: Set<String> = []
    private(set) var greetings: [Int: Int] = [:]
    private(set) var slowest = Duration.zero
    private(set) var askedFirst = 0
    /// Sessions that ended before anything was said to the client.
    var silent = 0

    private static let most = 256

    mutating func accept(_ party: Hearing.Party) {
        accepted += 1
        if let path = party.path { Self.count(path, &paths) }
        if let name = party.subprotocol { Self.count(name, &subprotocols) } else { withoutSubprotocol += 1 }
        for place in party.places.sorted() { Self.count(place, &places) }
        if !party.places.isEmpty { withCredential += 1 }
        if Self.isBare(party) { anonymous += 1 }
    }

    mutating func refuse(_ party: Hearing.Party, _ status: Int) {
        statuses[status, default: 0] += 1
        if [401, 403].contains(status), Self.isBare(party) { turnedAway += 1 }
    }

    /// Without a credential, or with a bad one.
    private static func isBare(_ party: Hearing.Party) -> Bool {
        switch party.state {
        case .corrupt, .forged, .expired, .absent: true
        case .intact, .unknown, .ambiguous, nil: party.places.isEmpty
        }
    }

    mutating func note(user: String, isNamed: Bool) { if users.count < 65_536 { users.insert(user) } }

    mutating func greet(_ kind: Int, after wait: Duration, wasAsked: Bool) {
        greetings[kind, default: 0] += 1
        slowest = max(slowest, wait)
        if wasAsked { askedFirst += 1 }
    }

    private static func count(_ key: String, _ table: inout [Counted]) {
        if let place = table.firstIndex(where: { $0.key == key }) {
            table[place].count += 1
        } else if table.count < most {
            table.append(Counted(key: key, count: 1))
        }
    }
}

/// How often a text was seen.
struct Counted: Sendable, Hashable {
    var key: String
    var count: Int
}
