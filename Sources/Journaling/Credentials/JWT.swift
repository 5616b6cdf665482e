import struct Crypto.HMAC
import struct Crypto.SHA256
import struct Crypto.SHA384
import struct Crypto.SHA512
import struct Crypto.SymmetricKey
import NIOCore
package import Wire

/// A JSON Web Token in its compact form (RFC 7519, RFC 7515): three base64url parts. Parsing does not check the signature.
package struct JWT: Sendable, Hashable {
    /// The token's text, whole.
    package let text: String
    package let header: JSON
    package let claims: JSON
    package let signature: [UInt8]

    /// Takes exactly one token. Nil when it has not three parts, or the first two are not base64url of JSON objects, or
    /// the third is not base64url.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x2e, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]),
            let header = JWT.object(parts[0]), let claims = JWT.object(parts[1])
        else { return nil }
        self.text = text
        self.header = header
        self.claims = claims
        self.signature = signature
    }

    /// The first token anywhere in a text, such as `Bearer eyJ…`.
    package static func first(in text: String) -> JWT? {
        let bytes = Array(text.utf8)
        for range in JWTShape.ranges(in: bytes) {
            if let jwt = JWT(String(decoding: bytes[range], as: UTF8.self)) { return jwt }
        }
        return nil
    }

    /// Signs claims: header `{"alg":"HS256","typ":"JWT"}`.
    /// - Parameter algorithm: HS256, HS384 or HS512.
    package static func sign(_ claims: JSON, key: [UInt8], algorithm: String = "HS256") -> String {
        let header = Base64URL.encode(Array(#"{"alg":"\#(algorithm)","typ":"JWT"}"#.utf8))
        let signed = header + "." + Base64URL.encode(Array(claims.text.utf8))
        let (bytes, key) = (Array(signed.utf8), SymmetricKey(data: key))
        let signature =
            switch algorithm {
            case "HS384": Array(HMAC<SHA384>.authenticationCode(for: bytes, using: key))
            case "HS512": Array(HMAC<SHA512>.authenticationCode(for: bytes, using: key))
            default: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
            }
        return signed + "." + Base64URL.encode(signature)
    }

    /// `alg` of the header.
    package var algorithm: String? { if case .string(let name) = header["alg"] { name } else { nil } }
    /// `exp` in seconds since 1970; a fraction is dropped (RFC 7519 section 2, NumericDate).
    package var expires: Int64? { seconds("exp") }
    package var subject: String? { if case .string(let name) = claims["sub"] { name } else { nil } }

    /// True when the signature is right under this key, in constant time. False for algorithms other than HS256, HS384
    /// and HS512: a shared key cannot vouch for them, least of all for `none`.
    package func isSigned(with key: [UInt8]) -> Bool {
        guard let dot = text.utf8.lastIndex(of: 0x2e) else { return false }
        let signed = Array(text.utf8[..<dot])
        let key = SymmetricKey(data: key)
        return switch algorithm {
        case "HS256": HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signed, using: key)
        case "HS384": HMAC<SHA384>.isValidAuthenticationCode(signature, authenticating: signed, using: key)
        case "HS512": HMAC<SHA512>.isValidAuthenticationCode(signature, authenticating: signed, using: key)
        default: false
        }
    }

    /// What a server that knows `key` would find (contract.md, Semantics 17). Without a key only expiry can be told.
    /// - Parameter now: seconds since 1970. A token is past from its `exp` on, but a server may allow for clocks that
    ///   differ by a few minutes (RFC 7519 section 4.1.4): until then nobody can say what it finds.
    package static func state(of token: String, key: [UInt8]?, now: Int64) -> Facts.State {
        guard let jwt = JWT(token) else { return .corrupt }
        if let key, !jwt.isSigned(with: key) { return jwt.isAsymmetric ? .unknown : .forged }
        if let expires = jwt.expires, expires <= now {
            let (age, overflow) = now.subtractingReportingOverflow(expires)
            return overflow || age > leeway ? .expired : .unknown
        }
        return key == nil ? .unknown : .intact
    }

    /// Seconds by which the clocks of issuer and server may differ.
    static let leeway: Int64 = 300

    /// Signed with a key that nobody shares, so that ours says nothing about it (RFC 7518 section 3.1).
    private var isAsymmetric: Bool {
        ["RS", "ES", "PS", "Ed"].contains { algorithm?.hasPrefix($0) ?? false }
    }

    private func seconds(_ name: String) -> Int64? {
        guard case .number(let text) = claims[name] else { return nil }
        if let whole = Int64(text) { return whole }
        guard let value = Double(text), value.isFinite else { return nil }
        return Int64(exactly: value.rounded(.down)) ?? (value < 0 ? .min : .max)
    }

    private static func object(_ part: Substring.UTF8View) -> JSON? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        guard let value = try? JSON.parse(ByteBuffer(bytes: bytes)), case .object = value else { return nil }
        return value
    }
}
