import Journaling
import NIOCore
import Wire

/// Where a user is named: by name, by what else belongs to them, by the tags of their credentials; as plain text, percent
/// and JSON escapes, hexadecimal digits and base64, and one of these within another. Upper and lower case are one.
struct Mentions: Sendable {
    private struct Needle: Sendable {
        var bytes: [UInt8]
        /// Names count as words: `bob` is not in `bobby`, and is in `bob-7` and `"bob"`.
        var isWord: Bool
    }
    private var needles: [Needle] = []
    private var known: Set<[UInt8]> = []

    static let replacement = "forgotten"
    /// Encoded forms that are shorter than this stand within other text by chance: only as words of their own they count.
    private static let leastEncoded = 8
    private static let leastHex = 6
    /// Escapes within escapes: a message quoted in a message quoted in a log.
    private static let layers = 3
    /// No form of a mention is longer: each byte of a needle may be `\\u0062` on the way.
    var reach: Int { (needles.map(\.bytes.count).max() ?? 0) * 8 }

    init(words: [String]) { for word in words { add(word: word) } }

    mutating func add(word: String) {
        // Case is folded for ASCII alone, and not at all in what is encoded.
        for word in [word, word.lowercased(), word.uppercased()] {
            let bytes = Array(word.utf8)
            add(bytes, isWord: true)
            let hex = Array(Digest.hex(bytes).utf8)
            if hex.count >= Self.leastHex { add(hex, isWord: hex.count < Self.leastEncoded) }
            for form in Self.base64(bytes) where form.count >= Self.leastEncoded { add(form, isWord: false) }
        }
    }

    /// `jwt:a1`, as it stands in text: `‹jwt:a1›`.
    mutating func add(tag: String) { add(Array("‹\(tag)›".utf8), isWord: false) }

    private mutating func add(_ bytes: [UInt8], isWord: Bool) {
        let folded = bytes.map(Self.folded)
        guard !folded.isEmpty, known.insert(folded).inserted else { return }
        needles.append(Needle(bytes: folded, isWord: isWord))
    }

    // MARK: Search

    /// Whether the user is named, in whatever form.
    func isIn(_ bytes: [UInt8]) -> Bool { isIn(bytes, layers: Self.layers) }

    private func isIn(_ bytes: [UInt8], layers: Int) -> Bool {
        if stands(in: bytes) { return true }
        guard layers > 0 else { return false }
        return Disguise.allCases.contains { disguise in
            disguise.removed(from: bytes).map { isIn($0, layers: layers - 1) } ?? false
        }
    }

    func isIn(_ text: String) -> Bool { isIn(Array(text.utf8)) }

    private func stands(in bytes: [UInt8]) -> Bool {
        let folded = bytes.map(Self.folded)
        return needles.contains { !Self.ranges(of: $0, in: folded, most: 1).isEmpty }
    }

    /// The bytes with each mention replaced; empty when it stands in a form that cannot be cut out.
    func replaced(in bytes: [UInt8]) -> [UInt8] {
        guard isIn(bytes) else { return bytes }
        let folded = bytes.map(Self.folded)
        var ranges = needles.flatMap { Self.ranges(of: $0, in: folded, most: .max) }
        ranges.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        var out: [UInt8] = []
        var copied = 0
        for range in ranges where range.upperBound > copied {
            if range.lowerBound >= copied {
                out += bytes[copied..<range.lowerBound]
                out += Self.replacement.utf8
            }
            copied = range.upperBound
        }
        out += bytes[copied...]
        return isIn(out) ? [] : out
    }

    func replaced(in text: String) -> String {
        isIn(text) ? String(decoding: replaced(in: Array(text.utf8)), as: UTF8.self) : text
    }

    /// Needles are short, so that looking again behind each first byte costs at most their length a byte.
    private static func ranges(of needle: Needle, in bytes: [UInt8], most: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        let (count, first) = (needle.bytes.count, needle.bytes[0])
        var start = 0
        while bytes.count - start >= count, let place = bytes[start...(bytes.count - count)].firstIndex(of: first) {
            let range = place..<(place + count)
            if bytes[range].elementsEqual(needle.bytes), !needle.isWord || isWord(range, bytes) {
                found.append(range)
                if found.count >= most { break }
                start = range.upperBound
            } else {
                start = place + 1
            }
        }
        return found
    }

    private static func isWord(_ range: Range<Int>, _ bytes: [UInt8]) -> Bool {
        func joins(_ index: Int, _ edge: Int) -> Bool {
            bytes.indices.contains(index) && isLetter(bytes[index]) && isLetter(bytes[edge])
        }
        return !joins(range.lowerBound - 1, range.lowerBound) && !joins(range.upperBound, range.upperBound - 1)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x7a ~= byte
    }

    private static func folded(_ byte: UInt8) -> UInt8 { 0x41...0x5a ~= byte ? byte | 0x20 : byte }

    // MARK: Forms

    /// What is certain of its base64 at each of the three places where it can begin, in both alphabets.
    private static func base64(_ bytes: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for lead in 0..<3 {
            var buffer = ByteBuffer()
            Base64.write(ByteBuffer(bytes: [UInt8](repeating: 0, count: lead) + bytes), into: &buffer)
            let bits = (lead + bytes.count) * 8
            // Digits that hold bits of what stands before or behind are left out.
            let from = lead == 0 ? 0 : lead == 1 ? 2 : 3
            let to = bits / 6
            guard from < to, to <= buffer.readableBytes else { continue }
            let form = Array(Array(buffer.readableBytesView)[from..<to])
            forms.append(form)
            let other = form.map { $0 == 0x2b ? 0x2d : $0 == 0x2f ? 0x5f : $0 }
            if other != form { forms.append(other) }
        }
        return forms
    }
}
