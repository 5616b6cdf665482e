import Journaling
import Wire

/// One message as it stood on the server's side of the journal: what the server was given, and what it said.
struct Heard {
    var session: SessionID
    /// The principal, or the session's own name when nobody knows it.
    var user: String
    var isNamed: Bool
    var direction: Direction
    var at: Instant
    /// Nil: no JSON.
    var value: JSON?
    /// Made or changed by a fault of ours: no witness of what clients say.
    var isOurs: Bool
}

/// What becomes of sessions and messages, as inference needs it. Each pass over the entries begins a new one.
struct Hearing: Sendable {
    enum Sound {
        case accepted(Party)
        case refused(Party, status: Int)
        case message(Heard)
        /// The first end of a transport of the session.
        case ended(SessionID, at: Instant)
    }

    /// A session's opening.
    struct Party {
        var session: SessionID
        var user: String?
        /// `/ws`, without its query.
        var path: String?
        var subprotocol: String?
        /// The contract language's words for where a credential stood: `header authorization`.
        var places: Set<String> = []
        /// Nil: no facts about a credential.
        var state: Facts.State?
        var accepted: Instant?
        var isOver = false
    }

    private var parties: [SessionID: Party] = [:]
    /// Sessions are numbered anew: several recordings each have an s1.
    private var count: UInt32 = 0
    private let scale: InferenceScale
    /// Where the principal stands in what the server says first, when no facts name it.
    private let userPath: Path?

    init(_ scale: InferenceScale, userPath: Path? = nil) {
        self.scale = scale
        self.userPath = userPath
    }

    /// The next entries are of another recording.
    mutating func turn() { parties = [:] }

    mutating func take(_ entry: Entry) -> Sound? {
        guard let id = entry.session else { return nil }
        if case .closed = entry.body {
            guard let party = parties.removeValue(forKey: id), !party.isOver else { return nil }
            return .ended(party.session, at: entry.instant)
        }
        if parties[id] == nil {
            guard parties.count < scale.sessions else { return nil }
            count &+= 1
            parties[id] = Party(session: SessionID(count))
        }
        switch entry.body {
        case .head(let head): readHead(head, id)
        case .facts(let facts): readFacts(facts, id)
        case .became(.accepted(let subprotocol, _)):
            parties[id]?.subprotocol = subprotocol
            parties[id]?.accepted = entry.instant
            return parties[id].map(Sound.accepted)
        case .became(.refused(let status)): return parties[id].map { .refused($0, status: status) }
        case .frame(let frame): return hear(frame, id)
        case .ended:
            guard let party = parties[id], !party.isOver else { return nil }
            parties[id]?.isOver = true
            return .ended(party.session, at: entry.instant)
        default: break
        }
        return nil
    }

    private mutating func readHead(_ head: HeadRecord, _ id: SessionID) {
        guard head.passage.direction == .toServer, head.passage.out != nil else { return }
        let seen = OpeningPlaces(String(decoding: head.bytes.readableBytesView, as: UTF8.self))
        parties[id]?.path = seen.path
        parties[id]?.places.formUnion(seen.places)
    }

    private mutating func readFacts(_ facts: Facts, _ id: SessionID) {
        guard facts.tap == .serverOut else { return }
        if let user = facts.user, facts.state != .ambiguous { parties[id]?.user = user }
        if let place = facts.place { parties[id]?.places.insert(place) }
        parties[id]?.state = facts.state
    }

    private mutating func hear(_ frame: FrameRecord, _ id: SessionID) -> Sound? {
        guard let message = frame.message, message.opcode == .text, let payload = message.payload else { return nil }
        guard let party = parties[id], party.accepted != nil, let at = frame.passage.atServer else { return nil }
        let direction = frame.passage.direction
        let value = JSON.decode(payload).value
        if direction == .toClient, party.user == nil, let userPath, let value, let name = userPath.value(in: value) {
            parties[id]?.user = name.string ?? name.canonical
        }
        let user = parties[id]?.user
        return .message(
            Heard(
                session: party.session, user: user ?? party.session.description, isNamed: user != nil, direction: direction,
                    at: at, value: value,
                isOurs: !frame.provenance.faults.isEmpty))
    }
}

/// Where credentials stand in an opening head, told by their names and by what redaction left in their place.
struct OpeningPlaces {
    var path: String?
    var places: Set<String> = []

    private static let cut = "\u{2039}"
    private static let names = ["token", "access_token", "auth", "authorization", "jwt", "api_key", "apikey", "api-key", "ticket"]

    init(_ head: String) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)[...]
        if let target = lines.popFirst()?.split(separator: " ").dropFirst().first { readTarget(target) }
        for line in lines.prefix(256) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...]
            switch name {
            case "authorization": places.insert("header authorization")
            case "cookie":
                for pair in value.split(separator: ";").prefix(64) { readPair(pair, "cookie") }
            case "sec-websocket-protocol": if value.contains(Self.cut) { places.insert("subprotocol") }
            default: if value.contains(Self.cut), Self.isPlain(name) { places.insert("header " + name) }
            }
        }
    }

    private mutating func readTarget(_ target: Substring) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init)
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&").prefix(64) { readPair(pair, "query") }
    }

    private mutating func readPair(_ pair: Substring, _ kind: String) {
        guard let equals = pair.firstIndex(of: "=") else { return }
        let name = String(pair[..<equals].drop { $0 == " " })
        guard Self.isPlain(name), Self.names.contains(name.lowercased()) || pair[equals...].contains(Self.cut) else { return }
        places.insert("\(kind) \(name)")
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy { InferredName.isWord($0) || $0 == UInt8(ascii: "-") }
    }
}
