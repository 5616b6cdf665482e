import Journaling
import NIOCore
import Wire

/// Text in a page: what is foreign is escaped twice, once so that no control or bidi character is left (trust.md T38),
/// once so that none of it is markup (T39).
package enum HTMLText {
    package static func escape(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in SafeText.show(text).unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// As `escape`, line ends kept: for `pre`.
    package static func escapeLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { escape(String($0)) }.joined(separator: "\n")
    }

    /// JSON inside a `script` element: nothing in it can end the element or begin a comment.
    package static func script(_ json: String) -> String {
        var out = ""
        out.reserveCapacity(json.utf8.count)
        for scalar in json.unicodeScalars {
            switch scalar.value {
            case 0x3c: out += "\\u003c"
            case 0x3e: out += "\\u003e"
            case 0x26: out += "\\u0026"
            case 0x2028: out += "\\u2028"
            case 0x2029: out += "\\u2029"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// What a Content-Security-Policy calls this inline text.
    static func hash(_ text: String) -> String {
        "'sha256-\(AcceptKey.base64(Digest.sha256(Array(text.utf8))))'"
    }

    /// gzip (RFC 1952) as base64, which a browser unpacks itself.
    static func packed(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
        if !bytes.isEmpty, let deflater = try? Deflater(takeover: true, level: 9),
            let body = try? deflater.deflate(ByteBuffer(bytes: bytes))
        {
            // What a sync flush leaves out, then a last block that is empty.
            out += Array(body.readableBytesView) + [0, 0, 0xff, 0xff]
        }
        out += [3, 0]
        for value in [crc(bytes), UInt32(truncatingIfNeeded: bytes.count)] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        return AcceptKey.base64(out)
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var table: [UInt32] = []
        for index in 0..<256 as Range<UInt32> {
            var value = index
            for _ in 0..<8 {
                let half = value >> 1
                value = value & 1 == 1 ? 0xedb8_8320 ^ half : half
            }
            table.append(value)
        }
        var sum = UInt32.max
        for byte in bytes {
            let index = Int((sum ^ UInt32(byte)) & 0xff)
            sum = table[index] ^ (sum >> 8)
        }
        return ~sum
    }
}
