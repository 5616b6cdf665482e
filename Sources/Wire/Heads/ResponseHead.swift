package import struct NIOCore.ByteBuffer

/// A response head (RFC 9112), byte for byte.
package struct ResponseHead: HTTPHead {
    package let bytes: ByteBuffer
    package let startLineRange: Range<Int>
    package let fields: [HeadField]
    /// `HTTP/1.1`
    package let version: String
    /// 100 to 999
    package let status: Int
    package let reason: String

    package init(_ bytes: ByteBuffer, limits: HeadLimits = HeadLimits()) throws(HeadRefusal) {
        let lines = try HeadLines(bytes, limits: limits)
        let line = lines.bytes[lines.startLine]
        let code = line.dropFirst(9).prefix(3)
        guard line.count >= 12, HeadSniffer.isVersion(line.prefix(8)), line.dropFirst(8).first == 0x20,
            code.allSatisfy(ASCII.isDigit), let status = Int(String(decoding: code, as: UTF8.self)), status >= 100,
            line.count == 12 || line.dropFirst(12).first == 0x20
        else { throw HeadRefusal(.startLine, at: 0) }
        self.bytes = bytes
        startLineRange = lines.startLine
        fields = lines.fields
        version = String(decoding: line.prefix(8), as: UTF8.self)
        self.status = status
        reason = String(decoding: line.dropFirst(13), as: UTF8.self)
    }

    /// An answer before the answer (RFC 9110 section 15.2); 101 is none of these.
    package var isInterim: Bool { status < 200 && status != 101 }

    package func accepts(_ request: RequestHead) -> Bool { acceptProblem(for: request) == nil }

    /// What keeps this from accepting the upgrade (RFC 6455 section 4.1), nil when it does.
    package func acceptProblem(for request: RequestHead) -> String? {
        if status != 101 { return "the status is \(status), not 101" }
        if !has("websocket", in: "upgrade") { return "no Upgrade: websocket" }
        if !has("upgrade", in: "connection") { return "no Connection: Upgrade" }
        let expected = AcceptKey.compute(request.value("sec-websocket-key") ?? "")
        if value("sec-websocket-accept") != expected { return "Sec-WebSocket-Accept is not \(expected)" }
        let chosen = list("sec-websocket-protocol")
        if chosen.count > 1 { return "more than one subprotocol" }
        let offered = request.subprotocols
        if let one = chosen.first?.value, !offered.contains(where: { $0.value == one }) {
            return "a subprotocol that was not offered"
        }
        return nil
    }

    package var subprotocol: String? { list("sec-websocket-protocol").first?.value }
}
