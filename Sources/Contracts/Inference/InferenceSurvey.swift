import Journaling
import Wire

/// The first look: where the type of a message stands, and where a connection is told whose it is.
struct InferenceSurvey: Sendable {
    private let scale: InferenceScale
    private var hearing: Hearing
    private var toServer = Side()
    private var toClient = Side()
    private var greetings: [SessionID: [String: JSON]] = [:]
    private var named = 0
    /// Sessions in which something was said to the client.
    private var greeted = 0
    /// Names of a field in the first event of a session, and how often it stood there and was never said otherwise.
    private var users: [(name: String, count: Int, conflicts: Int)] = []

    fileprivate struct Side {
        var messages = 0
        var notJSON = 0
        var rpc = 0
        /// In the order in which they were first seen.
        var candidates: [Candidate] = []
        var index: [String: Int] = [:]
    }
    fileprivate struct Candidate {
        var path: String
        var count = 0
        var values: Set<String> = []
        var isTooMany = false
    }

    fileprivate static let typeNames = [
        "type", "event", "op", "action", "method", "kind", "cmd", "command", "msg_type", "message_type", "messageType", "eventType",
        "event_type", "t", "name", "topic", "e", "header.type", "[0]", "[3]",
    ]
    private static let userNames = [
        "user_id", "userId", "user.id", "user", "username", "user_name", "uid", "account_id", "accountId", "player_id", "playerId",
    ]

    init(_ scale: InferenceScale) {
        self.scale = scale
        hearing = Hearing(scale)
        users = Self.userNames.map { ($0, 0, 0) }
    }

    /// The next entries are of another recording.
    mutating func turn() {
        hearing.turn()
        greetings = [:]
    }

    mutating func take(_ entry: Entry) {
        switch hearing.take(entry) {
        case .accepted(let party):
            if party.user != nil { named += 1 }
        case .message(let heard): take(heard)
        case .ended(let session, _): greetings[session] = nil
        case .refused, nil: break
        }
    }

    private mutating func take(_ heard: Heard) {
        if heard.isOurs { return }
        if heard.direction == .toServer { toServer.take(heard.value, scale) } else { toClient.take(heard.value, scale) }
        guard heard.direction == .toClient, let value = heard.value else { return }
        let isFirst = greetings[heard.session] == nil
        if isFirst, greetings.count >= scale.sessions { return }
        for index in users.indices {
            let name = users[index].name
            guard let found = Self.value(name, in: value) else { continue }
            if isFirst {
                users[index].count += 1
                greetings[heard.session, default: [:]][name] = found
            } else if let told = greetings[heard.session]?[name], told != found {
                users[index].conflicts += 1
            }
        }
        if isFirst {
            greeted += 1
            greetings[heard.session, default: [:]][""] = .null
        }
    }

    private static func value(_ name: String, in value: JSON) -> JSON? {
        var current = value
        for key in name.split(separator: ".") {
            guard let next = current[String(key)] else { return nil }
            current = next
        }
        switch current {
        case .string(let text): return text.isEmpty || text.utf8.count > 128 ? nil : current
        case .number: return current
        default: return nil
        }
    }

    /// What the second look needs to know.
    struct Plan {
        /// Of events, and of requests; nil = no type is told.
        var eventType: String?
        var requestType: String?
        /// Where the first event of a session names its user.
        var userPath: String?
        /// Facts told the users.
        var hasNames: Bool
        var requests: Int
        var events: Int
        var notJSON: Int
        var isRPC: Bool
        var typed: [String: Int] = [:]
    }

    func plan() -> Plan {
        let event = toClient.type(scale)
        // One path for both is what people write.
        let same = event.flatMap { toServer.covers($0) ? $0 : nil }
        let request = same ?? toServer.type(scale)
        let user = users.first { greeted >= scale.greeted && $0.count == greeted && $0.conflicts == 0 }
        var plan = Plan(
            eventType: event, requestType: request, userPath: user?.name, hasNames: named > 0, requests: toServer.messages,
            events: toClient.messages, notJSON: toServer.notJSON + toClient.notJSON,
            isRPC: toClient.rpc > 0 && toClient.rpc == toClient.messages && toServer.rpc == toServer.messages)
        if let event { plan.typed["events"] = toClient.count(event) }
        if let request { plan.typed["requests"] = toServer.count(request) }
        return plan
    }
}

extension InferenceSurvey.Side {
    fileprivate mutating func take(_ value: JSON?, _ scale: InferenceScale) {
        messages += 1
        guard let value else {
            notJSON += 1
            return
        }
        if value["jsonrpc"] == .string("2.0") { rpc += 1 }
        switch value {
        case .object(let members):
            for member in members.prefix(scale.fieldsOfKind) {
                if let text = member.value.string { note(member.key, text, scale) }
            }
            if let text = value["header"]?["type"]?.string { note("header.type", text, scale) }
        case .array(let elements):
            for (index, element) in elements.prefix(5).enumerated() {
                if let text = element.string { note("[\(index)]", text, scale) }
            }
        default: break
        }
    }

    private mutating func note(_ path: String, _ text: String, _ scale: InferenceScale) {
        guard InferredName.isType(text, longest: scale.longestName) else { return }
        let place: Int
        if let known = index[path] { place = known } else {
            guard candidates.count < 4 * scale.paths else { return }
            place = candidates.count
            index[path] = place
            candidates.append(.init(path: path))
        }
        candidates[place].count += 1
        if candidates[place].values.count < scale.kinds {
            candidates[place].values.insert(text)
        } else if !candidates[place].values.contains(text) {
            candidates[place].isTooMany = true
        }
    }

    fileprivate func count(_ path: String) -> Int { index[path].map { candidates[$0].count } ?? 0 }

    /// Nearly every message that is JSON has it.
    fileprivate func covers(_ path: String) -> Bool { messages > 0 && 10 * count(path) >= 9 * (messages - notJSON) }

    /// The best place for a type's name: one that people call so, or one with few values that are often said again.
    fileprivate func type(_ scale: InferenceScale) -> String? {
        let able = candidates.filter { candidate in
            guard covers(candidate.path), !candidate.isTooMany else { return false }
            return candidate.values.count <= 16 || 4 * candidate.values.count <= candidate.count
        }
        for name in InferenceSurvey.typeNames where able.contains(where: { $0.path == name }) { return name }
        let few = able.filter { $0.values.count > 1 && 5 * $0.values.count <= $0.count && $0.count >= 20 }
        return few.first.flatMap { $0.path.hasPrefix("[") ? $0.path : InferredName.step($0.path) }
    }
}
