import Journaling
import Wire

/// The text of an inferred contract, key by key in the order of contract.md.
struct ContractDraft {
    let study: InferenceStudy
    let follow: InferenceFollow
    /// Topics that are left out, and why.
    let without: [Inference.Topic: String]
    var yaml = CommentedYAML()
    private(set) var fieldsLeft: Int

    init(study: InferenceStudy, follow: InferenceFollow, without: [Inference.Topic: String]) {
        self.study = study
        self.follow = follow
        self.without = without
        fieldsLeft = study.scale.fieldsWritten
    }

    var scale: InferenceScale { study.scale }
    var choices: InferredChoices { follow.choices }
    var plan: InferenceSurvey.Plan { study.plan }
    var events: [KindTally] { study.events.kinds }
    var requests: [KindTally] { study.requests.kinds }
    var isRaw: Bool { plan.notJSON * 10 > plan.requests + plan.events }

    mutating func text(name: String, about: String) -> String {
        yaml.line(0, "miswire-contract", "1")
        yaml.line(0, "name", CommentedYAML.value(name))
        yaml.line(0, "about", CommentedYAML.quoted(about))
        let sessions = study.parties.accepted
        yaml.comment(0, "Seen: \(Self.count(plan.requests, "request")) and \(Self.count(plan.events, "event")) of "
            + "\(Self.count(study.parties.users.count, "user")) on \(Self.count(sessions, "connection")).")
        yaml.comment(0, "Nothing here makes a request must-reject. A comment says how often a line held; what was seen too")
        yaml.comment(0, "seldom stands as a comment. Read it, take away what was chance, and add what must be refused.")
        if plan.isRPC { yaml.comment(0, "Every message says jsonrpc 2.0: the shipped contract json-rpc says more than can be seen.") }
        if let known = Self.known(study.parties.subprotocols.map(\.key)) {
            yaml.comment(0, "The subprotocol \(known) has a shipped contract of that name, which says more than can be seen.")
        }
        for topic in Inference.Topic.allCases {
            if let why = without[topic] { yaml.comment(0, "Left out: \(topic.rawValue), \(why)") }
        }
        writeWire()
        if !isRaw {
            writeIdentity()
            writeAuth()
            writeSession()
            writeMessages()
            writeLinks()
            writeRuns()
            writeErrors()
            writeRefusals()
            writeVolatile()
        }
        return yaml.text
    }

    private static func known(_ subprotocols: [String]) -> String? {
        subprotocols.first { ["graphql-transport-ws"].contains($0) }
    }

    private mutating func writeWire() {
        let parties = study.parties
        yaml.line(0, "wire")
        let paths = Self.globs(parties.paths.map(\.key))
        if !paths.isEmpty {
            let seen = parties.paths.reduce(0) { $0 + $1.count }
            yaml.line(1, "paths", CommentedYAML.list(paths), why: "\(seen) of \(Self.count(parties.accepted, "upgrade"))")
        }
        if !parties.subprotocols.isEmpty {
            let names = CommentedYAML.list(parties.subprotocols.prefix(16).map(\.key))
            if parties.withoutSubprotocol == 0 {
                yaml.line(1, "subprotocols", names, why: "chosen by the server in \(parties.accepted) of \(parties.accepted)")
            } else {
                yaml.comment(1, "subprotocols: \(names)   \(parties.withoutSubprotocol) of \(parties.accepted) had none")
            }
        }
        if isRaw {
            yaml.line(1, "format", "raw", why: "\(plan.notJSON) of \(Self.count(plan.requests + plan.events, "message")) are no JSON")
            return
        }
        if let type = plan.eventType {
            let seen = (plan.typed["events"] ?? 0) + (plan.requestType == type ? plan.typed["requests"] ?? 0 : 0)
            let all = plan.events + (plan.requestType == type ? plan.requests : 0)
            yaml.line(1, "type", CommentedYAML.value(type), why: "\(seen) of \(Self.count(all, "message"))")
        } else if let type = plan.requestType {
            yaml.line(1, "type", CommentedYAML.value(type), why: "in requests alone")
        }
        yaml.line(1, "unknown", "note", why: "what was not seen is not forbidden; write fail when the list below is whole")
    }

    /// A path that differs in many ways at one place has a name there.
    private static func globs(_ paths: [String]) -> [String] {
        if paths.count <= 4 { return paths }
        var shapes: [String] = []
        var groups: [Int: [[Substring]]] = [:]
        for path in paths {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            groups[parts.count, default: []].append(parts)
        }
        for count in groups.keys.sorted() {
            guard let group = groups[count] else { continue }
            let merged = (0..<count).map { place -> String in
                let values = Set(group.map { $0[place] })
                return values.count == 1 ? String(group[0][place]) : "*"
            }
            shapes.append(merged.joined(separator: "/"))
        }
        return shapes
    }

    mutating func takeField() -> Bool {
        fieldsLeft -= 1
        return fieldsLeft >= 0
    }

    static func count(_ count: Int, _ word: String) -> String { "\(count) \(word)" + (count == 1 ? "" : "s") }

    /// Longer than anything seen by far, in words of the language.
    static func bound(_ longest: Duration, times: Int64, least seconds: Int64) -> String {
        let seen = min(max(longest.components.seconds, 0), 86_400) + 1
        let wanted = max(seconds, min(seen * times, 86_400))
        return wanted < 600 ? "\(wanted)s" : "\((wanted + 59) / 60)m"
    }

    static func shown(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000) s"
    }
}
