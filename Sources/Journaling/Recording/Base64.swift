package import NIOCore

/// base64 with padding (RFC 4648 section 4), for payloads that are no text.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func write(_ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
        let view = bytes.readableBytesView
        var quad: [UInt8] = []
        quad.reserveCapacity((view.count + 2) / 3 * 4)
        var index = view.startIndex
        while view.endIndex - index >= 3 {
            append(view[index], view[index + 1], view[index + 2], to: &quad)
            index += 3
        }
        switch view.endIndex - index {
        case 1:
            append(view[index], 0, 0, to: &quad)
            quad.replaceSubrange(quad.count - 2..<quad.count, with: [0x3d, 0x3d])
        case 2:
            append(view[index], view[index + 1], 0, to: &quad)
            quad.replaceSubrange(quad.count - 1..<quad.count, with: [0x3d])
        default: break
        }
        buffer.writeBytes(quad)
    }

    /// Nil when it is not exactly what `write` makes.
    package static func decode(_ text: String) -> ByteBuffer? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.suffix(2).count { $0 == 0x3d }
        var out = ByteBuffer()
        out.reserveCapacity(characters.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for character in characters.dropLast(padding) {
            guard let value = value(of: character) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                out.writeInteger(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & ((1 << UInt32(count)) - 1) == 0 ? out : nil
    }

    private static func append(_ a: UInt8, _ b: UInt8, _ c: UInt8, to quad: inout [UInt8]) {
        quad.append(alphabet[Int(a >> 2)])
        quad.append(alphabet[Int((a & 3) << 4 | b >> 4)])
        quad.append(alphabet[Int((b & 15) << 2 | c >> 6)])
        quad.append(alphabet[Int(c & 63)])
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
