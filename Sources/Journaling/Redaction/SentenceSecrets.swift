/// Where credentials stand in a sentence that quotes an address, a head or a message, and may have cut it off.
enum SentenceSecrets {
    /// In order, without overlap; in time linear in the bytes.
    static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = 0
        while index < bytes.count {
            let range: Range<Int>?
            switch bytes[index] {
            case 0x3f, 0x26: range = parameter(bytes, index + 1)
            case 0x22: range = member(bytes, index + 1)
            case 0x3a: range = field(bytes, index)
            case 0x20: range = scheme(bytes, index)
            default: range = nil
            }
            if let range, !range.isEmpty {
                found.append(range)
                index = range.upperBound
            } else {
                index += 1
            }
        }
        return found + cutToken(bytes, behind: found.last?.upperBound ?? 0)
    }

    /// A token of which an excerpt shows the beginning.
    private static func cutToken(_ bytes: [UInt8], behind place: Int) -> [Range<Int>] {
        let mark = Array("…".utf8)
        guard bytes.suffix(mark.count).elementsEqual(mark) else { return [] }
        let text = Array(bytes.dropLast(mark.count))
        guard let start = JWTShape.cutToken(in: text), start >= place, start < text.count else { return [] }
        return [start..<text.count]
    }

    /// Longer names than this are none.
    private static let longestName = 64

    private static func text(_ bytes: [UInt8], _ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func end(_ bytes: [UInt8], _ start: Int, within count: Int = .max, where ends: (UInt8) -> Bool) -> Int? {
        guard start < bytes.count else { return nil }
        let bound = count < bytes.count - start ? start + count : bytes.count
        return bytes[start..<bound].firstIndex(where: ends)
    }

    /// `?token=…`, `&token=…`
    private static func parameter(_ bytes: [UInt8], _ start: Int) -> Range<Int>? {
        guard let equals = end(bytes, start, within: longestName, where: { $0 == 0x3d || $0 == 0x20 || $0 == 0x26 }),
            bytes[equals] == 0x3d, CredentialWords.name(HeadView.percentDecoded(text(bytes, start..<equals)))
        else { return nil }
        return (equals + 1)..<(end(bytes, equals + 1, where: isMark) ?? bytes.count)
    }

    /// `"token":"…"`, with or without a blank.
    private static func member(_ bytes: [UInt8], _ start: Int) -> Range<Int>? {
        guard let quote = end(bytes, start, within: longestName, where: { $0 == 0x22 }),
            let colon = end(bytes, quote + 1, within: 4, where: { $0 != 0x20 }), bytes[colon] == 0x3a,
            let open = end(bytes, colon + 1, within: 4, where: { $0 != 0x20 }), bytes[open] == 0x22,
            CredentialWords.name(text(bytes, start..<quote))
        else { return nil }
        return (open + 1)..<(end(bytes, open + 1, where: { $0 == 0x22 }) ?? bytes.count)
    }

    private static let fields = ["authorization", "cookie"]

    /// `Authorization: …` and its like, to the end of the line.
    private static func field(_ bytes: [UInt8], _ colon: Int) -> Range<Int>? {
        guard fields.contains(where: { hasWord($0, bytes, before: colon) }) else { return nil }
        var start = colon + 1
        while start < bytes.count, bytes[start] == 0x20 { start += 1 }
        // The same token elsewhere gets the same tag.
        if let blank = end(bytes, start, within: 12, where: { $0 == 0x20 }),
            CredentialWords.scheme(text(bytes, start..<blank))
        {
            start = blank + 1
        }
        return start..<(end(bytes, start, where: { $0 == 0x0a || $0 == 0x0d || $0 == 0x22 }) ?? bytes.count)
    }

    /// `Bearer …`, when what follows is as long as credentials are.
    private static func scheme(_ bytes: [UInt8], _ blank: Int) -> Range<Int>? {
        guard hasWord("bearer", bytes, before: blank) || hasWord("basic", bytes, before: blank) else { return nil }
        let end = end(bytes, blank + 1, where: isMark) ?? bytes.count
        return end - blank > Redactor.leastRepeated ? (blank + 1)..<end : nil
    }

    private static func hasWord(_ word: String, _ bytes: [UInt8], before end: Int) -> Bool {
        let count = word.utf8.count
        guard end >= count else { return false }
        return zip(bytes[(end - count)..<end], word.utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// What ends a value that stands in a sentence.
    private static func isMark(_ byte: UInt8) -> Bool {
        byte <= 0x20 || [0x22, 0x23, 0x26, 0x27, 0x29, 0x2c, 0x3b, 0x3e, 0x60].contains(byte)
    }
}
