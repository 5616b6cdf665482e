package import NIOCore
package import Wire

/// A credential of a head or message, and for whom it may speak.
package struct Claim: Sendable, Hashable {
    package var credential: FoundSecret?
    package var users: [String]
    package init(credential: FoundSecret?, users: [String]) {
        self.credential = credential
        self.users = users
    }

    /// It says the same, wherever in the head it stands.
    func isSame(as other: Claim) -> Bool {
        credential?.value == other.credential?.value && credential?.place == other.credential?.place && users == other.users
    }
}

/// A head without its secrets, and what the secrets told.
package struct RedactedHead: Sendable {
    package var bytes: ByteBuffer
    /// Its credentials in the finder's order, and whom each names; one without a credential when there is none. Empty
    /// in an answer.
    package var claims: [Claim]
    /// All credentials, as they stand and decoded, to be recognised where the other side repeats them.
    package var secrets: [[UInt8]]
}

extension Redactor {
    /// Shorter ones stand in ordinary text by chance.
    package static let leastRepeated = 12

    /// - Parameters:
    ///   - known: secrets of this session that stood elsewhere before.
    ///   - others: credentials of all sessions, in whichever form.
    ///   - hidden: see `HiddenTexts`.
    package mutating func redact(
        head: ByteBuffer, _ direction: Direction, finder: any SecretFinder, known: [[UInt8]] = [],
        others: SecretIndex = SecretIndex(), hidden: [[UInt8]] = []
    ) -> RedactedHead {
        let view = HeadView(head)
        let isRequest = direction == .toServer
        let found = isRequest ? finder.secrets(inRequest: view) : finder.secrets(inResponse: view)
        let usual = isRequest
            ? StandardSecrets().secrets(inRequest: view) : StandardSecrets().secrets(inResponse: view)
        let secrets = Self.repeatable(found + usual, in: view)
        let spans = (found + usual).map { Span(range: $0.range, secret: Array($0.value.utf8)) }
            + Self.occurrences(of: known + secrets, in: view.bytes) + others.spans(in: view.bytes)
            + HiddenTexts.spans(of: hidden, in: view.bytes)
        let replaced = redact(view.bytes, spans)
        return RedactedHead(
            bytes: replaced.map { ByteBuffer(bytes: $0.bytes) } ?? head,
            claims: isRequest ? Self.claims(of: found, in: view, finder) : [],
            secrets: secrets)
    }

    private static func claims(of found: [FoundSecret], in view: HeadView, _ finder: any SecretFinder) -> [Claim] {
        let credentials = found.filter(\.isCredential)
        guard !credentials.isEmpty else { return [Claim(credential: nil, users: finder.users(inRequest: view, credential: nil))] }
        return credentials.map { Claim(credential: $0, users: finder.users(inRequest: view, credential: $0)) }
    }

    /// A server may send back what a request said, decoded or as it stood.
    private static func repeatable(_ found: [FoundSecret], in view: HeadView) -> [[UInt8]] {
        var secrets: [[UInt8]] = []
        for secret in found where secret.isCredential {
            for form in [Array(secret.value.utf8), Array(view.bytes[secret.range.clamped(to: view.bytes.indices)])]
            where form.count >= leastRepeated && !secrets.contains(form) { secrets.append(form) }
        }
        return secrets
    }

    /// Bytes that no parser took, and that may be cut off: everything that a head would hide, and a token whose end is
    /// missing.
    package mutating func redact(
        loose bytes: ByteBuffer, _ direction: Direction, known: [[UInt8]] = [], others: SecretIndex = SecretIndex(),
        hidden: [[UInt8]] = []
    ) -> ByteBuffer {
        let view = HeadView(bytes)
        let usual = Self.usual(in: view) + Self.usualInFirstLine(of: view.bytes)
        var spans = usual.map { Span(range: $0.range, secret: Array($0.value.utf8)) }
            + Self.occurrences(of: known + Self.repeatable(usual, in: view), in: view.bytes)
            + others.spans(in: view.bytes) + HiddenTexts.spans(of: hidden, in: view.bytes)
        if let start = JWTShape.cutToken(in: view.bytes) {
            spans.append(Span(range: start..<view.bytes.count, secret: Array(view.bytes[start...])))
        }
        return redact(view.bytes, spans).map { ByteBuffer(bytes: $0.bytes) } ?? bytes
    }

    private static func usual(in view: HeadView) -> [FoundSecret] {
        StandardSecrets().secrets(inRequest: view) + StandardSecrets().secrets(inResponse: view)
    }

    /// Bytes may begin in the middle of a head: then the first line is a field like the others.
    private static func usualInFirstLine(of bytes: [UInt8]) -> [FoundSecret] {
        let line = bytes.prefix { $0 != 0x0a }
        return usual(in: HeadView([0x0a] + line)).map { secret in
            var secret = secret
            secret.range = (secret.range.lowerBound - 1)..<(secret.range.upperBound - 1)
            return secret
        }
    }
}
