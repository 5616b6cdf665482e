import Journaling
import NIOCore
import Wire

/// A message, or a control frame, as the client of a session sent or got it.
struct ExportedMessage {
    var session: SessionID
    var direction: Direction
    var opcode: Opcode
    var payload: ByteBuffer
    var time: WallTime
    /// Of the frames that carried it, in order.
    var frames: [Frame]
}

/// What an export needs to know of a session beside its messages.
struct ExportedSession {
    var id: SessionID
    var opened: WallTime
    var transport: TransportID?
    var peer = ""
    var user: String?
    var request: (head: ByteBuffer, time: WallTime)?
    var response: (head: ByteBuffer, time: WallTime)?
    var became: Became?
    var last: WallTime
}

/// Takes entries and gives what passed at the client, in order: to the server as it left the client, to the client as it
/// arrived there. What a fault changed, dropped or added behind that tap is told apart by the recording alone.
struct ExportReader {
    enum Event {
        case began(ExportedSession)
        case message(ExportedMessage)
        case ended(SessionID)
    }
    private(set) var sessions: [SessionID: ExportedSession] = [:]
    /// Messages whose payload the recording does not hold.
    private(set) var unheld = 0
    /// Frames that never reached the client, or that it never sent.
    private(set) var elsewhere = 0
    /// Bytes that are no messages: opaque, illegal or oversize.
    private(set) var others = 0
    private var open: [SessionID: Fragments] = [:]
    private let start: WallTime

    private struct Fragments {
        private var toServer: [Frame] = []
        private var toClient: [Frame] = []
        /// A message in more pieces than this is told by its first ones and its last.
        private static let most = 65_536

        var isEmpty: Bool { toServer.isEmpty && toClient.isEmpty }

        mutating func add(_ frame: Frame, _ direction: Direction) {
            if direction == .toServer {
                if toServer.count < Self.most { toServer.append(frame) }
            } else {
                if toClient.count < Self.most { toClient.append(frame) }
            }
        }

        mutating func take(_ direction: Direction) -> [Frame] {
            defer { if direction == .toServer { toServer = [] } else { toClient = [] } }
            return direction == .toServer ? toServer : toClient
        }
    }

    init(_ header: RecordingHeader) { start = WallClockText.iso(header.started) ?? 0 }

    func time(_ instant: Instant) -> WallTime {
        let (sum, overflow) = start.addingReportingOverflow(instant.nanoseconds)
        return overflow ? start : sum
    }

    mutating func take(_ entry: Entry) -> Event? {
        guard let id = entry.session else { return nil }
        let now = time(entry.instant)
        sessions[id]?.last = now
        switch entry.body {
        case .opened(let opened):
            let session = ExportedSession(
                id: id, opened: now, transport: opened.transport, peer: opened.peer, last: now)
            sessions[id] = session
            return .began(session)
        case .head(let head):
            let passed = head.passage.atClient
            guard let passed else { break }
            let at = time(passed)
            if head.passage.direction == .toClient {
                sessions[id]?.response = (head.bytes, at)
            } else if sessions[id]?.request == nil {
                sessions[id]?.request = (head.bytes, at)
            }
        case .facts(let facts):
            if let user = facts.user, sessions[id]?.user == nil { sessions[id]?.user = user }
        case .became(let became): sessions[id]?.became = became
        case .frame(let record): return message(record, id).map { .message($0) }
        case .bytes(let bytes): if bytes.bytes.readableBytes > 0 { others += 1 }
        case .closed: return .ended(id)
        default: break
        }
        return nil
    }

    private mutating func message(_ record: FrameRecord, _ id: SessionID) -> ExportedMessage? {
        let direction = record.passage.direction
        guard let instant = record.passage.atClient else {
            elsewhere += 1
            return nil
        }
        let isAside = !record.frame.opcode.isOfMessage
        // Of frames that wait for their message only the bits are wanted.
        var frames = [Self.bare(record.frame)]
        if !isAside {
            guard record.frame.fin else {
                open[id, default: Fragments()].add(frames[0], direction)
                return nil
            }
            frames = (open[id]?.take(direction) ?? []) + frames
            if open[id]?.isEmpty ?? false { open[id] = nil }
        }
        let payload = record.message.map(\.payload) ?? (isAside ? record.frame.payload : nil)
        guard let payload else {
            unheld += 1
            return nil
        }
        return ExportedMessage(
            session: id, direction: direction, opcode: record.message?.opcode ?? record.frame.opcode, payload: payload,
            time: time(instant), frames: frames)
    }

    private static func bare(_ frame: Frame) -> Frame {
        Frame(
            firstByte: frame.firstByte, lengthForm: frame.lengthForm, declaredLength: frame.declaredLength,
            maskKey: frame.maskKey, payload: ByteBuffer())
    }

    /// What is not in an export of messages, one sentence each.
    var left: [String] {
        var left: [String] = []
        if unheld > 0 { left.append("\(Self.count(unheld, "message")) too large or broken, not held by the recording") }
        if elsewhere > 0 { left.append("\(Self.count(elsewhere, "frame")) that a fault kept from the client or made for the server") }
        if others > 0 { left.append("\(Self.count(others, "piece")) of bytes that are no messages") }
        return left
    }

    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
