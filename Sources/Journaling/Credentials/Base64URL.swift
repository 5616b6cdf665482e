/// base64url without padding (RFC 4648 section 5), as JWTs use it.
package enum Base64URL {
    package static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 4 / 3 + 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> UInt32(count) & 0x3f)])
            }
        }
        if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count) & 0x3f)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil when a character is no base64url or the length is impossible. Unused low bits must be 0, so that every value
    /// has one text only.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var length = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xffff
            count += 6
            length += 1
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard length % 4 != 1, bits & ((1 << UInt32(count)) - 1) == 0 else { return nil }
        return out
    }

    package static func decode(_ text: String) -> [UInt8]? { decode(text.utf8) }

    /// The 6 bits of one character.
    package static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5a: character - 0x41
        case 0x61...0x7a: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case 0x2d: 62
        case 0x5f: 63
        default: nil
        }
    }
}
