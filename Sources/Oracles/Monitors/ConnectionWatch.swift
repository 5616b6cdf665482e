import Journaling
import Wire

/// Follows each connection through its states, by the server's ledger, and tells what its monitors need to know of it.
struct ConnectionWatch: Sendable {
    struct Connection: Sendable {
        var state = ConnectionState.connecting
        var user: String?
        let opened: Instant
        /// Taken from the client, given to the server, answered by it.
        var requestedAt: Instant?
        var askedAt: Instant?
        var answeredAt: Instant?
        /// What its loop had told of a crowded machine when it was requested.
        var crowded: UInt64 = 0
        /// A fault, or a limit of ours, acted here before it was decided what becomes of it.
        var isTouched = false
        /// Faults made its credential what it is.
        var isForged = false
        /// Nothing can be told of its end: cut by us, unreadable, or its client broke the rules.
        var isObscured = false
        /// Its server is not read from.
        var isHeld = false
        /// It was up once.
        var wasOpen = false
        var isDecided = false
        var isRefused = false
        /// A Ping of the server has no Pong yet.
        var isPinged = false
        /// Who ended it first.
        var endedBy: Side?
        /// Who sent the first Close, or ended it first, of his own accord.
        var leftBy: Side?
        /// Its server ended it while neither side had sent a Close.
        var isDropped = false
        /// It went without a clean end, and its client had no part in that.
        var isLost = false
        /// Its server did not answer as long as miswire waits (trust.md L2).
        var isTimedOut = false
        func card(_ id: SessionID) -> ConnectionCard { ConnectionCard(session: id, user: user, leftBy: leftBy) }
    }

    /// False: the journal holds what happens once a session does, and no frames.
    let seesFrames: Bool
    /// The event that ends `authenticating`; nil = the accept.
    let ready: String?
    /// Codes of a Close with which a server ends a connection well.
    private let clean: [Int]
    /// Live ones, each at its place; whichever is gone gives it up.
    private var places = NumberPlaces()
    private var connections: [Connection?] = []
    /// Live ones, in the order of `ConnectionState.allCases`.
    private(set) var counts: [ConnectionState: Int] = [:]
    /// When a server said something to anybody, or a fault of ours acted on what it said.
    var lastWord: Instant?
    /// Nanoseconds in which the machine had no processor to spare, by the loop that told it.
    private var crowded: [UInt16: UInt64] = [:]
    /// What a client that leaves before it is answered must have waited to count.
    private static let patience: Duration = .seconds(1)

    init(ready: String?, clean: [Int], seesFrames: Bool) {
        self.ready = ready
        self.clean = clean
        self.seesFrames = seesFrames
    }

    private(set) subscript(id: SessionID) -> Connection? {
        get { places[UInt64(id.value)].flatMap { connections[$0] } }
        _modify {
            var nobody: Connection?
            if let place = places[UInt64(id.value)] { yield &connections[place] } else { yield &nobody }
        }
    }

    func card(_ id: SessionID) -> ConnectionCard { self[id]?.card(id) ?? ConnectionCard(session: id) }

    private mutating func add(_ id: SessionID, at now: Instant) {
        let place = places.add(UInt64(id.value))
        if place < connections.count { connections[place] = Connection(opened: now) } else { connections.append(Connection(opened: now)) }
    }

    mutating func observe(_ entry: Entry, _ out: inout [Signal]) {
        guard let id = entry.session else {
            if case .tick(let more) = entry.body, more > 0 { crowded[entry.loop] = (crowded[entry.loop] ?? 0) &+ more }
            return
        }
        switch entry.body {
        case .opened(let opened):
            // What a fault opened is nobody's connection, and what was written after messages has no states.
            guard opened.fault == nil, !opened.isMadeUp else { return }
            add(id, at: entry.instant)
            counts[.connecting, default: 0] += 1
            out.append(.moved(card(id), to: .connecting))
        case .head(let head): read(head, id, loop: entry.loop, &out)
        case .facts(let facts):
            guard facts.tap == .serverOut else { return }
            if let user = facts.user { self[id]?.user = user }
            if !facts.faults.isEmpty { self[id]?.isForged = true }
        case .became(let became): decide(became, id, at: entry.instant, loop: entry.loop, &out)
        case .frame(let frame): read(frame, id, &out)
        case .fault(let fault): read(fault, id, &out)
        case .limit(let limit):
            let isServers = limit.id == "L2" && self[id]?.state == .upgrading
            if isServers { self[id]?.isTimedOut = true } else { self[id]?.isTouched = true }
        case .hold(let hold): if hold.side == .server { self[id]?.isHeld = hold.isHeld }
        case .ended(let end): read(end, id)
        case .closed: close(id, at: entry.instant, &out)
        case .bytes(let bytes):
            if bytes.kind != .opaque { self[id]?.isObscured = true }
        case .recoded, .note, .tick, .target: break
        }
    }

    mutating func obscure(_ id: SessionID) { self[id]?.isObscured = true }

    /// The event that makes it ready has come.
    mutating func becomeReady(_ id: SessionID, _ out: inout [Signal]) {
        if self[id]?.state == .authenticating { move(id, to: .open, &out) }
    }

    private mutating func move(_ id: SessionID, to state: ConnectionState, _ out: inout [Signal]) {
        guard let old = self[id]?.state, old != state else { return }
        self[id]?.state = state
        if state == .open { self[id]?.wasOpen = true }
        counts[old, default: 0] -= 1
        if state != .closed { counts[state, default: 0] += 1 }
        out.append(.moved(card(id), to: state))
    }

