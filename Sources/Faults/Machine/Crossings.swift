import Journaling
import NIOCore
import Wire

/// A message of this session that travels on another one, until the shell says whether it arrived.
struct OpenCrossing: Sendable {
    var record: FaultRecord
    var message: EntryRef
    /// What goes on here, in bytes, if the other session does not take it; 0 when it went on anyway.
    var held: Int
}

/// A message that waits for its place between two others.
struct Insert: Sendable {
    var crossing: Crossing
    /// Of what a fault of this session says itself: written when it is said.
    var record: FaultRecord?
}

extension SessionMachine {
    // MARK: Out

    /// - Parameter parts: its frames, which go on here if the other session does not take it; nil when something did anyway.
    mutating func cross(
        _ message: Message, _ selector: SessionSelector, _ step: Step, _ direction: Direction,
        returning parts: [Outbox.Part]?, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let armed = trigger.rules[rule]
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        let record = armed.record(kind.tap, on: message.entry, armed.detail(for: direction))
        let crossing = Crossing(
            message: message, from: id, fromUser: user, fault: armed.rule.id, kind: armed.rule.kind,
            influence: armed.fault.influence, selector: selector)
        let held = parts.map { own($0, of: message, direction, faults: step.faults.dropLast()) }
        if !selector.namesBoth, carriesCredential(message) {
            var refused = record
            refused.applied = false
            refused.detail = "the message carries a credential and the profile does not name both users"
            note(.fault(refused), at: now, &output)
            return goOn(held ?? [], direction, at: now, &output)
        }
        send(crossing, record, held, direction, at: now, &output)
    }

    /// - Parameter held: what goes on here if the other session does not take it; nil when it went on anyway.
    private mutating func send(
        _ crossing: Crossing, _ record: FaultRecord, _ held: [Outbox.Part]?, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) {
        // What its new owner's server makes of it, and whom it shows it, is our doing.
        var crossing = crossing
        if direction == .toServer, let plain = Canary.declassified(crossing.message.payload) { crossing.message.payload = plain }
        let most = configuration.limits.heldBytes
        let item = Outbox.Item.crossing(crossing.message.entry, fault: crossing.fault, held ?? [])
        if let held, self[direction].outbox.bytes + item.size > most {
            // Two sessions would bear it, if it had to go on here before the answer.
            var refused = record
            refused.applied = false
            refused.detail += ": more than \(most) bytes would be held for the answer"
            note(.fault(refused), at: now, &output)
            return goOn(held, direction, at: now, &output)
        }
        crossings.append(
            OpenCrossing(
                record: record, message: crossing.message.entry, held: held?.reduce(0) { $0 + ($1.isAside ? 0 : $1.bytes.readableBytes) } ?? 0))
        if held != nil {
            queue(item, direction, until: .distantFuture, at: now, &output)
        }
        flushBoth(&output)
        output.commands.append(.cross(crossing))
    }

    /// For a message that may yet go on here. Not deflated where all is deflated anew: whether it goes is known too late
    /// for its place in the context.
    /// - Parameter faults: that changed it.
    private mutating func own(
        _ parts: [Outbox.Part], of message: Message, _ direction: Direction, faults: ArraySlice<String> = []
    ) -> [Outbox.Part] {
        let mustEncode = message.changed || (message.isCompressed && self[direction].work?.isRecoding == true)
        guard mustEncode else { return parts }
        var plain = message
        plain.isCompressed = message.isCompressed && self[direction].work?.isRecoding != true
        let provenance = Provenance(source: message.entry, faults: Array(faults))
        let whole = Outbox.Part(bytes: encode(plain, direction), note: .departure(.frame, provenance), isAside: false)
        return parts.filter(\.isAside) + [whole]
    }

    private mutating func goOn(
        _ parts: [Outbox.Part], _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        for part in parts { depart(part.bytes, part.note, direction, until: nil, at: now, &output) }
    }

    private func carriesCredential(_ message: Message) -> Bool {
        configuration.finder.secrets(inMessage: message.payload, opcode: message.opcode, message.direction)
            .contains(where: \.isCredential)
    }

    // MARK: Answers

    mutating func settled(
        _ crossing: Crossing, refused: String?, at now: Instant, _ output: inout SessionOutput
    ) {
        let entry = crossing.message.entry
        let direction = crossing.message.direction
        let held = crossings.first { $0.message == entry && $0.record.id == crossing.fault }?.held ?? 0
        answered(entry, fault: crossing.fault, refused: refused, partner: crossing.partner, at: now, &output)
        let isHeld = self[direction].outbox.settle(entry, fault: crossing.fault, isRefused: refused != nil, at: now)
        // It comes back to where nothing goes on any more.
        if !isHeld, refused != nil, self[direction].isShut { ends.lost(direction.destination, held) }
    }

    /// The fault's entry, now that it is known whether it acted.
    mutating func answered(
        _ ref: EntryRef, fault: String, refused: String?, partner: String?, at now: Instant,
        _ output: inout SessionOutput
    ) {
        guard let index = crossings.firstIndex(where: { $0.message == ref && $0.record.id == fault }) else { return }
        var record = crossings.remove(at: index).record
        record.partner = partner ?? record.partner
        if let refused {
            record.applied = false
            record.detail += ": \(refused)"
        }
        note(.fault(record), at: now, &output)
    }

