package import Wire

/// A session begins: where its transport came from, and by which way.
package struct Opened: Sendable, Hashable {
    package var transport: TransportID
    /// `127.0.0.1:50412`
    package var peer: String
    /// Its source knew messages and not bytes: heads and frames are written after them.
    package var isMadeUp: Bool
    /// Id of the fault that opened it; its client is then miswire and nobody else. Nil for a client's own.
    package var fault: String?
    /// The name of the listener that it came by, where a proxy has several.
    package var route: String?
    /// Where a forward proxy dialled for it: `chat.example:443`.
    package var target: String?
    /// The hops that are streams of HTTP/2 (RFC 8441): heads at their taps are equivalents in the form of HTTP/1.1, and what
    /// follows them is the content of DATA frames.
    package var http2: [Side]
    package init(
        transport: TransportID, peer: String, isMadeUp: Bool = false, fault: String? = nil, route: String? = nil,
        target: String? = nil, http2: [Side] = []
    ) {
        self.http2 = http2
        self.fault = fault
        self.transport = transport
        self.peer = peer
        self.isMadeUp = isMadeUp
        self.route = route
        self.target = target
    }
}
