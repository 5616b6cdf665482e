package import Journaling
import NIOCore
import Wire

/// The client's end of a connection that a fault opened: miswire itself, a client that keeps to RFC 6455, answers Pings and
/// Closes, and reads what comes without doing anything about it. It stands where a socket would.
struct Guest: Sendable {
    private enum Stage: Sendable {
        /// The server has not answered the request.
        case waiting
        case open
        /// Our Close is out.
        case closing
        /// Our end is out.
        case ended
    }
    /// For whoever answers neither Close nor end.
    private static let patience = Duration.seconds(2)

    private let visit: Visit
    private var stage = Stage.waiting
    private var response = HeadParser(.response)
    private var frames = FrameParser(limit: 125)
    private var dice: Dice
    /// What the machine took from it, and gave it.
    private(set) var bytesIn: UInt64 = 0
    private(set) var bytesOut: UInt64 = 0
    private var isRead = true
    /// Said while it is not read.
    private var unread: [SessionEvent] = []
    private(set) var due = Instant.distantFuture
    /// Its end of the connection is closed for good.
    private(set) var isGone = false
    /// What the shell was asked for last.
    var wakeAsked = Instant.distantFuture

    init(_ visit: Visit) {
        self.visit = visit
        dice = Dice(
            DiceKey(seed: visit.seed, profile: "", user: "", connection: UInt64(clamping: visit.number)), direction: .toServer,
            message: 0, fault: visit.fault)
    }

    /// The fault's entry in the session that it made, for whoever looks at that one alone.
    var record: FaultRecord {
        FaultRecord(
            id: visit.fault, kind: visit.kind, influence: Influence(.connection, []), tap: .serverOut, on: nil,
            detail: "opened beside \(visit.from), with its request and a key of its own")
    }

    mutating func begin() -> [SessionEvent] { say(visit.head) }

    /// What the machine asks of the client's transport; nil when it asks somebody else.
    mutating func hears(_ command: SessionCommand, at now: Instant) -> [SessionEvent]? {
        switch command {
        case .write(.client, let bytes): return takes(bytes, at: now)
        case .flush(.client): return []
        case .finish(.client):
            defer { isGone = true }
            return isGone ? [] : end(at: now)
        case .close(.client, _):
            isGone = true
            return []
        case .reads(.client, let on):
            isRead = on
            guard on else { return [] }
            let waiting = unread
            unread = []
            return waiting.flatMap { emit($0) }
        // It is nobody's session that messages could be crossed with.
        case .label: return []
        default: return nil
        }
    }

    /// A bound of its own has come.
    mutating func wake(at now: Instant) -> [SessionEvent] {
        guard due <= now, !isGone else { return [] }
        due = .distantFuture
        switch stage {
        case .waiting, .closing: return end(at: now)
        case .open: return close(at: now)
        case .ended:
            isGone = true
            return []
        }
    }

    var fault: String { visit.fault }

    /// It has waited long enough for the server's end.
    var gaveUp: String? { isGone && stage == .ended ? visit.fault : nil }

    /// The session that it is from is over, or its fault is to stop.
    mutating func leave(at now: Instant) -> [SessionEvent] {
        if isGone { return [] }
        switch stage {
        case .waiting: return end(at: now)
        case .open: return close(at: now)
        case .closing, .ended: return []
        }
    }

    // MARK: From the server

    private mutating func takes(_ bytes: ByteBuffer, at now: Instant) -> [SessionEvent] {
        guard !isGone else { return [.undelivered(.client, UInt64(clamping: bytes.readableBytes))] }
        bytesOut &+= UInt64(clamping: bytes.readableBytes)
        switch stage {
        case .waiting: return takesHead(bytes, at: now)
        case .open, .closing: return takesFrames(bytes, at: now)
        case .ended: return []
        }
    }

    private mutating func takesHead(_ bytes: ByteBuffer, at now: Instant) -> [SessionEvent] {
        response.feed(bytes)
        while true {
            switch response.next() {
            case .partial, .request: return []
            case .response(let head) where head.isInterim: continue
            case .response(let head) where head.status == 101:
                stage = .open
                if let hold = visit.hold { due = now.advanced(by: hold) }
                var events: [SessionEvent] = []
                for message in visit.says { events += say(frame(message.opcode, message.payload)) }
                return events + takesFrames(response.takeHeld(), at: now)
            case .response, .notHTTP, .refused: return end(at: now)
            }
        }
    }

