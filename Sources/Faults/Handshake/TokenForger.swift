import Journaling
import Wire

/// Makes wrong credentials out of right ones, with characters that fit wherever the right one stood.
enum TokenForger {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// One letter or digit changed. Never the last character of a token: in base64 that one may carry unused bits only.
    static func corrupted(_ token: String, _ dice: inout Dice) -> String {
        var bytes = Array(token.utf8)
        let last = max(0, bytes.count - 1)
        var places = bytes.indices.filter { alphabet.contains(bytes[$0]) && $0 < last }
        // A signed token is spoilt in its signature, so that it still reads as one.
        if let dot = bytes.lastIndex(of: UInt8(ascii: ".")), places.contains(where: { $0 > dot }) {
            places.removeAll { $0 <= dot }
        }
        if places.isEmpty { places = Array(bytes.indices) }
        guard !places.isEmpty else { return token }
        change(&bytes[places[dice.below(places.count)]], &dice)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The same claims signed with another key or declared unsigned; an opaque token with all its characters drawn anew.
    static func forged(_ token: String, unsigned: Bool, _ dice: inout Dice) -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, JWT(token) != nil else {
            var bytes = Array(token.utf8)
            for index in bytes.indices where alphabet.contains(bytes[index]) { change(&bytes[index], &dice) }
            return String(decoding: bytes, as: UTF8.self)
        }
        if unsigned {
            let header = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
            return "\(header).\(parts[1])."
        }
        let signed = "\(parts[0]).\(parts[1])"
        let key = (0..<32).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        let signature = Base64URL.encode(Digest.hmacSHA256(Array(signed.utf8), key: key))
        return signature == parts[2] ? "\(signed).\(corrupted(signature, &dice))" : "\(signed).\(signature)"
    }

    /// The same claims, signed with the right key and past since the year 2000. Nil when that key does not sign it with
    /// HS256.
    static func expired(_ token: String, key: [UInt8]) -> String? {
        guard let jwt = JWT(token), jwt.algorithm == "HS256", jwt.isSigned(with: key), case .object(var members) = jwt.claims,
            let header = token.split(separator: ".").first
        else { return nil }
        members.removeAll { $0.key == "exp" }
        members.append(JSON.Member(key: "exp", value: .number("946684800")))
        let signed = "\(header).\(Base64URL.encode(Array(JSON.object(members).text.utf8)))"
        return "\(signed).\(Base64URL.encode(Digest.hmacSHA256(Array(signed.utf8), key: key)))"
    }

    /// Another letter or digit.
    private static func change(_ byte: inout UInt8, _ dice: inout Dice) {
        let others = alphabet.filter { $0 != byte }
        byte = others[dice.below(others.count)]
    }
}