    // MARK: In

    /// A message of ours, which is between two others as soon as it can be.
    mutating func insert(_ message: Message, _ step: Step, of ref: EntryRef, at now: Instant, _ output: inout SessionOutput) {
        let direction = message.direction
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let armed = trigger.rules[rule]
        let record = armed.record(
            direction == .toServer ? .serverOut : .clientOut, on: ref,
            "\(message.payload.readableBytes) bytes of ours to \(direction.destination.rawValue)")
        let crossing = Crossing(
            message: message, from: id, fromUser: user, fault: armed.rule.id, kind: armed.rule.kind,
            influence: armed.fault.influence, selector: SessionSelector(.session(id), exchange: false))
        self[direction].inserts.append(Insert(crossing: crossing, record: record))
        guard phase == .relaying, !self[direction].isShut, self[direction].mode == .scan || self[direction].mode == .work else {
            return dropInserts(direction, at: now, &output)
        }
        if self[direction].isBetweenMessages { insertWaiting(direction, at: now, &output) }
    }

    mutating func crossed(_ crossing: Crossing, at now: Instant, _ output: inout SessionOutput) {
        let direction = crossing.message.direction
        guard phase == .relaying, !self[direction].isShut, self[direction].mode == .scan || self[direction].mode == .work
        else {
            return output.commands.append(.answer(crossing, refused: "the partner's session takes no messages"))
        }
        self[direction].inserts.append(Insert(crossing: crossing))
        if self[direction].isBetweenMessages {
            insertWaiting(direction, at: now, &output)
            if !self[direction].owed.isEmpty, self[direction].mode == .scan {
                switchToWork(ByteBuffer(), direction, at: now, &output)
            }
        }
        output.commands.append(.answer(crossing, refused: nil))
    }

    /// Messages of other sessions go out, uncompressed, which every receiver must take (RFC 7692 section 6).
    mutating func insertWaiting(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        let waiting = self[direction].inserts
        self[direction].inserts = []
        for insert in waiting {
            let crossing = insert.crossing
            if let record = insert.record { note(.fault(record), at: now, &output) }
            var message = crossing.message
            message.isCompressed = false
            let source = message.entry.ordinal > 0 ? message.entry : nil
            let provenance = Provenance(source: source, faults: [crossing.fault])
            depart(
                encode(message, direction), .departure(.frame, provenance), direction, until: nil, at: now, &output)
            if crossing.selector.exchange { self[direction].owed.append(crossing) }
        }
    }

    /// No place comes any more.
    mutating func dropInserts(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        let waiting = self[direction].inserts
        self[direction].inserts = []
        for insert in waiting {
            let crossing = insert.crossing
            var record = insert.record ?? FaultRecord(
                id: crossing.fault, kind: crossing.kind, influence: crossing.influence,
                tap: direction == .toServer ? .serverOut : .clientOut, on: nil,
                detail: "a message of \(crossing.fromUser ?? "\(crossing.from)")", partner: crossing.fromUser)
            record.applied = false
            record.detail += ": no place between two messages came"
            note(.fault(record), at: now, &output)
        }
    }

    /// The next message of this direction, in exchange for one that came in.
    mutating func payBack(
        _ message: Message, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let owed = self[direction].owed.first else { return }
        self[direction].owed.removeFirst()
        var message = message
        let taken = tellArrival(direction, mayReturn: true, at: now, &output)
        message.entry = taken.last
        if message.isCompressed { recodeFromHere(direction) }
        let held = own(taken.parts, of: message, direction)
        let record = FaultRecord(
            id: owed.fault, kind: owed.kind, influence: owed.influence,
            tap: direction == .toServer ? .serverOut : .clientOut, on: message.entry,
            detail: "goes to \(owed.fromUser ?? "\(owed.from)") in exchange", partner: owed.fromUser)
        guard !carriesCredential(message) || owed.selector.namesBoth else {
            notApplied(owed, "the message carries a credential", on: message.entry, at: now, &output)
            return goOn(held, direction, at: now, &output)
        }
        let back = Crossing(
            message: message, from: id, fromUser: user, fault: owed.fault, kind: owed.kind, influence: owed.influence,
            selector: SessionSelector(.session(owed.from), exchange: false, namesBoth: owed.selector.namesBoth))
        send(back, record, held, direction, at: now, &output)
    }

    mutating func notApplied(
        _ owed: Crossing, _ reason: String, on ref: EntryRef? = nil, at now: Instant, _ output: inout SessionOutput
    ) {
        note(
            .fault(
                FaultRecord(
                    id: owed.fault, kind: owed.kind, influence: owed.influence,
                    tap: owed.message.direction == .toServer ? .serverOut : .clientOut, on: ref,
                    detail: "nothing goes back in exchange: \(reason)", applied: false)), at: now, &output)
    }
}

extension ArmedRule {
    /// The mode, for the fault's entry.
    func detail(for direction: Direction) -> String {
        let mode = rule.settings.values.first { $0.name == "mode" }?.values.first ?? "swap"
        return "\(mode) \(direction == .toServer ? "to server" : "to client")"
    }
}
