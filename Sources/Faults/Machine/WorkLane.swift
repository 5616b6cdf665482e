import Journaling
import NIOCore
import Wire

/// The work lane: frames told apart, messages lifted, tried against the triggers, and sent on as they came unless a
/// fault says otherwise.
extension SessionMachine {
    mutating func receivedWorked(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        self[direction].work?.parser.feed(bytes)
        work(direction, at: now, &output)
    }

    mutating func work(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        while phase != .over, self[direction].mode == .work, !isStalled(direction),
            let result = self[direction].work?.parser.next()
        {
            switch result {
            case .partial:
                return returnToScan(direction)
            case .frame(let frame, let wire):
                take(frame, wire, direction, at: now, &output)
            case .oversize(let header):
                oversize(header, direction, at: now, &output)
            case .piece(let bytes, let last):
                pass(bytes, .bytes(.oversize), direction, arrived: now, at: now, &output)
                if last { passed(direction, at: now, &output) }
            case .illegal(let bytes, _):
                letGo(direction, at: now, &output)
                sendLater(direction, at: now, &output)
                self[direction].mode = .raw(.illegal)
                dropInserts(direction, at: now, &output)
                pass(bytes, .bytes(.illegal), direction, arrived: now, at: now, &output)
            }
        }
        if phase == .over { abandonFrames(direction, at: now, &output) }
    }

    /// A frame of an early client that may be compressed: what it means is in the server's answer.
    private func isStalled(_ direction: Direction) -> Bool {
        guard self[direction].work?.isNegotiated == false else { return false }
        return (self[direction].work?.parser.nextHeader?.rsv ?? 0) & 4 != 0
    }

    private mutating func take(
        _ frame: Frame, _ wire: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard self[direction].work != nil else { return }
        if frame.opcode == .close { sendLater(direction, at: now, &output) }
        let begins = frame.opcode == .text || frame.opcode == .binary
        if begins, self[direction].work?.isHolding == true { letGo(direction, at: now, &output) }
        let message = self[direction].work?.assembler.take(frame)
        if begins {
            let isCompressed = frame.rsv & 4 != 0 && self[direction].work?.isNegotiated == true
                && self[direction].work?.parameters != nil
            self[direction].work?.isCompressed = isCompressed
            let isHolding = mustHold(frame, isCompressed, direction, at: now)
            self[direction].work?.isHolding = isHolding
        }
        let isData = frame.opcode.isOfMessage
        if self[direction].work?.isHolding == true {
            hold(wire, direction, at: now, &output)
        } else if !isData, control(frame, wire, direction, at: now, &output) {
            // A fault has it.
        } else {
            pass(wire, .frame, direction, arrived: now, at: now, &output)
            if isData { self[direction].work?.isMidMessage = !frame.fin }
        }
        if isData, let message, frame.fin { decide(message, direction, at: now, &output) }
        if isData, let message, frame.fin { passLater(message.ordinal, direction, at: now, &output) }
        if self[direction].work?.isBetweenMessages == true, !self[direction].inserts.isEmpty {
            insertWaiting(direction, at: now, &output)
        }
    }

    /// A frame that belongs to no message, through the rules that select it. Among fragments that wait it waits with them.
    private mutating func control(
        _ frame: Frame, _ wire: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) -> Bool {
        let limits = JSONLimits(depth: configuration.limits.jsonDepth, nodes: configuration.limits.jsonNodes)
        let lifted = LiftedMessage(opcode: frame.opcode, payload: frame.payload, limits: limits)
        let ordinal = self[direction].work?.assembler.ordinal ?? 0
        let selected = trigger.selected(control: lifted, direction, ordinal: ordinal, at: now)
        guard !selected.isEmpty else { return false }
        if !self[direction].isClear { self[direction].outbox.hasHold = true }
        let ref = EntryRef(session: id, ordinal: nextOrdinal)
        var message = Message(direction: direction, opcode: frame.opcode, payload: frame.payload, ordinal: ordinal, entry: ref)
        if selected.contains(where: { type(of: trigger.rules[$0].fault).group == .frame }) { message.wire = wire }
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        let chained = chain(.message(message), selected, kind, direction, ordinal: ordinal, on: ref, at: now)
        if chained.passesWhole {
            pass(wire, .frame, direction, arrived: now, at: now, &output)
        } else {
            piece(direction, .frame, wire, in: now, out: nil, at: now, &output)
        }
        for record in chained.records { note(.fault(record), at: now, &output) }
        perform(chained, of: ref, direction, original: wire, at: now, &output)
        return true
    }

