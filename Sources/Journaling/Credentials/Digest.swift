import struct Crypto.HMAC
import struct Crypto.SHA256
import struct Crypto.SymmetricKey

/// Hashes that stand in files and reports.
package enum Digest {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
    /// Lower-case hex, cut to `digits`.
    package static func sha256Hex(_ text: String, digits: Int = 64) -> String {
        String(hex(sha256(Array(text.utf8))).prefix(digits))
    }
    package static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }
    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
