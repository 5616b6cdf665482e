import Journaling
import NIOCore
import Wire

/// A message as it is written: where its strings stand, however they are escaped, and also when it is no JSON.
struct MessageText {
    private let document: JSONDocument

    init(_ payload: ByteBuffer) { document = JSONDocument(payload) }

    /// Parsers may disagree about what it says: keys given twice, a text that breaks off.
    var isAmbiguous: Bool { document.problem != nil || document.tolerated }

    /// A text that no string is, such as one inside a string that holds JSON, is looked for word by word.
    func words(_ text: String) -> [Range<Int>] {
        let escaped = Array(JSON.string(text).text.utf8.dropFirst().dropLast())
        let plain = Array(text.utf8)
        return Redactor.occurrences(of: escaped == plain ? [plain] : [escaped, plain], in: document.bytes).map(\.range)
    }

    /// The strings of all members of these names, and what follows the name in a text that breaks off inside a value.
    func members(named names: [String]) -> [(String, Range<Int>)] {
        var found: [(String, Range<Int>)] = []
        for node in document.nodes.indices {
            guard names.contains(document.key(of: node)), let text = document.string(of: node), !text.isEmpty else { continue }
            found.append((text, inner(node)))
        }
        guard document.problem != nil else { return found }
        let end = document.nodes.filter { $0.isClosed }.map(\.range.upperBound).max() ?? 0
        let tail = document.bytes[min(end, document.bytes.count)...]
        for name in names {
            let key = Array("\"\(name)\"".utf8)
            guard let start = tail.indices.first(where: { tail[$0...].starts(with: key) }) else { continue }
            if let cut = value(from: start + key.count) { found.append(cut) }
        }
        return found
    }

    /// These numbers, as written, in members of these names or below them.
    func numbers(_ wanted: Set<String>, under names: [String]) -> [(String, Range<Int>)] {
        let isUnder = nodes(under: names)
        return document.nodes.indices.compactMap { index in
            guard document.nodes[index].kind == .number, isUnder[index] else { return nil }
            let text = document.text(document.nodes[index].range)
            return wanted.contains(text) ? (text, document.nodes[index].range) : nil
        }
    }

    /// The bytes of all strings that say one of these, without their quotes, in order: anywhere, or in members of these names
    /// and below them.
    func strings(_ wanted: Set<String>, under names: [String]? = nil) -> [(String, Range<Int>)] {
        let isUnder = names.map { nodes(under: $0) }
        return document.nodes.indices.compactMap { index in
            guard isUnder?[index] ?? true, let text = document.string(of: index), wanted.contains(text) else { return nil }
            return (text, inner(index))
        }
    }

    /// Of each node whether it is in a member of these names, or below one: what holds a node stands before it.
    private func nodes(under names: [String]) -> [Bool] {
        var under: [Bool] = []
        under.reserveCapacity(document.nodes.count)
        for (index, node) in document.nodes.enumerated() {
            under.append(node.parent.map { under[$0] } ?? false || names.contains(document.key(of: index)))
        }
        return under
    }

    /// What stands behind a name, to the end of the text; its words end at the quote that closes them, if one does. The
    /// marks between are no part of it: what is known as a secret is cut out wherever it comes again.
    private func value(from name: Int) -> (String, Range<Int>)? {
        let bytes = document.bytes
        let marks = Array(" \t\r\n:".utf8)
        guard var start = bytes[name...].firstIndex(where: { !marks.contains($0) }) else { return nil }
        let quote = UInt8(ascii: "\"")
        let isQuoted = bytes[start] == quote
        if isQuoted { start += 1 }
        let rest = start..<bytes.count
        let end = isQuoted ? bytes[rest].firstIndex(of: quote) ?? rest.upperBound : rest.upperBound
        return start < end ? (document.text(start..<end), rest) : nil
    }

    private func inner(_ node: Int) -> Range<Int> {
        let range = document.nodes[node].range
        return range.count < 2 ? range : (range.lowerBound + 1)..<(range.upperBound - 1)
    }
}
