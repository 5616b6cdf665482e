package import Journaling
import NIOCore
import Wire

/// The agent-chat server of incidents.md as a function of its events. It owns no clock, socket or chance of its own, so
/// a simulator can drive it in virtual time: same configuration and events, same effects to the byte.
package struct BackendMachine: Sendable {
    /// A head must be whole within this time of the accept.
    static let headTime = Duration.seconds(10)
    /// A first message must have authenticated within this time of the 101, well before a client's patience of 2 s
    /// ends.
    static let authenticationTime = Duration.milliseconds(1_500)
    /// A Close of ours is answered within this time, or the transport ends without.
    static let farewellTime = Duration.seconds(1)
    /// The same when the client reads nothing: what was said before, and why it ends, still waits for it.
    static let slowFarewellTime = Duration.seconds(30)
    /// Runs under way on one connection; more are refused.
    static let runLimit = 1_000
    /// Runs under way in all; beyond them those of a connection end with it.
    static let detachedLimit = 100_000
    /// B01: an upgrade that takes longer than this after the accept loses its greeting.
    static let patience = Duration.milliseconds(20)
    /// B07: a tool that was at work for this long is not waited for any more.
    static let toolPatience = Duration.milliseconds(100)

    package let configuration: BackendConfiguration
    let events: EventBuilder
    var connections: [BackendConnectionID: Connection] = [:]
    var threads = ThreadTable()
    var runs: [String: Run] = [:]
    var aftermath = Aftermath()
    var rooms = Rooms()
    /// B13: the connection that came last, by the user's name in small letters.
    var mailboxes: [String: BackendConnectionID] = [:]
    var timers = TimerQueue<Deadline>()
    /// Bugs whose code path was passed already: one REACHED mark is enough.
    var reached: Set<BackendBug> = []
    var reachedDecoys: Set<BackendDecoy> = []
    /// B14: contexts that nobody emptied, by their place among fifty.
    var contexts: [UInt64: Leftover] = [:]
    var counter: UInt64 = 0
    /// B24: whose message has begun and not come in whole, and what waits for its end.
    var blocker: BackendConnectionID?
    var queued: [(BackendConnectionID, ByteBuffer)] = []
    /// B22: what unfinished messages of connections that are gone have left.
    var pinned: [ByteBuffer] = []
    var upgrades: UInt64 = 0
    /// When the event in hand came.
    var clock = Instant.zero
    /// What was taken and sent since this was last emptied, when the configuration asks for it.
    package var messages: [BackendMessage] = []

    package init(_ configuration: BackendConfiguration) {
        self.configuration = configuration
        events = EventBuilder(epoch: configuration.epoch)
    }

    /// When `.wake` must be handed in at the latest; nil when nothing is due.
    package var nextWake: Instant? { timers.next }

    /// WebSocket connections that are open and authenticated.
    package var openConnections: Int { connections.values.count { $0.isOpen } }

    package mutating func handle(_ event: BackendEvent, at now: Instant, into effects: inout [BackendEffect]) {
        clock = now
        wake(at: now, &effects)
        switch event {
        case .opened(let id):
            var connection = Connection(openedAt: now)
            connection.socket.checksFragments = has(.splitCharacterRejected)
            connection.socket.pinsFragments = has(.fragmentsPinned)
            connections[id] = connection
            timers.set(.head(id), at: now.advanced(by: Self.headTime))
        case .received(let id, let bytes):
            if has(.stuckReadBlocks) {
                receiveInTurn(bytes, from: id, at: now, &effects)
            } else {
                receive(bytes, from: id, at: now, &effects)
            }
        case .ended(let id):
            noteAbort(id, &effects)
            notePinned(id, &effects)
            sayWhatWaits(for: connections[id]?.user ?? "", at: now, &effects)
            end(id, &effects)
            if blocker == id { unblock(at: now, &effects) }
        case .blocked(let id): connections[id]?.outbox.block(at: now)
        case .drained(let id):
            for frame in connections[id]?.outbox.release() ?? [] { effects.append(.send(id, frame)) }
        case .wake: break
        }
        timers.sweep { deadline in
            switch deadline {
            case .step(let run): runs[run] != nil
            case .aftermath(let run): aftermath.isAwaited(run)
            case .head(let id), .authentication(let id), .farewell(let id), .greeting(let id), .expiry(let id),
                .lateError(let id, _):
                connections[id] != nil
            }
        }
    }

    // Time

    private mutating func wake(at now: Instant, _ effects: inout [BackendEffect]) {
        while let (due, deadline) = timers.pop(at: now) {
            switch deadline {
            case .step(let run): step(run, due: due, at: now, &effects)
            case .aftermath(let run): settleAftermath(of: run, at: now, &effects)
            case .head(let id):
                if connections[id]?.phase == .head { answer(id, Upgrade.page(408, "no request came"), &effects) }
            case .authentication(let id):
                if connections[id]?.phase == .authenticating {
                    close(id, 4401, "no credential came", at: now, &effects)
                }
            case .farewell(let id):
                if connections[id]?.phase == .closing { release(id, &effects) }
            case .greeting(let id): greet(id, at: now, &effects)
            case .expiry(let id): expire(id, due: due, at: now, &effects)
            case .lateError(let id, let error): say(error, to: id, &effects)
            }
        }
    }

    private mutating func expire(
        _ id: BackendConnectionID, due: Instant, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let connection = connections[id], connection.isOpen, let expires = connection.expires else { return }
        // A token that came later may last longer.
        if instant(ofSecond: expires) > due { return }
        if has(.expiryIgnored) {
            mark(.expiryIgnored, .reached, on: id, user: connection.user, type: "close", &effects)
            return mark(.expiryIgnored, .triggered, on: id, user: connection.user, type: "close", &effects)
        }
        close(id, 4401, "the token has expired", at: now, &effects)
    }

    /// Seconds since 1970, rounded down.
    func second(at now: Instant) -> Int64 {
        let (sum, overflow) = configuration.epoch.addingReportingOverflow(now.nanoseconds / 1_000_000)
        return (overflow ? .max : sum) / 1_000
    }

    func instant(ofSecond second: Int64) -> Instant {
        let (milliseconds, tooLate) = second.multipliedReportingOverflow(by: 1_000)
        let (since, tooEarly) = milliseconds.subtractingReportingOverflow(configuration.epoch)
        if tooLate || tooEarly { return .distantFuture }
        let (nanoseconds, overflow) = since.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .distantFuture : Instant(nanoseconds: max(0, nanoseconds))
    }

    // Bytes

    mutating func receive(
        _ bytes: ByteBuffer, from id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let phase = connections[id]?.phase else { return }
        guard phase == .head else {
            if phase != .over { feed(bytes, to: id, at: now, &effects) }
            return
        }
        connections[id]?.parser.feed(bytes)
        guard let result = connections[id]?.parser.next(), result != .partial else { return }
        // Frames that came right behind the head.
        let rest = connections[id]?.parser.takeHeld() ?? ByteBuffer()
        switch result {
        case .partial: return
        case .request(let head): open(id, head, at: now, &effects)
        case .refused(let refusal): answer(id, Upgrade.page(refusal.status, refusal.detail), &effects)
        case .response, .notHTTP: answer(id, Upgrade.page(400, "this is no HTTP request"), &effects)
        }
        if connections[id]?.hasSocket == true { feed(rest, to: id, at: now, &effects) }
    }

    private mutating func feed(
        _ bytes: ByteBuffer, to id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        connections[id]?.socket.feed(bytes)
        while let happening = connections[id]?.socket.next() { happen(happening, on: id, at: now, &effects) }
    }

    private mutating func happen(
        _ happening: ServerSocket.Happening, on id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        guard let phase = connections[id]?.phase else { return }
        log(happening, of: id)
        if let size = connections[id]?.socket.inflated.readableBytes, size > 0 { noteInflated(size, on: id, &effects) }
        switch (happening, phase) {
        case (.close, .closing), (.failure, .closing): release(id, &effects)
        case (_, .closing), (_, .over), (_, .head): break
        case (.ping(let payload), _): send(Frame(opcode: .pong, payload: payload), to: id, &effects)
        case (.close(let body), _):
            send(Frame(opcode: .close, payload: echo(body, on: id, &effects)), to: id, &effects)
            release(id, &effects)
        case (.failure(let code, let reason), _):
            noteRejectedSplit(id, &effects)
            send(Frame(opcode: .close, payload: CloseBody(code: code, reason: reason).payload), to: id, &effects)
            release(id, &effects)
        case (.binary, _), (.text, .silent): break
        case (.text(let bytes), .authenticating): readFirst(bytes, on: id, at: now, &effects)
        case (.text(let bytes), .open): read(bytes, on: id, at: now, &effects)
        }
    }

    // Ends

    /// Answers a request that is no WebSocket's, and lets go.
    mutating func answer(_ id: BackendConnectionID, _ text: String, _ effects: inout [BackendEffect]) {
        effects.append(.send(id, ByteBuffer(string: text)))
        release(id, &effects)
    }

    /// Sends our Close and waits for the peer's.
    mutating func close(
        _ id: BackendConnectionID, _ code: UInt16, _ reason: String, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let connection = connections[id], connection.hasSocket, connection.phase != .closing else { return }
        sayWhatWaits(for: connection.user, at: now, &effects)
        send(Frame(opcode: .close, payload: CloseBody(code: code, reason: reason).payload), to: id, &effects)
        detachRuns(of: id)
        connections[id]?.phase = .closing
        let time = connection.outbox.isBlocked ? Self.slowFarewellTime : Self.farewellTime
        timers.set(.farewell(id), at: now.advanced(by: time))
    }

    /// Nothing more is said; the transport ends once all is sent.
    private mutating func release(_ id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        detachRuns(of: id)
        for frame in connections[id]?.outbox.release() ?? [] { effects.append(.send(id, frame)) }
        connections[id]?.phase = .over
        effects.append(.close(id))
    }

    private mutating func end(_ id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        detachRuns(of: id)
        if has(.contextReused) { keepContext(of: id, &effects) }
        guard let connection = connections.removeValue(forKey: id) else { return }
        let folded = connection.user.lowercased()
        if mailboxes[folded] == id { mailboxes[folded] = nil }
        if connection.phase == .over { return }
        effects.append(.close(id))
    }

    /// Runs go on when their connection goes: their user may come back for what they say.
    private mutating func detachRuns(of id: BackendConnectionID) {
        guard let names = connections[id]?.runs, !names.isEmpty else { return }
        if runs.count > Self.detachedLimit { return dropRuns(of: id) }
        for name in names {
            runs[name]?.listener = nil
            if let thread = runs[name]?.thread { threads.tear(thread) }
        }
        connections[id]?.runs = []
    }

    mutating func dropRuns(of id: BackendConnectionID) {
        for run in connections[id]?.runs ?? [] { runs[run] = nil }
        aftermath.forget(id)
        connections[id]?.runs = []
    }

    private mutating func log(_ happening: ServerSocket.Happening, of id: BackendConnectionID) {
        switch happening {
        case .text(let payload): log(.toServer, .text, payload, of: id)
        case .binary(let payload): log(.toServer, .binary, payload, of: id)
        case .ping(let payload): log(.toServer, .ping, payload, of: id)
        case .close(let body): log(.toServer, .close, body.payload, of: id)
        case .failure: break
        }
    }

    mutating func log(_ way: Direction, _ opcode: Opcode, _ payload: ByteBuffer, of id: BackendConnectionID) {
        guard configuration.logsMessages, let connection = connections[id] else { return }
        messages.append(
            BackendMessage(
                connection: connection.name, user: connection.user, direction: way, opcode: opcode, payload: payload))
    }

    mutating func send(_ frame: Frame, to id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        if frame.opcode == .text, connections[id]?.outbox.isFull(at: clock) == true {
            return overflow(frame.payload, on: id, &effects)
        }
        log(.toClient, frame.opcode, frame.payload, of: id)
        put(FrameWriter.bytes(frame), on: id, &effects)
    }

    /// To the transport, or behind what waits for it.
    mutating func put(_ bytes: ByteBuffer, on id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        if connections[id]?.outbox.isBlocked == true {
            connections[id]?.outbox.append(bytes)
        } else {
            effects.append(.send(id, bytes))
        }
    }

    /// A client that does not read is told so and let go, rather than that something of its is lost: it can resume. With
    /// B18 what does not fit is lost, and nobody says so.
    private mutating func overflow(
        _ payload: ByteBuffer, on id: BackendConnectionID, _ effects: inout [BackendEffect]
    ) {
        guard has(.queueDropsSilently) else {
            return close(id, 1013, "this connection reads too slowly", at: clock, &effects)
        }
        let event = JSON.decode(payload).value
        for stage in [BackendMark.Stage.reached, .triggered] {
            mark(
                .queueDropsSilently, stage, on: id, user: connections[id]?.user, request: event?.given("request_id"),
                type: event?["type"]?.string ?? "", &effects)
        }
    }

    /// Says something unless our Close went before.
    mutating func say(_ event: JSON, to id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard connections[id]?.speaks == true else { return }
        send(Frame(opcode: .text, payload: event.buffer), to: id, &effects)
    }

    // Marks

    mutating func mark(
        _ bug: BackendBug, _ stage: BackendMark.Stage, on id: BackendConnectionID, user: String?, request: JSON? = nil,
        type: String, _ effects: inout [BackendEffect]
    ) {
        if stage == .reached, !reached.insert(bug).inserted { return }
        effects.append(
            .mark(
                BackendMark(
                    bug: bug, stage: stage, user: user, request: request, connection: connections[id]?.name ?? "",
                    type: type)))
    }

    mutating func mark(
        _ decoy: BackendDecoy, _ stage: BackendMark.Stage, on id: BackendConnectionID, user: String?, request: JSON? = nil,
        type: String, _ effects: inout [BackendEffect]
    ) {
        if stage == .reached, !reachedDecoys.insert(decoy).inserted { return }
        effects.append(
            .mark(
                BackendMark(
                    decoy: decoy, stage: stage, user: user, request: request, connection: connections[id]?.name ?? "",
                    type: type)))
    }

    func has(_ bug: BackendBug) -> Bool { configuration.bugs.contains(bug) }

    func plays(_ decoy: BackendDecoy) -> Bool { configuration.decoys.contains(decoy) }
}
