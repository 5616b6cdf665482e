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

    /// Whether all bytes are below 128. Of fewer than eight it is not told.
    static func isASCII(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= 8 else { return false }
        var index = 0
        while index <= bytes.byteCount &- 32 {
            let words = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            if (words[0] | words[1] | words[2] | words[3]) & tops != 0 { return false }
            index &+= 32
        }
        while index <= bytes.byteCount &- 8 {
            if unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) & tops != 0 { return false }
            index &+= 8
        }
        // The last eight hold what is left.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: bytes.byteCount &- 8, as: UInt64.self) & tops == 0
    }

    /// What stands somewhere in some bytes.
    package struct Look: Equatable {
        package var holdsOne = false
        package var holdsOthers = false
        /// Of any 40 bytes on end one is below the bound, and of no 32 where it is false.
        package var isParted = true
    }

    /// Whether the one stands somewhere, whether any of the two others does, and whether small bytes part the rest.
    /// - Parameter bound: up to 128.
    package static func look(for one: UInt8, _ two: UInt8, _ three: UInt8, below bound: UInt8, in bytes: Span<UInt8>) -> Look {
        let raw = unsafe bytes.bytes
        guard raw.byteCount >= 8 else { return shortLook(for: one, two, three, in: bytes) }
        let (first, second, third) = (ones &* UInt64(one), ones &* UInt64(two), ones &* UInt64(three))
        // What is left of a byte below it borrows: the lowest such byte is told right, and so is whether there is one.
        let limit = ones &* UInt64(min(bound, 128))
        let all = SIMD4(repeating: ones)
        let (firsts, seconds, thirds) = (SIMD4(repeating: first), SIMD4(repeating: second), SIMD4(repeating: third))
        let limits = SIMD4(repeating: limit)
        var found = SIMD4<UInt64>()
        var others = SIMD4<UInt64>()
        var parting = Parting()
        var index = 0
        while index <= raw.byteCount &- 32 {
            let words = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            let (one, two, three) = (words ^ firsts, words ^ seconds, words ^ thirds)
            found |= (one &- all) & ~one
            others |= (two &- all) & ~two | (three &- all) & ~three
            let small = (words &- limits) & ~words
            parting.note(small[0], small[1], small[2], small[3])
            index &+= 32
        }
        var (hasOne, hasOther) = (found[0] | found[1] | found[2] | found[3], others[0] | others[1] | others[2] | others[3])
        while index <= raw.byteCount &- 8 {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            hasOne |= zeros(word ^ first)
            hasOther |= zeros(word ^ second) | zeros(word ^ third)
            parting.note((word &- limit) & ~word)
            index &+= 8
        }
        // What is left ends the last eight; it is too short to be a word of a stretch.
        let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: raw.byteCount &- 8, as: UInt64.self)
        hasOne |= zeros(word ^ first)
        hasOther |= zeros(word ^ second) | zeros(word ^ third)
        return Look(holdsOne: hasOne & tops != 0, holdsOthers: hasOther & tops != 0, isParted: parting.most < 4)
    }

    /// Words on end without a small byte: 40 bytes without one hold four.
    private struct Parting {
        private var count = 0
        private(set) var most = 0

        @inline(__always)
        mutating func note(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
            // One in either half, as nearly always: no four words on end end here.
            if (first | second) & ByteScan.tops != 0, (third | fourth) & ByteScan.tops != 0, count < 2 {
                count = fourth & ByteScan.tops == 0 ? 1 : 0
                return
            }
            note(first)
            note(second)
            note(third)
            note(fourth)
        }

        mutating func note(_ small: UInt64) {
            count = small & ByteScan.tops == 0 ? count &+ 1 : 0
            most = max(most, count)
        }
    }

    private static func shortLook(for one: UInt8, _ two: UInt8, _ three: UInt8, in bytes: Span<UInt8>) -> Look {
        var look = Look()
        for index in bytes.indices {
            if bytes[index] == one { look.holdsOne = true }
            if bytes[index] == two || bytes[index] == three { look.holdsOthers = true }
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
