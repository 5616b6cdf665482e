import Journaling
import NIOCore
import Wire

/// A message of this session that travels on another one, until the shell says whether it arrived.
struct OpenCrossing: Sendable {
    var record: FaultRecord
    var message: EntryRef
}

extension SessionMachine {
    // MARK: Out

    mutating func cross(
        _ message: Message, _ selector: SessionSelector, _ step: Step, _ direction: Direction, original: ByteBuffer,
        goesOnHere: Bool, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let armed = trigger.rules[rule]
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        let record = FaultRecord(
            id: armed.rule.id, kind: armed.rule.kind, influence: armed.fault.influence, tap: kind.tap,
            on: message.entry, detail: armed.detail(for: direction))
        let crossing = Crossing(
            message: message, from: id, fromUser: user, fault: armed.rule.id, kind: armed.rule.kind,
            influence: armed.fault.influence, selector: selector)
        if !selector.namesBoth, carriesCredential(message) {
            var refused = record
            refused.applied = false
            refused.detail = "the message carries a credential and the profile does not name both users"
            note(.fault(refused), at: now, &output)
            guard !goesOnHere else { return }
            return depart(
                ownBytes(message, direction, original), .departure(.frame, Provenance(source: message.entry)), direction,
                until: nil, at: now, &output)
        }
        send(crossing, record, goesOnHere ? nil : ownBytes(message, direction, original), direction, at: now, &output)
    }

    /// - Parameter held: what goes on here if the other session does not take it; nil when it went on anyway.
    private mutating func send(
        _ crossing: Crossing, _ record: FaultRecord, _ held: ByteBuffer?, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) {
        crossings.append(OpenCrossing(record: record, message: crossing.message.entry))
        if let held {
            queue(
                .crossing(crossing.message.entry, fault: crossing.fault, held), direction, until: .distantFuture,
                at: now, &output)
        }
        flushBoth(&output)
        output.commands.append(.cross(crossing))
    }

    /// For a message that may yet go on here. Not deflated where all is deflated anew: whether it goes is known too late
    /// for its place in the context.
    private mutating func ownBytes(
        _ message: Message, _ direction: Direction, _ original: ByteBuffer
    ) -> ByteBuffer {
        let mustEncode = message.changed || (message.isCompressed && self[direction].work?.isRecoding == true)
        guard mustEncode else { return original }
        var plain = message
        plain.isCompressed = message.isCompressed && self[direction].work?.isRecoding != true
        return encode(plain, direction)
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
        answered(entry, fault: crossing.fault, refused: refused, partner: crossing.partner, at: now, &output)
        let keep = refused.map { _ in Outbox.Note.departure(.frame, Provenance(source: entry)) }
        _ = self[crossing.message.direction].outbox.settle(entry, fault: crossing.fault, keep: keep, at: now)
    }

    /// The fault's entry, now that it is known whether it acted.
    mutating func answered(
        _ ref: EntryRef, fault: String, refused: String?, partner: String?, at now: Instant,
        _ output: inout SessionOutput
    ) {
        guard let index = crossings.firstIndex(where: { $0.message == ref && $0.record.id == fault }) else { return }
        var record = crossings.remove(at: index).record
        record.partner = partner
        if let refused {
            record.applied = false
            record.detail += ": \(refused)"
        }
        note(.fault(record), at: now, &output)
    }

    // MARK: In

    mutating func crossed(_ crossing: Crossing, at now: Instant, _ output: inout SessionOutput) {
        let direction = crossing.message.direction
        guard phase == .relaying, !self[direction].isShut, self[direction].mode == .scan || self[direction].mode == .work
        else {
            return output.commands.append(.answer(crossing, refused: "the partner's session takes no messages"))
        }
        self[direction].inserts.append(crossing)
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
        for crossing in waiting {
            var message = crossing.message
            message.isCompressed = false
            let provenance = Provenance(source: message.entry, faults: [crossing.fault])
            depart(
                encode(message, direction), .departure(.frame, provenance), direction, until: nil, at: now, &output)
            if crossing.selector.exchange { self[direction].owed.append(crossing) }
        }
    }

    /// The next message of this direction, in exchange for one that came in.
    mutating func payBack(
        _ message: Message, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let owed = self[direction].owed.first else { return }
        self[direction].owed.removeFirst()
        let original = joinedWaiting(direction)
        var message = message
        message.entry = tellArrival(direction, at: now, &output)
        if message.isCompressed { recodeFromHere(direction) }
        let record = FaultRecord(
            id: owed.fault, kind: owed.kind, influence: owed.influence,
            tap: direction == .toServer ? .serverOut : .clientOut, on: message.entry,
            detail: "goes to \(owed.fromUser ?? "\(owed.from)") in exchange")
        guard !carriesCredential(message) || owed.selector.namesBoth else {
            notApplied(owed, "the message carries a credential", on: message.entry, at: now, &output)
            return depart(
                ownBytes(message, direction, original), .departure(.frame, Provenance(source: message.entry)), direction,
                until: nil, at: now, &output)
        }
        let back = Crossing(
            message: message, from: id, fromUser: user, fault: owed.fault, kind: owed.kind, influence: owed.influence,
            selector: SessionSelector(.session(owed.from), exchange: false, namesBoth: owed.selector.namesBoth))
        send(back, record, ownBytes(message, direction, original), direction, at: now, &output)
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
