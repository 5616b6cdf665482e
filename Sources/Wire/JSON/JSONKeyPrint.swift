/// What tells keys apart at a glance: how long they are, how they begin and how they end. Keys of at most 16 bytes are the
/// same when these are.
struct JSONKeyPrint: Sendable, Equatable {
    let count: Int
    /// The last eight bytes, or as many as there are, the last one lowest.
    private let ending: UInt64
    /// The first eight bytes of more than eight.
    private let beginning: UInt64

    static let none = JSONKeyPrint(count: 0, ending: 0, beginning: 0)

    private init(count: Int, ending: UInt64, beginning: UInt64) {
        self.count = count
        self.ending = ending
        self.beginning = beginning
    }

    /// - Parameter range: of the key with its quotes.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, escaped: Bool) {
        if escaped {
            self.init(JSONText.decode(bytes, range, escaped: true))
        } else {
            self.init(bytes, range.lowerBound + 1..<range.upperBound - 1)
        }
    }

    init(_ key: String) {
        var key = key
        self = key.withUTF8 { key in
            let bytes = unsafe Span(_unsafeElements: key)
            return JSONKeyPrint(bytes, 0..<bytes.count)
        }
    }

    /// - Parameter range: of the key itself.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        count = range.count
        if range.upperBound >= 8 {
            let word = UInt64(bigEndian: ByteScan.word(bytes, at: range.upperBound - 8))
            ending = count >= 8 ? word : word & ((1 as UInt64) &<< UInt64(truncatingIfNeeded: 8 &* count) &- 1)
        } else {
            var word: UInt64 = 0
            for index in range { word = word << 8 | UInt64(bytes[index]) }
            ending = word
        }
        beginning = count > 8 ? UInt64(bigEndian: ByteScan.word(bytes, at: range.lowerBound)) : 0
    }

    /// Who has the same print has the same key.
    var isWhole: Bool { count <= 16 }

    /// The same for the same key; the upper bits are the good ones.
    @inline(__always)
    var hash: UInt64 {
        // An odd number whose bits look like dice (2^64 divided by the golden ratio).
        let mixed = (ending ^ beginning << 5 ^ UInt64(truncatingIfNeeded: count)) &* 0x9e37_79b9_7f4a_7c15
        return (mixed ^ mixed >> 32) &* 0x9e37_79b9_7f4a_7c15
    }

    /// Where to look for it first.
    /// - Parameter size: a power of two, below 2^32.
    @inline(__always)
    func place(in size: Int) -> Int { Int(truncatingIfNeeded: hash >> 32) & (size &- 1) }

    @inline(__always)
    static func == (left: JSONKeyPrint, right: JSONKeyPrint) -> Bool {
        left.ending == right.ending && left.count == right.count && left.beginning == right.beginning
    }
}

/// Keys of one object that were met. Says of most that they were not met before.
struct JSONKeyFilter {
    private var one: UInt64 = 0
    private var other: UInt64 = 0

    /// True when this key may have been noted before.
    @inline(__always)
    mutating func note(_ print: JSONKeyPrint) -> Bool {
        let hash = print.hash
        let (first, second) = (1 as UInt64 &<< (hash &>> 58), 1 as UInt64 &<< (hash &>> 52))
        let isKnown = one & first != 0 && other & second != 0
        one |= first
        other |= second
        return isKnown
    }
}
