/// Words that somebody said where no credential belongs. Whatever is brought as a credential and was said before is no
/// secret: a thread's id, a run's, a text that a client first talked about. Kept are hashes of the latest 65,536 words at
/// least, and of twice as many at most.
package struct SaidWords: Sendable {
    /// Letters and digits in a row, at least so many and a digit among them.
    private static let least = 6
    private static let most = 65_536
    /// Of one message so much is read: names stand at its beginning, and a long one must not hold up the others.
    private static let mostRead = 1 << 16

    private var latest: Set<UInt64> = []
    private var before: Set<UInt64> = []

    package init() {}

    /// - Parameter besides: where credentials stand.
    package mutating func add(_ bytes: some Sequence<UInt8>, besides: [Range<Int>] = []) {
        var covered = CoveredRanges(besides)
        for word in Words(bytes) where !covered.overlaps(word.range) {
            if latest.count >= Self.most { (before, latest) = (latest, []) }
            latest.insert(word.hash)
        }
    }

    /// Every word of it was said; false for what has none.
    package func holds(_ text: some Sequence<UInt8>) -> Bool {
        if latest.isEmpty { return false }
        var isFound = false
        for word in Words(text) {
            guard latest.contains(word.hash) || before.contains(word.hash) else { return false }
            isFound = true
        }
        return isFound
    }

    /// The words of some bytes, in order.
    private struct Words<Bytes: Sequence<UInt8>>: Sequence, IteratorProtocol {
        private var bytes: Bytes.Iterator
        private var place = 0

        init(_ bytes: Bytes) { self.bytes = bytes.makeIterator() }

        mutating func next() -> (range: Range<Int>, hash: UInt64)? {
            // Fowler, Noll and Vo's hash (FNV-1a).
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            var (length, hasDigit) = (0, false)
            while place < SaidWords.mostRead {
                let byte = bytes.next()
                place += 1
                if let byte, Self.isLetterOrDigit(byte) {
                    hasDigit = hasDigit || byte <= 0x39
                    hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
                    length += 1
                    continue
                }
                if length >= SaidWords.least, hasDigit { return ((place - 1 - length)..<(place - 1), hash) }
                if byte == nil { break }
                (hash, length, hasDigit) = (0xcbf2_9ce4_8422_2325, 0, false)
            }
            place = SaidWords.mostRead
            return nil
        }

        private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: false
            }
        }
    }
}