    /// Whether the message that begins with this frame waits for its end before anything of it goes on.
    private func mustHold(_ frame: Frame, _ isCompressed: Bool, _ direction: Direction, at now: Instant) -> Bool {
        guard let work = self[direction].work else { return false }
        if !self[direction].owed.isEmpty { return true }
        if isCompressed, work.isRecoding { return true }
        if direction == .toServer, trigger.awaitsUser, !frame.opcode.isControl { return true }
        return trigger.mightSelect(direction, opcode: frame.opcode, ordinal: work.assembler.ordinal, at: now)
    }

    private mutating func hold(
        _ wire: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        self[direction].work?.pending.append(wire, arrived: now)
        guard let work = self[direction].work, work.pending.count > 1 else { return }
        if work.pending.size > configuration.limits.messageBytes {
            limit("L4", "a message over \(configuration.limits.messageBytes) bytes is not lifted", direction, at: now, &output)
            letGo(direction, at: now, &output)
        } else if work.pending.count > configuration.limits.messageFragments {
            limit("L4", "a message of over \(configuration.limits.messageFragments) frames is not lifted", direction, at: now, &output)
            letGo(direction, at: now, &output)
        }
    }

    /// What waits undecided goes on as it came; the rest of its message will follow unheld.
    mutating func letGo(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard let work = self[direction].work, work.isHolding else { return }
        self[direction].work?.isHolding = false
        self[direction].work?.isMidMessage = work.assembler.inMessage
        sendWaiting(direction, at: now, &output)
    }

    mutating func sendWaiting(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        let waiting = self[direction].work?.pending.take() ?? []
        for frame in waiting { pass(frame.wire, .frame, direction, arrived: frame.arrived, at: now, &output) }
    }

    private mutating func oversize(
        _ header: FrameHeader, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        letGo(direction, at: now, &output)
        self[direction].work?.isPassing = true
        if header.declaredLength > UInt64(clamping: configuration.limits.messageBytes) {
            limit("L4", "a frame of \(header.declaredLength) bytes is not lifted", direction, at: now, &output)
        }
        _ = self[direction].work?.assembler.skip(header)
        if header.opcode.isOfMessage { self[direction].work?.isMidMessage = !header.fin }
    }

    private mutating func passed(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        self[direction].work?.isPassing = false
        if self[direction].work?.isBetweenMessages == true { insertWaiting(direction, at: now, &output) }
    }

    /// Frames end without being read further: what was taken and not handed on goes as it came.
    mutating func abandonFrames(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard self[direction].work != nil else { return }
        letGo(direction, at: now, &output)
        sendLater(direction, at: now, &output)
        if let rest = self[direction].work?.parser.takeHeld(), rest.readableBytes > 0 {
            if phase == .over {
                lose(rest, .bytes(.illegal), direction, arrived: now, at: now, &output)
            } else {
                pass(rest, .bytes(.illegal), direction, arrived: now, at: now, &output)
            }
        }
        self[direction].work = nil
        if self[direction].mode == .work { self[direction].mode = .raw(.illegal) }
        dropInserts(direction, at: now, &output)
    }

    /// Nothing needs to be lifted any more and nothing is begun: back to looking in place.
    private mutating func returnToScan(_ direction: Direction) {
        guard let work = self[direction].work, work.isNegotiated, !work.isRecoding, work.parser.isIdle,
            !work.assembler.inMessage, work.isBetweenMessages, work.pending.isEmpty, self[direction].isClear,
            self[direction].owed.isEmpty, self[direction].inserts.isEmpty, self[direction].later.isEmpty,
            !mustLift(direction, self[direction].extensions)
        else { return }
        self[direction].messages = work.assembler.ordinal
        self[direction].scanner = FrameScanner(direction)
        self[direction].work = nil
        self[direction].mode = .scan
    }

    // MARK: Deciding

    /// The entry that will stand for the last frame that waits. From here on every frame that passes takes its number
    /// at once, even if it must queue.
    private mutating func lastWaiting(_ direction: Direction) -> EntryRef {
        if !self[direction].isClear { self[direction].outbox.hasHold = true }
        let count = self[direction].work?.pending.count ?? 1
        return EntryRef(session: id, ordinal: nextOrdinal &+ UInt32(truncatingIfNeeded: max(1, count) - 1))
    }

