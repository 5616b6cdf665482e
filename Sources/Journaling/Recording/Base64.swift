package import NIOCore

/// base64 with padding (RFC 4648 section 4), for payloads that are no text.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func write(_ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
        var text: [UInt8] = []
        append(Array(bytes.readableBytesView), to: &text)
        buffer.writeBytes(text)
    }

    static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        let alphabet = self.alphabet
        let digits = alphabet.span
        let span = bytes.span
        text.reserveCapacity(text.count + (span.count + 2) / 3 * 4 + 8)
        var index = 0
        while index < span.count {
            let rest = span.count - index
            let second = rest > 1 ? span[index + 1] : 0
            let third = rest > 2 ? span[index + 2] : 0
            text.append(digits[Int(span[index] >> 2)])
            text.append(digits[Int((span[index] & 3) << 4 | second >> 4)])
            text.append(rest > 1 ? digits[Int((second & 15) << 2 | third >> 6)] : 0x3d)
            text.append(rest > 2 ? digits[Int(third & 63)] : 0x3d)
            index += 3
        }
    }

    /// Nil when it is not exactly what `write` makes.
    package static func decode(_ text: String) -> ByteBuffer? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.suffix(2).count { $0 == 0x3d }
        var out: [UInt8] = []
        out.reserveCapacity(characters.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for character in characters.dropLast(padding) {
            guard let value = value(of: character) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & ((1 << UInt32(count)) - 1) == 0 ? ByteBuffer(bytes: out) : nil
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5a: character - 0x41
        case 0x61...0x7a: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case 0x2b: 62
        case 0x2f: 63
        default: nil
        }
    }
}
