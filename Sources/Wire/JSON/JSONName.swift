/// The name of a member as numbers, so that asking whether it is the one that stands there costs a comparison or two.
package struct JSONName: Sendable, Equatable, ExpressibleByStringLiteral, CustomStringConvertible {
    @inlinable static var longest: Int { 24 }
    @usableFromInline package internal(set) var count = 0
    /// The first eight bytes, those behind them and the rest, the first one lowest; 0 where there are no more.
    @usableFromInline var head: UInt64 = 0
    @usableFromInline var middle: UInt64 = 0
    @usableFromInline var tail: UInt64 = 0

    /// A name of ours, of at most 24 bytes.
    @inlinable @inline(__always)
    package init(stringLiteral text: StaticString) {
        precondition(text.utf8CodeUnitCount <= Self.longest, "a name of ours is too long")
        for index in 0..<text.utf8CodeUnitCount { unsafe append(text.utf8Start[index]) }
    }

    /// Nil for a text of more than 24 bytes.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        for byte in text.utf8 { append(byte) }
    }

    /// What stands there before the next quote; nil when that is more than 24 bytes away.
    package init?(_ bytes: Span<UInt8>, from start: Int) {
        if bytes.count - start >= 8 {
            let word = ByteScan.word(bytes, at: start)
            if let length = ByteScan.first(UInt8(ascii: "\""), in: word) {
                count = length
                head = UInt64(littleEndian: word) & (1 << UInt64(8 * length) - 1)
                return
            }
        }
        guard readLong(bytes, from: start) else { return nil }
    }

    private mutating func readLong(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        for index in start..<bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { return true }
            if count == Self.longest { return false }
            append(bytes[index])
        }
        return false
    }

    @inlinable @inline(__always)
    mutating func append(_ byte: UInt8) {
        let shifted = UInt64(byte) << UInt64(8 * (count % 8))
        switch count / 8 {
        case 0: head |= shifted
        case 1: middle |= shifted
        default: tail |= shifted
        }
        count += 1
    }

    @inlinable @inline(__always)
    package static func == (left: JSONName, right: JSONName) -> Bool {
        left.head == right.head && left.count == right.count && left.middle == right.middle && left.tail == right.tail
    }

    package var description: String {
        let bytes = [head, middle, tail].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
