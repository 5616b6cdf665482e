package import Journaling
package import NIOCore
package import Wire

/// For sources that know messages and not bytes (HAR, flow dumps, NDJSON): writes the heads and frames that would have
/// carried them, so that one way leads to entries. The key is fixed and its answer valid, deflate is not negotiated, a
/// message is one frame, a client's is masked with 00000000. One value for one connection.
package struct MessageScribe {
    package let connection: Connection
    private let sink: any ConnectionSink

    /// Opens the connection.
    package init(_ sink: any ConnectionSink, _ connection: Connection, at time: WallTime) throws(ImportError) {
        self.sink = sink
        self.connection = connection
        try sink.opened(connection, at: time)
    }

    /// Writes the upgrade and the server's answer to it, unless `status` is nil: then the server never answered. Fields
    /// that make an upgrade (Connection, Upgrade, Sec-WebSocket-Key, -Version, -Accept, -Extensions) are ours, whatever
    /// is given; bodies are left out.
    /// - Parameters:
    ///   - target: `/ws?token=…`
    ///   - host: `chat.example:8080`, for when `fields` has no Host.
    package func open(
        target: String, host: String, fields: [(name: String, value: String)] = [], status: Int? = 101,
        response: [(name: String, value: String)] = [], at time: WallTime, answeredAt: WallTime? = nil
    ) throws(ImportError) {}

    /// A whole message or a control frame. The payload of a text may be any bytes; a control frame's is cut at 125.
    package func message(
        from side: Side, _ opcode: Opcode, _ payload: ByteBuffer, at time: WallTime
    ) throws(ImportError) {}

    /// A Close frame; `code` nil = an empty one.
    package func close(
        from side: Side, code: UInt16?, reason: String = "", at time: WallTime
    ) throws(ImportError) {}

    /// The transport's end, when the source knows of it.
    package func ended(from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError) {}

    /// Nothing more is known. Last call.
    package func gone(at time: WallTime) throws(ImportError) { try sink.gone(connection.id, at: time) }
}