    private mutating func read(_ head: HeadRecord, _ id: SessionID, loop: UInt16, _ out: inout [Signal]) {
        guard let known = self[id] else { return }
        switch head.passage.direction {
        case .toServer:
            // Whoever was refused may ask again on the same connection.
            if known.isRefused { begin(id, &out) }
            guard self[id]?.state == .connecting else { return }
            if self[id]?.requestedAt == nil {
                self[id]?.requestedAt = head.passage.in ?? head.passage.out
                let lost = crowded[loop] ?? 0
                self[id]?.crowded = lost
            }
            guard let asked = head.passage.out else { return }
            self[id]?.askedAt = asked
            move(id, to: .upgrading, &out)
        case .toClient: self[id]?.answeredAt = head.passage.in
        }
    }

    private mutating func decide(_ became: Became, _ id: SessionID, at now: Instant, loop: UInt16, _ out: inout [Signal]) {
        guard let known = self[id], !known.isDecided else { return }
        self[id]?.isDecided = true
        switch became {
        case .opaque:
            // No upgrade was asked for, or its answer is none.
            self[id]?.isDecided = known.askedAt.map { $0 >= now } ?? true
            tellUnanswered(id, at: now, isOver: true, &out)
            leave(id, &out)
        case .refused(let status):
            self[id]?.isRefused = true
            if !known.isForged, !known.isTouched || status < 500 { out.append(.refused(known.card(id), status: status)) }
            move(id, to: .closing, &out)
        case .accepted:
            if !known.isTouched, let requested = known.requestedAt {
                let lost = Duration.nanoseconds(Int64(clamping: (crowded[loop] ?? 0) &- known.crowded))
                out.append(.connected(known.card(id), took: requested.duration(to: known.answeredAt ?? now), crowded: lost))
            }
            move(id, to: ready == nil ? .open : .authenticating, &out)
        }
    }

    private mutating func read(_ frame: FrameRecord, _ id: SessionID, _ out: inout [Signal]) {
        guard frame.frame.opcode.isControl, frame.passage.atServer != nil, let known = self[id] else { return }
        switch (frame.frame.opcode, frame.passage.direction) {
        case (.ping, .toClient): self[id]?.isPinged = true
        case (.pong, .toServer): self[id]?.isPinged = false
        case (.close, let direction):
            if direction == .toClient, known.state != .closing {
                let payload = frame.frame.payload
                let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map { Int($0) } ?? 1005
                if !clean.contains(code) { self[id]?.isLost = true }
                if !known.isForged { out.append(.closed(known.card(id), code: code)) }
            }
            if known.leftBy == nil { self[id]?.leftBy = direction.source }
            move(id, to: .closing, &out)
        default: break
        }
    }

    private mutating func read(_ fault: FaultRecord, _ id: SessionID, _ out: inout [Signal]) {
        guard fault.applied, let known = self[id] else { return }
        if !known.isDecided || known.state == .authenticating { self[id]?.isTouched = true }
        if fault.influence.excuses.contains(.ending) || fault.influence.reach == .connection { self[id]?.isObscured = true }
        if fault.tap == .serverIn || fault.tap == .clientOut { out.append(.touched(known.card(id))) }
    }

    private mutating func read(_ end: EndRecord, _ id: SessionID) {
        guard let known = self[id] else { return }
        if end.by != .peer { self[id]?.isObscured = true }
        let wasUp = known.state == .open || known.state == .authenticating
        if wasUp, known.endedBy == nil, end.by == .fault || end.by == .peer && end.side == .server { self[id]?.isLost = true }
        guard known.endedBy == nil else { return }
        self[id]?.endedBy = end.side
        if known.leftBy == nil, end.by == .peer, !known.isObscured { self[id]?.leftBy = end.side }
        // A reset overtakes what was said before it; a peer that is silent may be given up.
        let isLoss = end.style == .reset && end.undelivered > 0
        self[id]?.isDropped = end.side == .server && wasUp && !isLoss && !known.isPinged && !known.isHeld
    }

    private mutating func close(_ id: SessionID, at now: Instant, _ out: inout [Signal]) {
        guard let known = self[id] else { return }
        if known.isDropped, !known.isObscured, seesFrames {
            out.append(.invalid(known.card(id), "\(known.state.rawValue) to closed: the server ends the connection without a Close"))
        }
        if known.isLost, known.wasOpen { out.append(.lost(known.card(id))) }
        tellUnanswered(id, at: now, isOver: known.leftBy != nil, &out)
        leave(id, &out)
    }

    /// Nothing was answered, and neither a fault nor its client explains it.
    /// - Parameter isOver: a peer ended it, and not miswire, which may be shutting down.
    private func tellUnanswered(_ id: SessionID, at now: Instant, isOver: Bool, _ out: inout [Signal]) {
        guard let known = self[id], !known.isDecided, !known.isTouched, let requested = known.requestedAt else { return }
        if known.isTimedOut {
            out.append(.unanswered(known.card(id), "no answer to the upgrade"))
        } else if !isOver {
            return
        } else if known.endedBy != .client {
            out.append(.unanswered(known.card(id), "the server is gone or ends the connection before it answers"))
        } else if requested.duration(to: now) >= Self.patience {
            out.append(.unanswered(known.card(id), "its client gives up"))
        }
    }

    private mutating func leave(_ id: SessionID, _ out: inout [Signal]) {
        move(id, to: .closed, &out)
        guard let place = places.remove(UInt64(id.value)) else { return }
        connections[place] = nil
    }

    private mutating func begin(_ id: SessionID, _ out: inout [Signal]) {
        guard let old = self[id] else { return }
        var fresh = Connection(opened: old.opened)
        (fresh.user, fresh.isTouched, fresh.isObscured, fresh.isHeld) = (old.user, old.isTouched, old.isObscured, old.isHeld)
        fresh.state = old.state
        self[id] = fresh
        move(id, to: .connecting, &out)
    }
}
