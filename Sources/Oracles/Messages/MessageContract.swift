package import Contracts
import Journaling
import Wire

/// C2: the server says nothing that its contract does not declare.
package struct MessageContract: Property {
    package static let id = "C2"
    package static let name = "message contract"
    package static let requirement = "each message of the server can be read and is one that the contract declares (contract events)"

    package static let hears: ReadingKinds = [.declared, .unread]

    package static func missingKey(in contract: Contract?) -> String? { contract?.events.isEmpty == false ? nil : "events" }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        if case .asDeclared = reading { return .pass }
        if case .unread(let why) = reading { return .inconclusive(why) }
        guard case .declared(let declared) = reading else { return nil }
        if let doubt = declared.doubt { return .inconclusive(doubt) }
        return .fail(Self.violation(declared.problem, declared, declared.evidence))
    }

    private static func violation(
        _ problem: Reading.DeclaredReading.Problem, _ declared: Reading.DeclaredReading, _ evidence: Evidence
    ) -> Violation {
        let (user, type, at) = (declared.user, declared.type, Wording.time(evidence.instant))
        switch problem {
        case .malformed(let why):
            return Violation(
                edge: "malformed", types: ["<malformed>"], sentence: "\(user) gets a message that cannot be read: \(why)",
                expected: "messages as the contract's wire has them", found: "\(why), at \(at)", evidence: evidence,
                line: declared.line)
        case .undeclared(let title):
            return Violation(
                edge: "undeclared", types: [type], sentence: "\(user) gets \(type), which the contract declares nowhere",
                expected: "a message of the contract's events", found: "\(type) at \(at)", evidence: evidence,
                caret: title.map { Finding.Caret(text: $0, label: "no such event") }, line: declared.line)
        case .shape(let what):
            let path = Terminal.plain(what.path)
            let expected = Terminal.plain(what.expected)
            let found = what.value.map(shown) ?? "nothing"
            return Violation(
                edge: "shape \(Self.stable(path))", types: [type],
                sentence: "\(user)'s \(type) is not as declared: \(path) must be \(expected)",
                expected: "\(path): \(expected)", found: "\(path): \(found) at \(at)", evidence: evidence,
                caret: caret(what), line: declared.line)
        }
    }

    /// A scalar is underlined; of a container, or of what is missing, nothing can be.
    private static func caret(_ what: ShapeViolation) -> Finding.Caret? {
        guard let value = what.value else { return nil }
        let text: String
        switch value {
        case .string(let string): text = string
        case .array, .object: return nil
        case .null, .bool, .number: text = value.text
        }
        guard !text.isEmpty, text.utf8.count <= 400 else { return nil }
        return Finding.Caret(text: text, label: "must be \(Terminal.plain(what.expected))")
    }

    private static func shown(_ value: JSON) -> String {
        switch value {
        case .array(let elements): return "an array of \(elements.count)"
        case .object: return "an object"
        default:
            let text = Terminal.plain(value.text)
            return text.count > 80 ? String(text.prefix(80)) + "…" : text
        }
    }

    /// Places in arrays are no part of a fingerprint.
    private static func stable(_ path: String) -> String {
        var out = ""
        var isIndex = false
        for character in path {
            if character == "]" { isIndex = false }
            if !isIndex || !character.isNumber { out.append(character) }
            if character == "[" { isIndex = true }
        }
        return out
    }
}
