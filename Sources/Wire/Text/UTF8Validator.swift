package import struct NIOCore.ByteBuffer

/// UTF-8 as RFC 3629 defines it, checked as the bytes come: no overlong forms, no surrogates, nothing above U+10FFFF.
package struct UTF8Validator: Sendable, Hashable {
    /// Continuation bytes still owed by the character begun.
    private var owed: UInt8 = 0
    /// Bounds of the next continuation byte; narrower behind E0, ED, F0 and F4.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xbf
    /// False for good once a byte was refused.
    package private(set) var isValid = true

    package init() {}

    /// No character is half read, and none was wrong: the text may end here.
    package var isComplete: Bool { owed == 0 && isValid }

    /// False when this byte, or one before it, can be part of no UTF-8 text.
    package mutating func take(_ byte: UInt8) -> Bool {
        guard isValid else { return false }
        if owed > 0 {
            guard byte >= low, byte <= high else {
                isValid = false
                return false
            }
            owed -= 1
            (low, high) = (0x80, 0xbf)
            return true
        }
        switch byte {
        case 0x00...0x7f: break
        case 0xc2...0xdf: owed = 1
        case 0xe0: (owed, low) = (2, 0xa0)
        case 0xed: (owed, high) = (2, 0x9f)
        case 0xe1...0xef: owed = 2
        case 0xf0: (owed, low) = (3, 0x90)
        case 0xf1...0xf3: owed = 3
        case 0xf4: (owed, high) = (3, 0x8f)
        default: isValid = false
        }
        return isValid
    }

    /// Takes the readable bytes; the offset of the first refused byte, nil when all may stand.
    package mutating func feed(_ buffer: ByteBuffer) -> Int? {
        guard isValid else { return 0 }
        let bytes = buffer.readableBytesSpan
        // Most text is nothing but ASCII.
        if owed == 0, ByteScan.isASCII(bytes) { return nil }
        var index = 0
        while index < bytes.byteCount {
            if owed == 0 {
                // Eight ASCII bytes at a time.
                while index <= bytes.byteCount - 8 {
                    let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                    if word & 0x8080_8080_8080_8080 != 0 { break }
                    index += 8
                }
                if index == bytes.byteCount { return nil }
            }
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if !take(byte) { return index }
            index += 1
        }
        return nil
    }

    /// Whether the whole of it is UTF-8.
    package static func isValid(_ buffer: ByteBuffer) -> Bool {
        var check = UTF8Validator()
        return check.feed(buffer) == nil && check.isComplete
    }
}
