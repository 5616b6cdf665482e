/// What tells keys apart at a glance: how long they are, how they begin and how they end. Keys of at most 16 bytes are the
/// same when these are.
struct JSONKeyPrint: Sendable, Equatable {
    let count: Int
    /// The first eight bytes, or as many as there are, the first one lowest.
    private let beginning: UInt64
    /// The last eight bytes of more than eight.
    private let ending: UInt64

    static let none = JSONKeyPrint(count: 0, beginning: 0, ending: 0)

    private init(count: Int, beginning: UInt64, ending: UInt64) {
        self.count = count
        self.beginning = beginning
        self.ending = ending
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
        // Texts of Swift's own stand in one piece.
        let print = unsafe key.utf8.withContiguousStorageIfAvailable { key in
            let bytes = unsafe Span(_unsafeElements: key)
            return JSONKeyPrint(bytes, 0..<bytes.count)
        }
        self = print ?? JSONKeyPrint([UInt8](key.utf8).span, 0..<key.utf8.count)
    }

    /// - Parameter range: of the key itself.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        count = range.count
        if bytes.count &- range.lowerBound >= 8 {
            let word = UInt64(littleEndian: ByteScan.word(bytes, at: range.lowerBound))
            beginning = count >= 8 ? word : word & ((1 as UInt64) &<< UInt64(truncatingIfNeeded: 8 &* count) &- 1)
            ending = count > 8 ? UInt64(littleEndian: ByteScan.word(bytes, at: range.upperBound - 8)) : 0
        } else {
            beginning = Self.few(bytes.extracting(range))
            ending = 0
        }
    }

    /// Fewer than eight bytes, the first one lowest.
    private static func few(_ bytes: Span<UInt8>) -> UInt64 {
        guard bytes.count >= 4 else {
            var word: UInt64 = 0
            for index in bytes.indices { word |= UInt64(bytes[index]) << UInt64(8 * index) }
            return word
        }
        // The first four and the last four, which say the same of what is in both. A byte has no padding that could be read.
        let raw = unsafe bytes.bytes
        let first = UInt64(UInt32(littleEndian: unsafe raw.unsafeLoadUnaligned(as: UInt32.self)))
        let last = UInt64(UInt32(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)))
        return first | last &<< UInt64(truncatingIfNeeded: 8 &* (bytes.count &- 4))
    }

    /// Who has the same print has the same key.
    var isWhole: Bool { count <= 16 }

    /// The same for the same key; the upper bits are the good ones.
    @inline(__always)
    var hash: UInt64 {
        // An odd number whose bits look like dice (2^64 divided by the golden ratio).
        let mixed = (beginning ^ ending &<< 5 ^ UInt64(truncatingIfNeeded: count)) &* 0x9e37_79b9_7f4a_7c15
        return mixed ^ mixed &<< 24
    }

    /// Where to look for it first.
    /// - Parameter size: a power of two, below 2^24.
    @inline(__always)
    func place(in size: Int) -> Int { Int(truncatingIfNeeded: hash &>> 40) & (size &- 1) }

    @inline(__always)
    static func == (left: JSONKeyPrint, right: JSONKeyPrint) -> Bool {
        left.beginning == right.beginning && left.count == right.count && left.ending == right.ending
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
