package import NIOCore
package import Wire

/// One message as the backend itself took or sent it: the ground truth for whatever reads a capture of it.
package struct BackendMessage: Sendable, Hashable {
    /// `ws_alice_3_9f86d081`
    package var connection: String
    /// Empty until the connection has authenticated.
    package var user: String
    package var direction: Direction
    /// A message is whole: fragments are joined.
    package var opcode: Opcode
    package var payload: ByteBuffer

    /// One NDJSON line without its line feed, as `miswire export --format ndjson` writes one: what is no UTF-8 stands as
    /// base64 in `data64`.
    package var line: String {
        let text = String(validating: payload.readableBytesView, as: UTF8.self)
        let bytes = Array(payload.readableBytesView)
        return JSON.object([
            .init(key: "connection", value: .string(connection)), .init(key: "user", value: .string(user)),
            .init(key: "direction", value: .string(direction.rawValue)),
            .init(key: "opcode", value: .number("\(opcode.rawValue)")),
            .init(key: text == nil ? "data64" : "data", value: .string(text ?? AcceptKey.base64(bytes))),
        ]).text
    }
}
