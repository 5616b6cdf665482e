import Journaling
import NIOCore
import Wire

/// One way to change a JSON text in one place.
enum JSONOperation: String, Sendable, CaseIterable {
    case missing, extra, null
    case wrongType = "wrong-type"
    case `enum`
    case range, nesting
    case duplicateKey = "duplicate-key"
    case nan
    case hugeInteger = "huge-integer"
    case deepArray = "deep-array"
    case loneSurrogate = "lone-surrogate"
    case keyCase = "key-case"
    case malformed

    /// Acts on a member; the others act on the text as a whole.
    var needsMember: Bool {
        switch self {
        case .extra, .malformed: false
        default: true
        }
    }

    func fits(_ node: Int, in document: JSONDocument) -> Bool {
        guard document.nodes.indices.contains(node) else { return false }
        let kind = document.nodes[node].kind
        let isMember = document.nodes[node].keyRange != nil
        switch self {
        case .missing: return document.nodes[node].parent != nil
        case .null: return kind != .null
        case .duplicateKey: return isMember
        case .keyCase: return isMember && document.key(of: node).utf8.contains { Self.isLetter($0) }
        case .enum, .loneSurrogate: return kind == .string
        case .range: return kind == .number
        case .nan, .hugeInteger: return kind == .number || kind == .string
        default: return true
        }
    }

    /// The new text; nil when it cannot act there.
    func apply(
        to node: Int?, of root: Int, in document: JSONDocument, value: String?, _ dice: inout Dice
    ) -> ByteBuffer? {
        switch self {
        case .extra:
            guard document.nodes[root].kind == .object else { return nil }
            return document.adding("unexpected_\(dice.below(UInt64(1 << 32)))", .string("miswire"), to: root)
        case .malformed: return malformed(document, root, &dice)
        default: break
        }
        guard let node else { return nil }
        let range = document.nodes[node].range
        switch self {
        case .missing: return document.removing(node: node)
        case .null: return document.replacing(node: node, with: .null)
        case .wrongType: return document.replacing(range, with: otherType(document.nodes[node].kind))
        case .enum: return document.replacing(node: node, with: .string(value ?? "miswire_unknown_\(dice.below(UInt64(1 << 32)))"))
        case .range: return document.replacing(range, with: dice.below(2) == 0 ? "-1" : "1e308")
        case .nesting: return document.replacing(range, with: "{\"nested\":" + document.text(range) + "}")
        case .duplicateKey:
            guard let parent = document.nodes[node].parent else { return nil }
            return document.adding(document.key(of: node), text: otherType(document.nodes[node].kind), to: parent)
        case .nan: return document.replacing(range, with: ["NaN", "Infinity", "-Infinity"][dice.below(3)])
        case .hugeInteger: return document.replacing(range, with: "1" + String(repeating: "0", count: 400))
        case .deepArray:
            return document.replacing(
                range, with: String(repeating: "[", count: 256) + String(repeating: "]", count: 256))
        case .loneSurrogate: return document.replacing(range, with: "\"\\ud800\"")
        case .keyCase: return document.renaming(node: node, to: swappedCase(document.key(of: node)))
        case .extra, .malformed: return nil
        }
    }

    /// Texts that no JSON parser takes.
    private func malformed(_ document: JSONDocument, _ root: Int, _ dice: inout Dice) -> ByteBuffer? {
        let range = document.nodes[root].range
        guard range.count >= 2 else { return document.replacing(range.upperBound..<range.upperBound, with: "}") }
        switch dice.below(3) {
        case 0: return document.replacing(range.upperBound - 1..<range.upperBound, with: "")
        case 1: return document.replacing(range.upperBound..<range.upperBound, with: "}")
        default: return document.replacing(range.lowerBound + 1..<range.lowerBound + 1, with: ",")
        }
    }

    private func otherType(_ kind: JSONDocument.Kind) -> String {
        switch kind {
        case .string: "42"
        case .number, .bool, .null: "\"miswire\""
        case .object: "[]"
        case .array: "{}"
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

    private func swappedCase(_ key: String) -> String {
        let bytes = key.utf8.map { Self.isLetter($0) ? $0 ^ 0x20 : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
