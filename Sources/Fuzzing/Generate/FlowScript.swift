package import Contracts
package import Plans
import Wire

/// A flow of the contract as steps of one user, without the way in.
package struct FlowScript: Sendable {
    package let name: String
    /// Messages, each with the guards behind it; guards before the first message stand alone in front.
    package let exchanges: [[Plan.Verb]]

    package var verbs: [Plan.Verb] { exchanges.flatMap { $0 } }
    /// The last message and what follows it: what can be said again on a connection that is under way.
    package var last: [Plan.Verb] { exchanges.last ?? [] }
    /// The first message that it sends.
    package var firstMessage: Plan.Verb? { verbs.first(where: \.sends) }

    /// Why a flow can be no plan, as one phrase.
    package struct Unusable: Error, Sendable {
        package var reason: String
    }

    package init(_ flow: Flow, in contract: Contract, user: String) throws(Unusable) {
        var exchanges: [[Plan.Verb]] = []
        var kept: [String: String] = [:]
        for step in flow.steps {
            switch step {
            case .send(let message):
                exchanges.append([Self.verb(try Self.bind(message, kept))])
            case .await(let event, let within, let keep, _):
                guard isGuardName(event) else { throw Unusable(reason: "no plan can wait for \(event)") }
                let verb = Plan.Verb.until([event], within: within ?? contract.deadline)
                if exchanges.isEmpty { exchanges.append([]) }
                exchanges[exchanges.count - 1].append(verb)
                for (name, path) in keep { kept[name] = try Self.reference(path, of: event, in: contract, user: user) }
            }
        }
        name = flow.name
        self.exchanges = exchanges
    }

    static func verb(_ message: JSON) -> Plan.Verb {
        if case .string(let text) = message {
            return .sendText(TemplateText.unmarked(TemplateText.escaped(text), bare: false))
        }
        return TemplateText.verb(message)
    }

    /// `run1.thread_id` when the event belongs to a run, else `alice.session`.
    private static func reference(
        _ path: Path, of event: String, in contract: Contract, user: String
    ) throws(Unusable) -> String {
        guard let keys = path.keys, keys.allSatisfy(isReferenceName) else {
            throw Unusable(reason: "no reference of a plan can name \(path.text)")
        }
        let isOfRun = contract.runs.contains { $0.names(isRequest: false, name: event, type: event) }
        return ([isOfRun ? "run1" : user] + keys).joined(separator: ".")
    }

    /// Kept names become references.
    private static func bind(_ message: JSON, _ kept: [String: String]) throws(Unusable) -> JSON {
        if kept.isEmpty { return message }
        switch message {
        case .string(let text): return .string(try bind(text, kept))
        case .array(let items):
            var bound: [JSON] = []
            for item in items { bound.append(try bind(item, kept)) }
            return .array(bound)
        case .object(let members):
            var bound: [JSON.Member] = []
            for member in members { bound.append(.init(key: member.key, value: try bind(member.value, kept))) }
            return .object(bound)
        case .null, .bool, .number: return message
        }
    }

    private static func bind(_ text: String, _ kept: [String: String]) throws(Unusable) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            guard let close = inside.prefix(65).firstIndex(of: "}"), let reference = kept[String(inside[..<close])] else {
                result += "{"
                rest = inside
                continue
            }
            rest = inside[inside.index(after: close)...]
            if let next = rest.unicodeScalars.first, next == "." || next == "_" || next.properties.isAlphabetic || ("0"..."9").contains(next) {
                throw Unusable(reason: "a kept value has letters behind it: \(text)")
            }
            result += "\u{f8f0}\(reference)\u{f8f1}"
        }
        return result + rest
    }
}

/// Whether a reference of a plan can walk through a member of that name.
func isReferenceName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
