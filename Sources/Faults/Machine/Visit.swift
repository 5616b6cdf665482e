package import Journaling
package import NIOCore
import Wire

/// A connection that a fault wants beside the session's own: to the same server, as the same user.
package struct ConnectRequest: Sendable, Hashable {
    /// So long after the fault acted.
    package var after: Duration
    /// How long it stays once it is accepted; nil: as long as the session.
    package var hold: Duration?
    /// The client's last message is said there too.
    package var repeats: Bool
    package init(after: Duration = .zero, hold: Duration?, repeats: Bool = false) {
        self.after = after
        self.hold = hold
        self.repeats = repeats
    }
}

/// A connection of ours, as its shell opens it: it becomes a session of its own, of which miswire is the client.
package struct Visit: Sendable, Equatable {
    package var from: SessionID
    /// Tells those of one session apart, from 1.
    package var number: Int
    package var fault: String
    package var kind: String
    /// The request of the session it is from, with a key of its own (RFC 6455 section 4.1).
    package var head: ByteBuffer
    /// Said as soon as it is accepted.
    package var says: [Message]
    package var hold: Duration?
    package var seed: UInt64

    /// What its session begins with.
    package func opened(as id: SessionID) -> Opened {
        Opened(transport: TransportID(id.value), peer: "miswire", fault: fault)
    }
}

/// The connections that one session's faults opened, and what they are made from.
struct Visits: Sendable {
    struct Planned: Sendable {
        var at: Instant
        var request: ConnectRequest
        var record: FaultRecord
    }
    /// Opened by one session in its life.
    static let most = 16
    /// A longer message is not kept for being said again.
    static let mostKept = 256 << 10

    /// The client's request; nil where no rule may ask for it.
    var head: ByteBuffer?
    /// The first message that brought a credential, and the last one.
    var bearer: Message?
    var last: Message?
    var count = 0
    var planned: [Planned] = []
    var asked: [(number: Int, record: FaultRecord)] = []

    var due: Instant { planned.reduce(.distantFuture) { min($0, $1.at) } }
}

extension SessionMachine {
    /// What a connection like this one would say, before the message goes through its faults.
    mutating func keepForVisits(_ message: Message) {
        guard visits.head != nil, message.direction == .toServer, message.payload.readableBytes <= Visits.mostKept else { return }
        var kept = message
        kept.payload = message.payload.compacted
        kept.isCompressed = false
        kept.wire = nil
        visits.last = kept
        guard visits.bearer == nil else { return }
        let secrets = configuration.finder.secrets(inMessage: kept.payload, opcode: kept.opcode, .toServer)
        if secrets.contains(where: \.isCredential) { visits.bearer = kept }
    }

    mutating func visit(
        _ request: ConnectRequest, _ step: Step, of ref: EntryRef, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let armed = trigger.rules[rule]
        let record = armed.record(
            direction == .toServer ? .serverOut : .clientOut, on: ref, "a connection of ours as \(user ?? "the same user")")
        if request.after > .zero {
            visits.planned.append(Visits.Planned(at: now.advanced(by: request.after), request: request, record: record))
        } else {
            ask(request, record, at: now, &output)
        }
    }

    /// Those whose time has come.
    mutating func visitsDue(at now: Instant, _ output: inout SessionOutput) {
        guard visits.due <= now else { return }
        let all = visits.planned
        visits.planned = all.filter { $0.at > now }
        for planned in all where planned.at <= now { ask(planned.request, planned.record, at: now, &output) }
    }

    private mutating func ask(
        _ request: ConnectRequest, _ record: FaultRecord, at now: Instant, _ output: inout SessionOutput
    ) {
        guard visits.count < Visits.most else {
            return refuse(record, "the session has opened \(Visits.most) already", at: now, &output)
        }
        guard let bytes = visits.head, let head = try? RequestHead(bytes) else {
            return refuse(record, "its own request cannot be said again", at: now, &output)
        }
        visits.count += 1
        var dice = trigger.dice("\(record.id) visit", .toServer, UInt32(clamping: visits.count))
        let key = AcceptKey.base64((0..<16).map { _ in UInt8(truncatingIfNeeded: dice.next()) })
        let last = request.repeats ? visits.last : nil
        var says = [visits.bearer, last].compactMap { $0 }
        // It was the one that brought the credential.
        if says.count == 2, says[0].entry == says[1].entry { says.removeLast() }
        visits.asked.append((visits.count, record))
        flushBoth(&output)
        output.commands.append(
            .visit(
                Visit(
                    from: id, number: visits.count, fault: record.id, kind: record.kind,
                    head: head.setting("Sec-WebSocket-Key", key), says: says, hold: request.hold, seed: dice.next())))
    }

    private mutating func refuse(_ record: FaultRecord, _ reason: String, at now: Instant, _ output: inout SessionOutput) {
        var record = record
        record.applied = false
        record.detail += ": \(reason)"
        note(.fault(record), at: now, &output)
    }

    /// The shell's answer to a visit: the session that it became, or why it was not opened.
    mutating func visited(
        _ number: Int, _ session: SessionID?, refused: String?, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let place = visits.asked.firstIndex(where: { $0.number == number }) else { return }
        var record = visits.asked.remove(at: place).record
        if let refused { return refuse(record, refused, at: now, &output) }
        record.detail += session.map { ": \($0)" } ?? ""
        note(.fault(record), at: now, &output)
    }

    /// None is opened any more, or none by these faults.
    mutating func endVisits(of gone: [String]? = nil, _ reason: String, at now: Instant, _ output: inout SessionOutput) {
        let planned = visits.planned.filter { gone?.contains($0.record.id) ?? true }
        visits.planned.removeAll { gone?.contains($0.record.id) ?? true }
        for one in planned { refuse(one.record, reason, at: now, &output) }
    }
}