    private mutating func takesFrames(_ bytes: ByteBuffer, at now: Instant) -> [SessionEvent] {
        frames.feed(bytes)
        var events: [SessionEvent] = []
        while stage == .open || stage == .closing {
            switch frames.next() {
            case .partial: return events
            case .oversize, .piece: continue
            case .illegal: events += end(at: now)
            case .frame(let frame, _):
                if frame.opcode == .ping { events += say(self.frame(.pong, frame.payload)) }
                guard frame.opcode == .close else { continue }
                if stage == .open { events += say(self.frame(.close, frame.payload)) }
                events += end(at: now)
            }
        }
        return events
    }

    // MARK: To the server

    private mutating func close(at now: Instant) -> [SessionEvent] {
        stage = .closing
        due = now.advanced(by: Self.patience)
        return say(frame(.close, CloseBody(code: 1000).payload))
    }

    private mutating func end(at now: Instant) -> [SessionEvent] {
        guard stage != .ended else { return [] }
        stage = .ended
        due = now.advanced(by: Self.patience)
        return emit(.ended(.client, .finish))
    }

    private mutating func frame(_ opcode: Opcode, _ payload: ByteBuffer) -> ByteBuffer {
        FrameWriter.bytes(Frame(opcode: opcode, maskKey: UInt32(truncatingIfNeeded: dice.next()), payload: payload))
    }

    private mutating func say(_ bytes: ByteBuffer) -> [SessionEvent] { emit(.received(.client, bytes)) }

    private mutating func emit(_ event: SessionEvent) -> [SessionEvent] {
        guard isRead else {
            unread.append(event)
            return []
        }
        if case .received(_, let bytes) = event { bytesIn &+= UInt64(clamping: bytes.readableBytes) }
        return [event]
    }
}

extension SessionMachine {
    /// A session that a fault opened: its client is within, and no fault acts on it.
    package init(configuration: SessionConfiguration, id: SessionID, visit: Visit) {
        self.init(configuration: configuration.withoutFaults, id: id)
        guest = Guest(visit)
    }

    /// Bytes taken from and given to the client within; nil when the client is a socket.
    package var guestBytes: (in: UInt64, out: UInt64)? { guest.map { ($0.bytesIn, $0.bytesOut) } }
    /// The client within has closed its end.
    package var isGuestGone: Bool { guest?.isGone ?? true }

    /// Whatever the machine says to its client is heard within, and answered, before the shell gets the rest.
    mutating func attend(_ event: SessionEvent, at now: Instant, into output: inout SessionOutput) {
        var queue = [event]
        var next = 0
        var kept = output.commands.count
        if case .wake = event { guest?.wakeAsked = .distantFuture }
        while next < queue.count {
            // Whatever rules hold, they are for others; without its own it leaves.
            if case .reconfigure(let other) = queue[next] {
                if !other.names(guest?.fault ?? "") { queue += guest?.leave(at: now) ?? [] }
            } else {
                react(queue[next], at: now, into: &output)
            }
            switch queue[next] {
            case .accepted:
                if let record = guest?.record { note(.fault(record), at: now, &output) }
                queue += guest?.begin() ?? []
            case .wake:
                queue += guest?.wake(at: now) ?? []
                if phase != .over, let fault = guest?.gaveUp { overBy(.fault, cause: fault, server: .reset, at: now, &output) }
            case .leave, .faultsOff: queue += guest?.leave(at: now) ?? []
            case .closed: return
            default: break
            }
            next += 1
            let fresh = Array(output.commands[kept...])
            output.commands.removeSubrange(kept...)
            for command in fresh {
                if case .wake = command { continue }
                if let events = guest?.hears(command, at: now) { queue += events } else { output.commands.append(command) }
            }
            kept = output.commands.count
        }
        let due = min(wakeAsked, guest?.due ?? .distantFuture)
        guard due != guest?.wakeAsked else { return }
        guest?.wakeAsked = due
        output.commands.append(.wake(at: due))
    }
}
