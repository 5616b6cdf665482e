import Journaling
import NIOCore
import Wire

/// A message as it is written: where its strings stand, however they are escaped, and also when it is no JSON.
struct MessageText {
    private let document: JSONDocument

    init(_ payload: ByteBuffer) { document = JSONDocument(payload) }

    /// Parsers may disagree about what it says: keys given twice, a text that breaks off.
    var isAmbiguous: Bool { document.problem != nil || document.tolerated }

    /// The bytes of all strings that say this, without their quotes. A text that no string is, such as one inside a
    /// string that holds JSON, is looked for word by word.
    func places(of text: String) -> [Range<Int>] {
        let strings = document.nodes.indices.filter { document.string(of: $0) == text }.map { inner($0) }
        if !strings.isEmpty { return strings }
        let escaped = Array(JSON.string(text).text.utf8.dropFirst().dropLast())
        return Set([escaped, Array(text.utf8)]).flatMap { occurrences(of: $0) }
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
    func numbers(_ wanted: [String], under names: [String]) -> [(String, Range<Int>)] {
        document.nodes.indices.compactMap { index in
            guard document.nodes[index].kind == .number, isUnder(names, index) else { return nil }
            let text = document.text(document.nodes[index].range)
            return wanted.contains(text) ? (text, document.nodes[index].range) : nil
        }
    }

    private func isUnder(_ names: [String], _ node: Int) -> Bool {
        var next: Int? = node
        while let at = next {
            if names.contains(document.key(of: at)) { return true }
            next = document.nodes[at].parent
        }
        return false
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

    private func occurrences(of needle: [UInt8]) -> [Range<Int>] {
        Redactor.occurrences(of: [needle], in: document.bytes).map { $0.range }
    }
}
