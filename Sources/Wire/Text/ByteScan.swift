/// Looks through bytes eight at a time.
package enum ByteScan {
    @inlinable static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inlinable static var tops: UInt64 { 0x8080_8080_8080_8080 }

    /// Where the byte stands first, at `offset` or behind it.
    package static func first(_ wanted: UInt8, in bytes: RawSpan, from offset: Int) -> Int? {
        let pattern = ones &* UInt64(wanted)
        var index = offset
        // Four words in one look where nothing is to be found.
        let patterns = SIMD4<UInt64>(repeating: pattern)
        while index <= bytes.byteCount &- 32 {
            let words = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self) ^ patterns
            let found = (words &- SIMD4(repeating: ones)) & ~words & SIMD4(repeating: tops)
            if found[0] | found[1] | found[2] | found[3] != 0 { break }
            index &+= 32
        }
        while index <= bytes.byteCount - 8 {
            let word = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = zeros(word ^ pattern)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.byteCount {
            if unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == wanted { return index }
            index += 1
        }
        return nil
    }

    package static func first(_ wanted: UInt8, in bytes: Span<UInt8>, from offset: Int) -> Int? {
        // A byte has no padding that could be read.
        first(wanted, in: unsafe bytes.bytes, from: offset)
    }

    /// What stands somewhere in some bytes.
    package struct Look: Equatable {
        package var holdsOne = false
        package var holdsOthers = false
        /// Of any 31 bytes on end one is below the bound.
        package var isParted = true
    }

    /// Whether the one stands somewhere, whether any of the two others does, and whether small bytes part the rest.
    package static func look(for one: UInt8, _ two: UInt8, _ three: UInt8, below bound: UInt8, in bytes: Span<UInt8>) -> Look {
        let raw = unsafe bytes.bytes
        guard raw.byteCount >= 32 else { return shortLook(for: one, two, three, below: bound, in: bytes) }
        let all = SIMD4(repeating: ones)
        let (first, second, third) = (all &* UInt64(one), all &* UInt64(two), all &* UInt64(three))
        // A byte is below it when what is left of it borrows: told right for the lowest such byte, and for bounds up to 128.
        let limit = all &* UInt64(min(bound, 128))
        var found = SIMD4<UInt64>()
        var others = SIMD4<UInt64>()
        var isParted = true
        var index = 0
        // The last look begins where it still has its length.
        let last = raw.byteCount &- 32
        while true {
            let words = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            let (one, two, three) = (words ^ first, words ^ second, words ^ third)
            found |= (one &- all) & ~one
            others |= (two &- all) & ~two | (three &- all) & ~three
            let small = (words &- limit) & ~words
            // No 16 bytes without one: a stretch between two is shorter than twice that.
            if (small[0] | small[1]) & tops == 0 || (small[2] | small[3]) & tops == 0 { isParted = false }
            if index == last { break }
            index = min(index &+ 32, last)
        }
        return Look(
            holdsOne: (found[0] | found[1] | found[2] | found[3]) & tops != 0,
            holdsOthers: (others[0] | others[1] | others[2] | others[3]) & tops != 0, isParted: isParted)
    }

    private static func shortLook(for one: UInt8, _ two: UInt8, _ three: UInt8, below bound: UInt8, in bytes: Span<UInt8>) -> Look {
        var look = Look()
        look.isParted = bytes.count < 31
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == one { look.holdsOne = true }
            if byte == two || byte == three { look.holdsOthers = true }
            if byte < bound { look.isParted = true }
        }
        return look
    }

    /// Where one of the two stands first, at `offset` or behind it.
    package static func first(_ wanted: UInt8, or other: UInt8, in bytes: Span<UInt8>, from offset: Int) -> Int? {
        let raw = unsafe bytes.bytes
        let (one, two) = (ones &* UInt64(wanted), ones &* UInt64(other))
        var index = offset
        while index <= raw.byteCount - 8 {
            let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            // What is borrowed only ever makes a byte above the first one look wanted.
            let found = zeros(word ^ one) | zeros(word ^ two)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < raw.byteCount {
            let byte = unsafe raw.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte == wanted || byte == other { return index }
            index += 1
        }
        return nil
    }

    /// Where the first byte stands, at `offset` or behind it, that is no plain part of a JSON string (RFC 8259 section 7): a
    /// control character, a quote, a backslash, or anything beyond ASCII. The end when there is none.
    package static func endOfPlainText(in bytes: Span<UInt8>, from offset: Int) -> Int {
        let raw = unsafe bytes.bytes
        var index = offset
        while index <= raw.byteCount - 8 {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if let plain = endOfPlainText(in: word) { return index + plain }
            index += 8
        }
        while index < raw.byteCount {
            let byte = unsafe raw.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5c { return index }
            index += 1
        }
        return index
    }

    /// How many of the eight bytes stand before the first that is no plain part of a JSON string, nil when all are.
    @inlinable @inline(__always)
    package static func endOfPlainText(in word: UInt64) -> Int? {
        let word = UInt64(littleEndian: word)
        let controls = (word &- ones &* 0x20) & ~word
        let marks = zeros(word ^ (ones &* 0x22)) | zeros(word ^ (ones &* 0x5c))
        let found = (controls | marks | word) & tops
        // What is borrowed only ever makes a byte above the first one look wanted.
        return found == 0 ? nil : found.trailingZeroBitCount / 8
    }

    /// Eight bytes as they stand in memory; all of them must be there.
    @inlinable @inline(__always)
    package static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        precondition(offset >= 0 && bytes.count - offset >= 8)
        // A byte has no padding that could be read.
        return unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// How many of the eight bytes stand before the first such one, nil when it is not among them.
    @inlinable @inline(__always)
    package static func first(_ wanted: UInt8, in word: UInt64) -> Int? {
        let found = zeros(UInt64(littleEndian: word) ^ (ones &* UInt64(wanted)))
        return found == 0 ? nil : found.trailingZeroBitCount / 8
    }

    /// The top bit of some byte is set when, and only when, one of the eight is zero.
    @inlinable @inline(__always)
    static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & tops }
}
