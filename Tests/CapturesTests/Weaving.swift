import Captures
import Glibc
import Journaling
import NIOCore
import Testing
import Wire

/// Connections told to a weaver, and the recording that comes of it.
struct Weaving {
    let folder: Folder
    let weaver: SessionWeaver
    /// 2026-09-21T14:02:16.014Z
    static let start: WallTime = 1_789_999_336_014_000_000

    init(_ limits: Limits = .standard, mode: RecordingHeader.Mode = .raw, isLive: Bool = false) throws {
        folder = try Folder()
        weaver = try SessionWeaver(
            .init(
                directory: folder["rec"], header: RecordingHeader(program: "0.1.0", started: "", seed: 1, mode: mode),
                limits: limits, redactionKey: Array(0..<32), isLive: isLive))
    }

    func at(_ milliseconds: Int64) -> WallTime { Self.start + milliseconds * 1_000_000 }

    func open(_ id: Connection.ID = 1, isWhole: Bool = true, _ time: Int64 = 0) throws {
        try weaver.opened(
            Connection(id: id, client: "10.0.0.7:5000\(id)", server: "10.0.0.1:80", isWhole: isWhole), at: at(time))
    }

    func send(_ text: String, from side: Side = .client, _ id: Connection.ID = 1, _ time: Int64 = 1) throws {
        try weaver.bytes(id, from: side, ByteBuffer(string: text), at: at(time))
    }

    func send(_ bytes: ByteBuffer, from side: Side, _ id: Connection.ID = 1, _ time: Int64 = 1) throws {
        try weaver.bytes(id, from: side, bytes, at: at(time))
    }

    /// The entries of the finished recording; none when there is none.
    func entries() throws -> [Entry] {
        try weaver.finish()
        guard weaver.hasRecording else { return [] }
        let read = try Sample.read(folder["rec"])
        #expect(read.isComplete)
        return read.entries
    }

    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    static func upgrade(_ target: String = "/ws", extra: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n\(extra)\r\n"
    }
    static let accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"

    static func frame(_ text: String, mask: UInt32? = nil, opcode: Opcode = .text, fin: Bool = true) -> ByteBuffer {
        FrameWriter.bytes(Frame(fin: fin, opcode: opcode, maskKey: mask, payload: ByteBuffer(string: text)))
    }
}

/// An entry as one line, without its times and numbers.
func told(_ entries: [Entry]) -> [String] {
    entries.map { entry in
        let text: String
        switch entry.body {
        case .opened(let opened): text = "opened \(opened.peer)"
        case .head(let head): text = "head \(head.passage.direction) \(head.wireSize)"
        case .facts: text = "facts"
        case .became(.accepted): text = "accepted"
        case .became(.refused(let status)): text = "refused \(status)"
        case .became(.opaque(let reason)): text = "opaque: \(reason)"
        case .frame(let frame):
            let payload = frame.message?.payload.map { String(buffer: $0) } ?? "-"
            text = "\(frame.passage.direction) \(frame.frame.opcode.rawValue) \(payload)"
        case .bytes(let bytes): text = "\(bytes.kind) \(bytes.passage.direction) \(bytes.wireSize)"
        case .limit(let limit): text = "limit \(limit.id)"
        case .ended(let end): text = "ended \(end.side) \(end.style) by \(end.by)"
        case .closed(let totals): text = "closed \(totals.clientIn) \(totals.serverIn)"
        case .note(let note): text = "note \(note)"
        case .fault, .hold, .recoded, .tick, .target: text = "odd"
        }
        return (entry.session.map { "\($0) " } ?? "") + text
    }
}
