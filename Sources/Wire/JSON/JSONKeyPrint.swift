/// What tells keys apart at a glance: how long they are and how they end. Keys of at most eight bytes are the same when these
/// are.
struct JSONKeyPrint: Sendable, Equatable {
    private let count: Int
    /// The last eight bytes, or as many as there are, the last one lowest.
    private let ending: UInt64

    private init(count: Int, ending: UInt64) {
        self.count = count
        self.ending = ending
    }

    static let none = JSONKeyPrint(count: 0, ending: 0)

    /// - Parameter range: of the key with its quotes.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, escaped: Bool) {
        if escaped {
            self.init(JSONText.decode(bytes, range, escaped: true))
        } else {
            self.init(bytes, range.lowerBound + 1..<range.upperBound - 1)
        }
    }

    private init(_ key: String) {
        var ending: UInt64 = 0
        for byte in key.utf8 { ending = ending << 8 | UInt64(byte) }
        self.init(count: key.utf8.count, ending: ending)
    }

    private init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        count = range.count
        if range.upperBound >= 8 {
            let word = UInt64(bigEndian: ByteScan.word(bytes, at: range.upperBound - 8))
            ending = count >= 8 ? word : word & (1 << UInt64(8 * count) - 1)
        } else {
            var word: UInt64 = 0
            for index in range { word = word << 8 | UInt64(bytes[index]) }
            ending = word
        }
    }
}
