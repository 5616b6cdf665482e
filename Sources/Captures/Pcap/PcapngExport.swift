package import Journaling
import NIOCore
import Wire

/// A recording as a capture of packets: one made-up TCP connection a session, one segment an entry, so that Wireshark's
/// dissector of WebSocket reads it. Entries go in, bytes of the file come out; neither clock nor file is touched.
package struct PcapngExport {
    /// Which of the two connections of each session is shown.
    package enum Leg: String, Sendable, CaseIterable {
        /// Between the client and the proxy.
        case client
        /// Between the proxy and the server.
        case server

        var request: Tap { self == .client ? .clientIn : .serverOut }
        var response: Tap { self == .client ? .clientOut : .serverIn }
    }

    /// Of what was written so far.
    package private(set) var sessions = 0
    package private(set) var packets = 0
    /// Messages whose last frame was written.
    package private(set) var messages = 0
    /// Bytes of the wire that the recording does not hold.
    package private(set) var lacking: UInt64 = 0
    private let leg: Leg
    private let server: MadeUpTCP.End
    private let began: WallTime
    private var open: [SessionID: PacketSession] = [:]
    private var bytes: [UInt8] = []

    package init(_ header: RecordingHeader, leg: Leg = .client, program: String) {
        self.leg = leg
        began = WallClockText.iso(header.started) ?? 0
        server = EndpointText.server(header.upstream)
        let purpose = header.purpose.isEmpty ? "" : ", \(header.purpose)"
        let comment =
            "made from a recording of \(header.upstream.isEmpty ? "sessions" : header.upstream)\(purpose): the TCP around the frames is made up, times are the \(leg.rawValue)'s"
        PcapngBlocks.section(program: program, comment: comment, into: &bytes)
        PcapngBlocks.interface(link: MadeUpTCP.link, name: "miswire", into: &bytes)
    }

    /// The next entry of the recording, in its order.
    /// - Returns: what stands in the file next; empty when the entry is nothing of a wire.
    package mutating func add(_ entry: Entry) -> [UInt8] {
        if let id = entry.session {
            var session = open.removeValue(forKey: id) ?? begin(id, entry)
            take(entry, &session)
            if !session.isOver { open[id] = session }
        }
        return drained()
    }

    /// Ends what is still open.
    package mutating func end() -> [UInt8] {
        for id in open.keys.sorted() {
            guard var session = open.removeValue(forKey: id) else { continue }
            close(&session, at: session.last)
        }
        return drained()
    }

    private mutating func drained() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func begin(_ id: SessionID, _ entry: Entry) -> PacketSession {
        var peer = ""
        if case .opened(let opened) = entry.body { peer = opened.peer }
        let client = EndpointText.client(peer, session: id, like: server)
        let host =
            client.address.count == server.address.count
            ? server.address : EndpointText.placeholder(client.address.count)
        sessions += 1
        var session = PacketSession(
            id: id,
            tcp: MadeUpTCP(client: client, server: MadeUpTCP.End(address: host, port: server.port), number: id.value),
            last: time(entry.instant))
        for packet in session.tcp.handshake() { put(packet, &session, at: time(entry.instant)) }
        return session
    }

    private mutating func take(_ entry: Entry, _ session: inout PacketSession) {
        if case .facts(let facts) = entry.body { session.user = facts.user ?? session.user }
        // The facts of a request stand behind it; its packet waits for the name in them.
        if case .facts = entry.body {} else { release(&session) }
        switch entry.body {
        case .head(let head):
            guard let time = time(head.passage) else { return }
            session.waiting = (head.passage.direction.sender, Array(head.bytes.readableBytesView), time)
        case .frame(let record): frame(record, &session)
        case .bytes(let record):
            guard let time = time(record.passage) else { return }
            send(
                Array(record.bytes.readableBytesView), of: record.wireSize, record.passage.direction, &session, at: time
            )
        case .fault(let fault): session.remark = "fault \(fault.id) \(fault.kind): \(fault.detail)"
        case .ended(let end):
            guard (end.side == .client) == (leg == .client) || end.by == .peer else { return }
            self.end(end.side, end.style, &session, at: time(entry.instant))
        case .closed: close(&session, at: time(entry.instant))
        default: break
        }
    }

    private mutating func frame(_ record: FrameRecord, _ session: inout PacketSession) {
        guard let time = time(record.passage) else { return }
        let written = Array(FrameWriter.bytes(record.frame).readableBytesView)
        // Where a secret was cut out the frame as written is whole, whatever it took on the wire.
        let size = record.redacted ? UInt64(written.count) : max(record.wireSize, UInt64(written.count))
        send(written, of: size, record.passage.direction, &session, at: time)
        if record.message != nil { messages += 1 }
    }

    private mutating func release(_ session: inout PacketSession) {
        guard let (side, head, time) = session.waiting else { return }
        session.waiting = nil
        send(head, of: UInt64(head.count), side.outgoing, &session, at: time)
    }

    /// Bytes of one side in as many segments as they need; what the recording does not hold is cut off, as by a
    /// capture's bound.
    private mutating func send(
        _ payload: [UInt8], of size: UInt64, _ direction: Direction, _ session: inout PacketSession, at time: WallTime
    ) {
        let side = direction.sender
        var rest = payload[...]
        var missing = size - min(size, UInt64(payload.count))
        lacking = lacking.addingReportingOverflow(missing).partialValue
        while !rest.isEmpty || missing > 0 {
            if rest.isEmpty, missing > UInt64(PacketSession.mostMissing) {
                session.tcp.advance(side, Int(truncatingIfNeeded: missing))
                break
            }
            let part = rest.prefix(MadeUpTCP.mostPayload)
            rest = rest.dropFirst(part.count)
            let lacking = Int(min(missing, UInt64(MadeUpTCP.mostPayload - part.count)))
            missing -= UInt64(lacking)
            put(session.tcp.data(from: side, part, missing: lacking), &session, at: time, missing: lacking)
        }
    }

    // MARK: Ends

    private mutating func end(_ side: Side, _ style: EndStyle, _ session: inout PacketSession, at time: WallTime) {
        guard !session.isCut, !session.ended.contains(side) else { return }
        session.ended.insert(side)
        if style == .reset {
            session.isCut = true
            put(session.tcp.reset(from: side), &session, at: time)
        } else {
            put(session.tcp.finish(from: side), &session, at: time)
            put(session.tcp.acknowledgement(from: side.other), &session, at: time)
        }
    }

    private mutating func close(_ session: inout PacketSession, at time: WallTime) {
        release(&session)
        // A capture must not say that a side ended of which the recording does not say so; both sides together only
        // mean that nothing more comes.
        for side in [Side.client, .server] { end(side, .finish, &session, at: time) }
        session.isOver = true
    }

    // MARK: Packets

    private mutating func put(_ packet: [UInt8], _ session: inout PacketSession, at time: WallTime, missing: Int = 0) {
        packets += 1
        session.last = max(session.last, time)
        unsafe PcapngBlocks.packet(
            packet.span.bytes, wireLength: packet.count + missing, at: session.last, comment: session.comment,
            into: &bytes)
        session.remark = ""
    }

    private func time(_ instant: Instant) -> WallTime {
        let (sum, overflow) = began.addingReportingOverflow(instant.nanoseconds)
        return overflow ? .max : sum
    }

    /// Nil for what this leg never bore.
    private func time(_ passage: Passage) -> WallTime? {
        passage.instant(at: passage.direction == .toServer ? leg.request : leg.response).map { time($0) }
    }
}

/// What the export knows of a session.
private struct PacketSession {
    let id: SessionID
    var tcp: MadeUpTCP
    /// Of its last packet; none is earlier than the one before.
    var last: WallTime
    var user: String?
    var remark = ""
    var waiting: (side: Side, head: [UInt8], time: WallTime)?
    var ended: Set<Side> = []
    var isCut = false
    var isOver = false
    /// Beyond this, bytes that are not in the recording get no packets.
    static let mostMissing = 64 << 20

    init(id: SessionID, tcp: MadeUpTCP, last: WallTime) {
        self.id = id
        self.tcp = tcp
        self.last = last
    }

    /// `s31 alice`, and what a fault did just before.
    var comment: String { "\(id)" + (user.map { " \($0)" } ?? "") + (remark.isEmpty ? "" : "; \(remark)") }
}

extension Direction {
    fileprivate var sender: Side { self == .toServer ? .client : .server }
}
