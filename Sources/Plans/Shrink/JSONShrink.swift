import NIOCore
import Wire

/// Smaller messages: members and elements left out, values replaced by the smallest of their kind, texts cut.
enum JSONShrink {
    private static let mostNodes = 256

    /// One subtree less, the largest first; then subtrees replaced by nothing of their kind.
    static func structure(_ plan: Plan) -> [Plan] {
        edits(plan) { document in
            let nodes = document.nodes.indices.dropFirst().prefix(mostNodes)
            let largest = nodes.sorted { (document.nodes[$1].range.count, $0) < (document.nodes[$0].range.count, $1) }
            let gone = largest.compactMap { index in removal(index, document).map { ($0, "") } }
            let emptied = document.nodes.indices.prefix(mostNodes).compactMap { index -> (Range<Int>, String)? in
                switch document.nodes[index].kind {
                case .object: (document.nodes[index].range, "{}")
                case .array: (document.nodes[index].range, "[]")
                default: nil
                }
            }
            return gone + emptied
        }
    }

    /// Texts empty or halved, numbers 0.
    static func scalars(_ plan: Plan) -> [Plan] {
        edits(plan) { document in
            document.nodes.indices.prefix(mostNodes).flatMap { index -> [(Range<Int>, String)] in
                let node = document.nodes[index]
                switch node.kind {
                case .string where node.range.count > 2:
                    let inner = String(document.text(node.range).dropFirst().dropLast())
                    let half = inner.unicodeScalars.count / 2
                    let halves = half > 0 ? [String(String.UnicodeScalarView(inner.unicodeScalars.prefix(half)))] : []
                    return ([""] + halves).map { (node.range, "\"\($0)\"") }
                case .number where document.text(node.range) != "0": return [(node.range, "0")]
                default: return []
                }
            }
        }
    }

    /// Every edit of every JSON message.
    private static func edits(_ plan: Plan, _ make: (JSONDocument) -> [(Range<Int>, String)]) -> [Plan] {
        plan.steps.indices.flatMap { index -> [Plan] in
            guard case .send(let json) = plan.steps[index].verb else { return [] }
            let bytes = Array(json.utf8)
            let document = JSONDocument(ByteBuffer(bytes: sample(bytes)))
            guard document.problem == nil else { return [] }
            return make(document).map { range, text in
                let edited = bytes[..<range.lowerBound] + Array(text.utf8) + bytes[range.upperBound...]
                return plan.replacing(index, .send(String(decoding: edited, as: UTF8.self)))
            }
        }
    }

    /// The same text with `0` in place of each reference that stands where a value does; every byte keeps its place.
    private static func sample(_ bytes: [UInt8]) -> [UInt8] {
        var sample = bytes
        var inString = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where inString: index += 1
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "$") where !inString:
                sample[index] = UInt8(ascii: "0")
                while index + 1 < bytes.count, isReference(bytes[index + 1]) {
                    index += 1
                    sample[index] = UInt8(ascii: " ")
                }
            default: break
            }
            index += 1
        }
        return sample
    }

    private static func isReference(_ byte: UInt8) -> Bool {
        isNameStart(byte) || isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    /// With the comma that goes with it.
    private static func removal(_ index: Int, _ document: JSONDocument) -> Range<Int>? {
        guard let parent = document.nodes[index].parent else { return nil }
        let siblings = document.nodes[parent].children
        guard let place = siblings.firstIndex(of: index) else { return nil }
        let whole = document.nodes[index].wholeRange
        // A reference's blanks belong to it.
        if place + 1 < siblings.count {
            return whole.lowerBound..<document.nodes[siblings[place + 1]].wholeRange.lowerBound
        }
        let end = document.nodes[parent].range.upperBound - 1
        if place > 0 { return comma(before: whole.lowerBound, document)..<end }
        return whole.lowerBound..<end
    }

    private static func comma(before start: Int, _ document: JSONDocument) -> Int {
        var index = start
        while index > 0, document.bytes[index] != UInt8(ascii: ",") { index -= 1 }
        return index
    }
}
