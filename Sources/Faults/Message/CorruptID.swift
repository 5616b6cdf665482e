package import Journaling
import NIOCore
import Wire

/// Makes identifiers point to something else.
package struct CorruptID: Fault {
    package static let name = "corrupt-id"
    package static let group = FaultGroup.message
    package static let summary = "changes or swaps identifiers"
    package static let excuse = "that the run completes; routing; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "field", .names,
            doc: "keys, dotted for nested ones, of the identifiers; members whose key is `id` or ends in it when left out"),
        Parameter(
            "how", .choice(["change", "swap", "earlier"]), default: "change",
            doc: "one character becomes another, two of them change places, or it is what the field said in an earlier message"),
    ]

    private let fields: [[String]]
    private let how: String
    /// The last values of each field, of both directions if the rule names none: an answer may bring what a request then
    /// names wrongly.
    private var past: [(key: String, text: String)] = []
    private static let mostPast = 256
    private static let mostText = 256

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        fields = reader.texts("field").map { $0.split(separator: ".").map(String.init) }
        how = reader.text("how") ?? "change"
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery, .routing]) }
    package var remembers: Bool { how == "earlier" }

    package mutating func saw(_ message: Message, at now: Instant) {
        guard message.opcode == .text, message.payload.readableBytes <= 1 << 20 else { return }
        let document = JSONDocument(message.payload)
        guard document.problem == nil else { return }
        for node in identifiers(in: document) {
            let (key, text) = (document.key(of: node), document.text(document.nodes[node].range))
            guard text.utf8.count <= Self.mostText, !past.contains(where: { $0.key == key && $0.text == text }) else { continue }
            if past.count >= Self.mostPast { past.removeFirst() }
            past.append((key, text))
        }
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let document = JSONDocument(message.payload)
        guard document.root != nil, document.problem == nil else { return .notApplied("the message is no JSON") }
        let nodes = identifiers(in: document)
        guard !nodes.isEmpty else { return .notApplied("the message has no such identifier") }
        guard let (payload, detail) = edit(document, nodes, &dice), payload != message.payload else {
            let reasons = ["swap": "no two identifiers differ", "earlier": "no earlier one differs"]
            return .notApplied(reasons[how] ?? "no identifier can be changed")
        }
        message.payload = payload
        message.changed = true
        return .effects([.forward(.message(message), at: nil)], detail: detail)
    }

    private func edit(_ document: JSONDocument, _ nodes: [Int], _ dice: inout Dice) -> (ByteBuffer, String)? {
        let node = nodes[dice.below(nodes.count)]
        let (key, text) = (document.key(of: node), document.text(document.nodes[node].range))
        let range = document.nodes[node].range
        switch how {
        case "swap":
            let others = nodes.filter { document.text(document.nodes[$0].range) != text }
            guard !others.isEmpty else { return nil }
            let other = others[dice.below(others.count)]
            let first = min(node, other)
            let second = max(node, other)
            // From the back, so that the place in front keeps its range.
            var bytes = Array(document.bytes)
            bytes.replaceSubrange(document.nodes[second].range, with: document.bytes[document.nodes[first].range])
            bytes.replaceSubrange(document.nodes[first].range, with: document.bytes[document.nodes[second].range])
            return (ByteBuffer(bytes: bytes), "swapped \(document.key(of: first)) and \(document.key(of: second))")
        case "earlier":
            let earlier = past.filter { $0.key == key && $0.text != text }
            guard !earlier.isEmpty else { return nil }
            return (document.replacing(range, with: earlier[dice.below(earlier.count)].text), "\(key) of an earlier message")
        default:
            let isNumber = document.nodes[node].kind == .number
            guard let changed = Self.changed(text, isNumber: isNumber, &dice) else { return nil }
            return (document.replacing(range, with: changed), "changed \(key)")
        }
    }

    /// One digit or letter becomes another of its kind, so that the form of the identifier stays; a hexadecimal one stays so.
    private static func changed(_ text: String, isNumber: Bool, _ dice: inout Dice) -> String? {
        var bytes = Array(text.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "\\")) ?? bytes.endIndex
        let places = bytes.indices[..<end].filter { isDigit(bytes[$0]) || (!isNumber && isLetter(bytes[$0])) }
        guard !places.isEmpty else { return nil }
        let place = places[dice.below(places.count)]
        let byte = bytes[place]
        if isDigit(byte) {
            // No number gets a zero in front.
            bytes[place] = 0x31 + (byte &- 0x30 &+ UInt8(dice.below(8))) % 9
        } else {
            let isHex = byte | 0x20 <= 0x66
            let letters: UInt8 = isHex ? 6 : 26
            let first = byte & 0x20 | 0x41
            bytes[place] = first + (byte - first + 1 + UInt8(dice.below(Int(letters) - 1))) % letters
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

    /// Texts and numbers that identify something.
    private func identifiers(in document: JSONDocument) -> [Int] {
        guard let root = document.root else { return [] }
        let found: [Int]
        if fields.isEmpty {
            found = document.nodes.indices.filter { node in
                guard document.nodes[node].keyRange != nil else { return false }
                let key = document.key(of: node)
                return key == "id" || key.hasSuffix("_id") || key.hasSuffix("Id") || key.hasSuffix("ID") || key.hasSuffix("-id")
            }
        } else {
            found = fields.compactMap { path in
                path.reduce(Optional(root)) { node, name in node.flatMap { document.member(name, of: $0) } }
            }
        }
        return found.filter { document.nodes[$0].kind == .string || document.nodes[$0].kind == .number }
    }
}
