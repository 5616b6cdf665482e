import Faults
import Journaling
import NIOCore
import Wire

/// Performs what session machines command, with no socket and with time that only the input moves.
struct SessionShell {
    private struct Session {
        var machine: SessionMachine
        var entries: [RawEntry] = []
        var wake = Instant.distantFuture
        var label: String?
        var taken = Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)
        var gone: Set<Side> = []
        var stopped: Set<Side> = []
        var ended: Set<Side> = []
        var isConnected = false
        var wantsServer = false
        var isOver = false
        /// Who goes on with its transports.
        var heir: SessionID?
    }

    private let configuration: SessionConfiguration
    private var sessions: [SessionID: Session] = [:]
    private var now = Instant(nanoseconds: 1_000_000)
    private var depth = 0
    private static let mostSessions = 12
    /// A promise that was seen to be broken.
    private(set) var wrong: String?

    init(profile: Profile, seed: UInt64) {
        var configuration = SessionConfiguration(profile: profile, seed: seed)
        configuration.followsExchanges = true
        self.configuration = configuration
    }

    mutating func open(_ number: UInt32) -> SessionID {
        let id = SessionID(number)
        sessions[id] = Session(machine: SessionMachine(configuration: configuration, id: id))
        send(.accepted(Opened(transport: TransportID(number), peer: "127.0.0.1:5")), to: id)
        return id
    }

    mutating func upgrade(_ id: SessionID, isDeflated: Bool) {
        let extensions = isDeflated ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : ""
        receive(
            id, .client,
            Array(
                ("GET /ws?token=t\(id.value) HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(extensions)\r\n").utf8))
        // An upstream that takes its time.
        pass(.seconds(1))
        receive(
            id, .server,
            Array(
                ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\(extensions)\r\n").utf8))
    }

    /// What the side sends, if it may be read from: a socket gives nothing else.
    mutating func receive(_ id: SessionID, _ side: Side, _ bytes: [UInt8]) {
        let id = heir(of: id)
        guard let session = sessions[id], !bytes.isEmpty, !session.gone.contains(side), !session.stopped.contains(side),
            !session.ended.contains(side), side == .client || session.isConnected
        else { return }
        let count = UInt64(bytes.count)
        if side == .client { sessions[id]?.taken.clientIn += count } else { sessions[id]?.taken.serverIn += count }
        send(.received(side, ByteBuffer(bytes: bytes)), to: id)
    }

    mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        for _ in 0..<4_096 {
            let due = sessions.filter { $0.value.wake <= end }.min { ($0.value.wake, $0.key) < ($1.value.wake, $1.key) }
            guard let due else { break }
            now = max(now, due.value.wake)
            sessions[due.key]?.wake = .distantFuture
            send(.wake, to: due.key)
        }
        now = max(now, end)
    }

    /// Whoever has that session's transports now is told.
    mutating func tell(_ event: SessionEvent, _ id: SessionID) { send(event, to: heir(of: id)) }

    private func heir(of id: SessionID) -> SessionID {
        var id = id
        while let heir = sessions[id]?.heir { id = heir }
        return id
    }

    private mutating func send(_ event: SessionEvent, to id: SessionID) {
        guard depth < 64 else { return wrong = "sessions answer each other without end" }
        guard sessions[id]?.isOver == false else { return }
        switch event {
        case .ended(let side, let style):
            guard sessions[id]?.gone.contains(side) == false, sessions[id]?.ended.contains(side) == false,
                side == .client || sessions[id]?.isConnected == true
            else { return }
            sessions[id]?.ended.insert(side)
            if style == .reset { sessions[id]?.gone.insert(side) }
        case .connectFailed:
            guard sessions[id]?.wantsServer == true, sessions[id]?.isConnected == false else { return }
            sessions[id]?.wantsServer = false
        default: break
        }
        depth += 1
        defer { depth -= 1 }
        now = now.advanced(by: .nanoseconds(1))
        var output = SessionOutput()
        sessions[id]?.machine.handle(event, at: now, into: &output)
        sessions[id]?.entries += output.entries
        for command in output.commands { perform(command, for: id) }
    }

    private mutating func perform(_ command: SessionCommand, for id: SessionID) {
        switch command {
        case .connect:
            if sessions[id]?.wantsServer == true || sessions[id]?.isConnected == true { wrong = "the server is dialled twice" }
            sessions[id]?.wantsServer = true
            // The one who fails is told by the input; most are there at once.
            sessions[id]?.isConnected = true
            send(.connected, to: id)
        case .write(let side, let bytes): write(bytes, to: side, of: id)
        // No hop here speaks TLS, and the machine knows it.
        case .flush, .finish, .truncate, .secure: break
        case .close(let side, let style): if style != .silent { sessions[id]?.gone.insert(side) }
        case .reads(let side, let on):
            if on { sessions[id]?.stopped.remove(side) } else { sessions[id]?.stopped.insert(side) }
        case .cross(let crossing): cross(crossing)
        case .answer(let crossing, let refused):
            send(refused.map { .crossingRefused(crossing, reason: $0) } ?? .crossingTaken(crossing), to: crossing.from)
        case .visit(let visit): open(visit)
        case .rouse: for other in sessions.keys.sorted() where other != id { send(.roused, to: other) }
        case .wake(let instant): sessions[id]?.wake = instant
        case .label(let text): sessions[id]?.label = text
        case .succeed(let bytes): succeed(id, bytes)
        }
    }

    /// Another session goes on where this one's transports are.
    private mutating func succeed(_ id: SessionID, _ bytes: ByteBuffer) {
        guard let old = sessions[id] else { return }
        let heir = SessionID(id.value + 1_000)
        var taken = old.taken
        taken.clientIn -= UInt64(bytes.readableBytes)
        send(.closed(taken), to: id)
        sessions[id]?.gone = Set(Side.allCases)
        sessions[id]?.isOver = true
        var new = Session(machine: SessionMachine(configuration: configuration, id: heir))
        (new.gone, new.stopped, new.ended) = (old.gone, old.stopped, old.ended)
        (new.isConnected, new.wantsServer) = (old.isConnected, old.wantsServer)
        new.taken.clientIn = UInt64(bytes.readableBytes)
        sessions[heir] = new
        sessions[id]?.heir = heir
        send(.resumed(Opened(transport: TransportID(id.value), peer: "127.0.0.1:5")), to: heir)
        send(.received(.client, bytes), to: heir)
    }

    /// A connection of a fault's own; a few, for each of them costs as much as the input does.
    private mutating func open(_ visit: Visit) {
        guard sessions.count < Self.mostSessions else {
            return send(.visited(number: visit.number, nil, refused: "no room"), to: visit.from)
        }
        let id = SessionID((sessions.keys.max()?.value ?? 0) + 1)
        sessions[id] = Session(machine: SessionMachine(configuration: configuration, id: id, visit: visit))
        // Its client is within.
        sessions[id]?.ended = [.client]
        send(.visited(number: visit.number, id, refused: nil), to: visit.from)
        send(.accepted(visit.opened(as: id)), to: id)
    }

    private mutating func write(_ bytes: ByteBuffer, to side: Side, of id: SessionID) {
        let count = UInt64(bytes.readableBytes)
        guard sessions[id]?.gone.contains(side) == false, side == .client || sessions[id]?.isConnected == true else {
            return send(.undelivered(side, count), to: id)
        }
        if side == .client { sessions[id]?.taken.clientOut += count } else { sessions[id]?.taken.serverOut += count }
    }

    private mutating func cross(_ crossing: Crossing) {
        let others = sessions.filter { $0.key != crossing.from && $0.value.label != nil && !$0.value.isOver }.keys.sorted()
        let partner: SessionID? =
            switch crossing.selector.partner {
            case .user(let name): others.first { sessions[$0]?.label == name }
            case .session(let id): others.first { $0 == id }
            case .other(let draw): others.isEmpty ? nil : others[Int(draw % UInt64(others.count))]
            }
        guard let partner else { return send(.crossingRefused(crossing, reason: "no partner"), to: crossing.from) }
        var crossing = crossing
        crossing.partner = sessions[partner]?.label
        send(.crossed(crossing), to: partner)
    }

    /// Both ends end, the sockets' counts come last.
    /// - Returns: what the journal leaves unexplained.
    mutating func conclude() -> [String] {
        for id in sessions.keys.sorted() {
            for side in Side.allCases { send(.ended(side, .finish), to: id) }
        }
        for id in sessions.keys.sorted() {
            guard let session = sessions[id], !session.isOver else { continue }
            var taken = session.taken
            if let ours = session.machine.guestBytes { (taken.clientIn, taken.clientOut) = (ours.in, ours.out) }
            send(.closed(taken), to: id)
        }
        let raw = sessions.keys.sorted().flatMap { sessions[$0]?.entries ?? [] }.sorted { $0.instant < $1.instant }
        var configuration = Transcriber.Configuration(redactionKey: Array(repeating: 1, count: 16), epochSeconds: 0)
        configuration.mode = .redacted
        var assembler = JournalAssembler(loops: 1, configuration)
        assembler.push(raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        var ledger = Ledger()
        for entry in entries { ledger.observe(entry) }
        return ledger.differences.map(\.sentence)
    }
}
