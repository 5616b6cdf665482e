import Journaling
import Plans

/// Bad forms of a credential that was given to us and that we cannot mint ourselves.
enum GivenCredential {
    /// Nil when such a one cannot be made: only who signs a credential can date it back.
    static func text(_ given: String, _ variant: CredentialPlan.Variant) -> String? {
        switch variant {
        case .intact: given
        case .expired, .brief: nil
        case .corrupt: String(given.dropLast(min(6, (given.count + 1) / 2)))
        case .forged: forged(given)
        }
    }

    private static let wrongKey = Array("a-key-of-somebody-else".utf8)

    /// A token keeps its claims and its signature's length; anything else keeps its form.
    private static func forged(_ given: String) -> String {
        guard let token = JWT(given), let dot = given.utf8.lastIndex(of: UInt8(ascii: ".")) else {
            return turned(given)
        }
        let signed = Array(given.utf8[..<dot])
        var signature = Digest.hmacSHA256(signed, key: wrongKey)
        // At least one whole block: a token without a signature (`alg: none`) gets a wrong one.
        while signature.count < min(token.signature.count, 1024) {
            signature += Digest.hmacSHA256(signature, key: wrongKey)
        }
        let length = token.signature.isEmpty ? signature.count : token.signature.count
        return String(given[...dot]) + Base64URL.encode(Array(signature.prefix(length)))
    }

    /// Each letter and digit of the second half is the next of its kind.
    private static func turned(_ given: String) -> String {
        let bytes = Array(given.utf8)
        var turned = bytes
        for index in bytes.indices.dropFirst(bytes.count / 2) {
            switch bytes[index] {
            case UInt8(ascii: "z"): turned[index] = UInt8(ascii: "a")
            case UInt8(ascii: "Z"): turned[index] = UInt8(ascii: "A")
            case UInt8(ascii: "9"): turned[index] = UInt8(ascii: "0")
            case UInt8(ascii: "a")..<UInt8(ascii: "z"), UInt8(ascii: "A")..<UInt8(ascii: "Z"),
                UInt8(ascii: "0")..<UInt8(ascii: "9"):
                turned[index] = bytes[index] + 1
            default: break
            }
        }
        return turned == bytes ? given + "x" : String(decoding: turned, as: UTF8.self)
    }
}