    private mutating func decide(
        _ message: AssembledMessage, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let work = self[direction].work else { return }
        self[direction].work?.isHolding = false
        guard let payload = message.payload else {
            return unlifted(message, work.isHolding, direction, at: now, &output)
        }
        if direction == .toServer, trigger.awaitsUser { meet(payload, message.opcode, at: now, &output) }
        let limits = JSONLimits(depth: configuration.limits.jsonDepth, nodes: configuration.limits.jsonNodes)
        let lifted = LiftedMessage(opcode: message.opcode, payload: payload, limits: limits)
        defer { sawMessage(lifted, direction, at: now, &output) }
        if visits.head != nil {
            keepForVisits(
                Message(
                    direction: direction, opcode: message.opcode, payload: payload, ordinal: message.ordinal,
                    entry: EntryRef(session: id, ordinal: message.ordinal)))
        }
        guard work.isHolding else { return remember(message, payload, direction, EntryRef(session: id, ordinal: 0), at: now) }
        let ref = lastWaiting(direction)
        var value = Message(
            direction: direction, opcode: message.opcode, payload: payload, ordinal: message.ordinal, entry: ref)
        value.isCompressed = work.isCompressed
        defer { remember(message, payload, direction, ref, at: now) }
        if !self[direction].owed.isEmpty {
            return payBack(value, direction, at: now, &output)
        }
        let selected = trigger.selected(lifted, direction, ordinal: message.ordinal, at: now)
        guard !selected.isEmpty else { return goOn(value, direction, at: now, &output) }
        applyChain(value, selected, direction, at: now, &output)
    }

    /// The message may say whose session this is.
    private mutating func meet(_ payload: ByteBuffer, _ opcode: Opcode, at now: Instant, _ output: inout SessionOutput) {
        let name = configuration.finder.users(inMessage: payload, opcode: opcode).first
        let gone = trigger.learn(name)
        guard let name else { return }
        user = name
        output.commands.append(.label(name))
        rearrange(without: gone, at: now, &output)
    }

    /// For faults that go by what passed before.
    private mutating func remember(
        _ message: AssembledMessage, _ payload: ByteBuffer, _ direction: Direction, _ entry: EntryRef, at now: Instant
    ) {
        let value = Message(
            direction: direction, opcode: message.opcode, payload: payload, ordinal: message.ordinal, entry: entry)
        trigger.remember(value, at: now)
        if let user, trigger.keepsPast { configuration.past.keep(value, of: user, in: id, at: now) }
    }

    /// The message could not be read: faults that might have taken it are not applied.
    private mutating func unlifted(
        _ message: AssembledMessage, _ wasHeld: Bool, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) {
        let reason = (message.isCompressed ? self[direction].altered : nil) ?? message.unlifted ?? "not liftable"
        if message.isLimit, wasHeld { limit("L4", "a message is not lifted: \(reason)", direction, at: now, &output) }
        guard wasHeld else { return }
        if let owed = self[direction].owed.first {
            self[direction].owed.removeFirst()
            notApplied(owed, "not liftable: \(reason)", at: now, &output)
        }
        let ref = lastWaiting(direction)
        sendWaiting(direction, at: now, &output)
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        for armed in trigger.candidates(direction, opcode: message.opcode, ordinal: message.ordinal, at: now) {
            note(.fault(armed.record(kind.tap, on: ref, "not liftable: \(reason)", applied: false)), at: now, &output)
        }
    }

    /// No fault touched it: its own bytes, or deflated anew where an earlier change made that necessary.
    mutating func goOn(
        _ message: Message, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard message.isCompressed, self[direction].work?.isRecoding == true else {
            return sendWaiting(direction, at: now, &output)
        }
        let source = tellArrival(direction, at: now, &output).last
        let bytes = encode(message, direction)
        let reason = "an earlier message was changed, so the compression context differs"
        let provenance = Provenance(source: source)
        depart(bytes, .recoded(provenance, reason: reason), direction, until: nil, at: now, &output)
    }

    /// Frames that were taken from a direction's order.
    struct Taken: Sendable {
        /// The entry of the message's last frame.
        var last: EntryRef
        /// What stood there, should it go on after all.
        var parts: [Outbox.Part] = []
    }

    /// The frames that wait were taken and do not go on as they are. Control frames and the like among them go on at once.
    /// - Parameter mayReturn: nothing has overtaken the fragments if they go on after all, so these wait with them.
    @discardableResult
    mutating func tellArrival(
        _ direction: Direction, mayReturn: Bool = false, at now: Instant, _ output: inout SessionOutput
    ) -> Taken {
        let waiting = self[direction].work?.pending.take() ?? []
        var taken = Taken(last: EntryRef(session: id, ordinal: nextOrdinal))
        for frame in waiting {
            if frame.isAside, !mayReturn {
                pass(frame.wire, .frame, direction, arrived: frame.arrived, at: now, &output)
                continue
            }
            let ref = piece(direction, .frame, frame.wire, in: frame.arrived, out: nil, at: now, &output)
            if !frame.isAside { taken.last = ref }
            taken.parts.append(
                Outbox.Part(
                    bytes: frame.wire, note: .departure(.frame, Provenance(source: ref)), isAside: frame.isAside))
        }
        for index in taken.parts.indices where !taken.parts[index].isAside {
            taken.parts[index].note = .departure(.frame, Provenance(source: taken.last))
        }
        return taken
    }
}
