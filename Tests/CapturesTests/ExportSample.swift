import Captures
import Journaling
import NIOCore
import Wire

/// A recording of two users as a proxy without faults writes it, small and with one of everything.
struct ExportSample {
    private(set) var entries: [Entry] = []
    private var number: UInt64 = 0
    private var ordinals: [UInt32: UInt32] = [:]
    private var time: Int64 = 0

    static let header = RecordingHeader(
        program: "0.1.0", started: "2026-09-21T14:02:16.014Z", seed: 7, upstream: "wss://chat.example:443/ws")

    mutating func add(_ session: UInt32, _ body: Entry.Body) {
        number += 1
        time += 1_000_001
        ordinals[session, default: 0] += 1
        entries.append(
            Entry(
                number: number, instant: Instant(nanoseconds: time), loop: 0, sequence: number - 1,
                ref: EntryRef(session: SessionID(session), ordinal: ordinals[session, default: 0]), body: body))
    }

    private func passage(_ direction: Direction) -> Passage {
        let now = Instant(nanoseconds: time + 1_000_001)
        return Passage(direction, in: now, out: now)
    }

    mutating func open(_ session: UInt32, user: String) {
        add(session, .opened(Opened(transport: TransportID(session), peer: "127.0.0.1:5000\(session)")))
        let request = "GET /ws?room=1&q=%C3%BC HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: sid=‹cookie:a1›; b=2\r\n\r\n"
        add(session, .head(HeadRecord(passage: passage(.toServer), bytes: ByteBuffer(string: request))))
        add(session, .facts(Facts(tap: .clientIn, user: user, place: "header authorization", state: .intact)))
        let response = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: c=3; Path=/\r\n\r\n"
        add(session, .head(HeadRecord(passage: passage(.toClient), bytes: ByteBuffer(string: response))))
        add(session, .became(.accepted(subprotocol: nil, deflate: false)))
    }

    mutating func frame(
        _ session: UInt32, _ side: Side, _ opcode: Opcode, _ bytes: [UInt8], fin: Bool = true, message: (Opcode, [UInt8])? = nil
    ) {
        let frame = Frame(
            fin: fin, opcode: opcode, maskKey: side == .client ? 0x0102_0304 : nil, payload: ByteBuffer(bytes: bytes))
        let whole = message ?? (opcode, bytes)
        let record = fin ? MessageRecord(opcode: whole.0, payload: ByteBuffer(bytes: whole.1), ordinal: opcode.isControl ? 0 : 1) : nil
        add(session, .frame(FrameRecord(passage: passage(side.outgoing), frame: frame, message: record)))
    }

    mutating func text(_ session: UInt32, _ side: Side, _ text: String) { frame(session, side, .text, Array(text.utf8)) }

    mutating func close(_ session: UInt32) {
        frame(session, .client, .close, Array(CloseBody(code: 1000, reason: "bye").payload.readableBytesView))
        add(session, .ended(EndRecord(side: .client, style: .finish, by: .peer)))
        add(session, .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)))
    }

    /// Two sessions that overlap; the second is never closed.
    static func two() -> ExportSample {
        var sample = ExportSample()
        sample.open(1, user: "alice")
        sample.text(1, .client, #"{"type":"agent_started","q":"<script>alert(1)</script>\u2028‹jwt:a1›"}"#)
        sample.open(2, user: "bob")
        sample.text(2, .server, "ü\u{202e}😀\u{7f}\u{1b}[31m")
        sample.frame(1, .server, .binary, Array(0...255))
        sample.frame(1, .server, .text, Array("frag".utf8), fin: false)
        sample.frame(1, .server, .ping, Array("p".utf8))
        sample.frame(1, .server, .continuation, Array("ment".utf8), message: (.text, Array("fragment".utf8)))
        sample.frame(2, .client, .text, [0x61, 0xff, 0x62])
        sample.text(2, .client, "")
        sample.close(1)
        sample.text(2, .server, "last")
        return sample
    }

    /// What passed in a session, control frames left out unless wanted.
    func messages(_ session: UInt32, control: Bool = false) -> [MessageLog.Message] {
        entries.compactMap { entry in
            guard entry.session == SessionID(session), case .frame(let record) = entry.body, let message = record.message,
                control || !message.opcode.isControl
            else { return nil }
            return .init(
                record.passage.direction.source, message.opcode, Array((message.payload ?? ByteBuffer()).readableBytesView))
        }
    }
}
