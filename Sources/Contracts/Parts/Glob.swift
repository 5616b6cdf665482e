import Wire

/// `*` is any run of characters; the whole string must match. Linear in the text.
package struct Glob: Sendable, Hashable {
    package var text: String { didSet { pieces = Self.split(text) } }
    /// What stands between the stars: n + 1 pieces for n stars, compared byte by byte.
    private var pieces: [[UInt8]]

    package init(_ text: String) {
        self.text = text
        pieces = Self.split(text)
    }

    private static func split(_ text: String) -> [[UInt8]] {
        Array(text.utf8).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// Without a star it can match one string only.
    package var isExact: Bool { pieces.count <= 1 }

    package func matches(_ candidate: String) -> Bool {
        if isExact { return JSONText.isSame(text, candidate) }
        guard let head = pieces.first, candidate.utf8.starts(with: head) else { return false }
        return cover(Array(candidate.utf8)) != nil
    }

    /// What the first run of stars covers, nil when the glob does not match.
    package func capture(_ candidate: String) -> String? {
        let bytes = Array(candidate.utf8)
        guard let covered = cover(bytes) else { return nil }
        return String(decoding: bytes[covered], as: UTF8.self)
    }

    private func cover(_ text: [UInt8]) -> Range<Int>? {
        guard let head = pieces.first, let tail = pieces.last, text.starts(with: head) else { return nil }
        if pieces.count == 1 { return text.count == head.count ? 0..<0 : nil }
        guard text.count >= head.count + tail.count, text.suffix(tail.count).elementsEqual(tail) else { return nil }
        var position = head.count
        let end = text.count - tail.count
        var first: Range<Int>?
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let start = Self.find(piece, in: text, from: position, to: end) else { return nil }
            if first == nil { first = head.count..<start }
            position = start + piece.count
        }
        return first ?? head.count..<end
    }

    /// Knuth, Morris, Pratt: never looks at a byte of the text twice.
    private static func find(_ piece: [UInt8], in text: [UInt8], from start: Int, to end: Int) -> Int? {
        var fallback = [Int](repeating: 0, count: piece.count)
        var length = 0
        for index in piece.indices.dropFirst() {
            while length > 0, piece[index] != piece[length] { length = fallback[length - 1] }
            if piece[index] == piece[length] { length += 1 }
            fallback[index] = length
        }
        var matched = 0
        for index in start..<max(start, end) {
            while matched > 0, text[index] != piece[matched] { matched = fallback[matched - 1] }
            if text[index] == piece[matched] { matched += 1 }
            if matched == piece.count { return index + 1 - matched }
        }
        return nil
    }
}
