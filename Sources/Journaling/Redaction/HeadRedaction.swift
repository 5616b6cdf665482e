package import NIOCore
package import Wire

/// A head without its secrets, and what the secrets told.
package struct RedactedHead: Sendable {
    package var bytes: ByteBuffer
    /// The first credential by the finder's order.
    package var credential: FoundSecret?
    package var user: String?
    /// Values of all credentials, to be recognised when a message repeats them.
    package var secrets: [[UInt8]]
}

extension Redactor {
    /// Shorter ones stand in ordinary text by chance.
    package static let leastRepeated = 12

    package mutating func redact(
        head: ByteBuffer, _ direction: Direction, finder: any SecretFinder
    ) -> RedactedHead {
        let view = HeadView(head)
        let isRequest = direction == .toServer
        let found = isRequest ? finder.secrets(inRequest: view) : finder.secrets(inResponse: view)
        let usual = isRequest
            ? StandardSecrets().secrets(inRequest: view) : StandardSecrets().secrets(inResponse: view)
        let spans = (found + usual).map { Span(range: $0.range, secret: Array($0.value.utf8)) }
        let credential = found.first { $0.isCredential }
        let replaced = redact(view.bytes, spans)
        return RedactedHead(
            bytes: replaced.map { ByteBuffer(bytes: $0.bytes) } ?? head,
            credential: credential, user: isRequest ? finder.user(inRequest: view, credential: credential) : nil,
            secrets: (found + usual).filter { $0.isCredential && $0.value.utf8.count >= Self.leastRepeated }
                .map { Array($0.value.utf8) })
    }

    /// Bytes that no parser took, and that may be cut off: everything that a head would hide, and a token whose end is
    /// missing.
    package mutating func redact(loose bytes: ByteBuffer, _ direction: Direction) -> ByteBuffer {
        let view = HeadView(bytes)
        let usual = StandardSecrets().secrets(inRequest: view) + StandardSecrets().secrets(inResponse: view)
        var spans = usual.map { Span(range: $0.range, secret: Array($0.value.utf8)) }
        if let start = JWTShape.cutToken(in: view.bytes) {
            spans.append(Span(range: start..<view.bytes.count, secret: Array(view.bytes[start...])))
        }
        return redact(view.bytes, spans).map { ByteBuffer(bytes: $0.bytes) } ?? bytes
    }
}
