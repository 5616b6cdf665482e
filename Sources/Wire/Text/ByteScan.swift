/// Looks through bytes eight at a time.
package enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// How many bytes from `offset` on a JSON string holds as they are: 20 to 7E without quote and backslash.
    package static func plainRun(_ bytes: RawSpan, from offset: Int) -> Int {
        var index = offset
        while index <= bytes.byteCount - 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let controls = (word &- ones &* 0x20) & ~word
            let odd = controls | zeros(word ^ ones &* 0x22) | zeros(word ^ ones &* 0x5c) | zeros(word ^ ones &* 0x7f)
            if (word | odd) & tops != 0 { break }
            index += 8
        }
        while index < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            guard byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c else { break }
            index += 1
        }
        return index - offset
    }

    /// Where the byte stands first, at `offset` or behind it.
    package static func first(_ wanted: UInt8, in bytes: RawSpan, from offset: Int) -> Int? {
        let pattern = ones &* UInt64(wanted)
        var index = offset
        while index <= bytes.byteCount - 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if zeros(word ^ pattern) & tops != 0 { break }
            index += 8
        }
        while index < bytes.byteCount {
            if unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == wanted { return index }
            index += 1
        }
        return nil
    }

    /// The top bit of some byte is set when, and only when, one of the eight is zero.
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & tops }
}
