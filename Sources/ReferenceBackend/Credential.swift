import Journaling
import Wire

/// The token an upgrade brings, taken from the first place that has one: header, query, cookie, subprotocol.
struct Credential: Sendable {
    /// Empty when the place is there and holds no token.
    var token: String

    /// A subprotocol that carries a token begins so.
    static let subprotocolPrefix = "token."

    static func find(in head: RequestHead) -> Credential? {
        if let value = head.value("authorization") {
            let words = value.split(separator: " ", maxSplits: 1)
            guard words.count == 2, ASCII.equal(String(words[0]), "bearer") else { return Credential(token: "") }
            return Credential(token: String(words[1]))
        }
        let places = head.queryItems("token") + head.cookies("token")
        if let token = places.map(\.value).first(where: { !$0.isEmpty }) { return Credential(token: token) }
        return head.subprotocols.map(\.value).first(where: isToken)
            .map { Credential(token: String($0.dropFirst(subprotocolPrefix.count))) }
    }

    static func isToken(_ subprotocol: String) -> Bool { subprotocol.hasPrefix(subprotocolPrefix) }
}

/// Whom a token speaks for.
struct Principal: Sendable {
    var user: String
    /// Seconds since 1970; nil = never.
    var expires: Int64?

    /// Nil when the token is no JWT, is not signed with the key, is past or not yet valid, or names nobody.
    /// - Parameter now: seconds since 1970.
    init?(token: String, key: String, now: Int64) {
        guard JWT.state(of: token, key: Array(key.utf8), now: now) == .intact, let jwt = JWT(token),
            let subject = jwt.subject, !subject.isEmpty
        else { return nil }
        if let start = jwt.claims["nbf"]?.double, start > Double(now) { return nil }
        user = subject
        expires = jwt.expires
    }

    /// Whom a token names, valid or not; for marks alone.
    static func claimed(in token: String) -> String? { JWT(token)?.subject }
}
