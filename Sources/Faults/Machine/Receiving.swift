import Journaling
import NIOCore
import Wire

/// Where bytes go that came from one side.
extension SessionMachine {
    mutating func received(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if phase == .over {
            return lose(bytes, .bytes(.opaque), direction, arrived: now, at: now, &output)
        }
        switch self[direction].mode {
        case .head where direction == .toServer: readRequest(bytes, at: now, &output)
        case .head: readResponse(bytes, at: now, &output)
        case .scan, .work: receivedFrames(bytes, direction, at: now, &output)
        case .raw where exchanges != nil: exchange(bytes, direction, at: now, &output)
        case .raw(let kind):
            pass(bytes, .bytes(kind), direction, arrived: now, at: now, &output)
            if kind == .preamble { self[direction].mode = .raw(.opaque) }
        }
    }

    private mutating func receivedFrames(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if phase == .opening, bytes.readableBytes > 0 { opening?.hasSpoken = true }
        if self[direction].mode == .scan {
            receivedScanned(bytes, direction, at: now, &output)
        } else {
            receivedWorked(bytes, direction, at: now, &output)
        }
    }

    /// Frames begin in this direction. `extensions` is nil while the server's answer is not known.
    mutating func begin(_ direction: Direction, extensions: ExtensionOutcome?) {
        if let extensions { self[direction].extensions = extensions }
        if mustLift(direction, extensions) {
            self[direction].mode = .work
            self[direction].work = WorkState(direction, extensions: extensions, limits: configuration.limits)
        } else {
            self[direction].mode = .scan
        }
    }

    /// The contexts of compressed traffic must follow every message wherever one may have to be changed, now or when
    /// somebody adds a fault.
    func mustLift(_ direction: Direction, _ extensions: ExtensionOutcome?) -> Bool {
        if trigger.lifts(direction) { return true }
        guard configuration.followsContexts || trigger.mayExchange(direction), self[direction].altered == nil else { return false }
        return extensions.map { $0.deflate?.takeover(direction) ?? false } ?? true
    }

    /// The server's answer says what RSV1 means from the client too.
    mutating func negotiated(_ extensions: ExtensionOutcome, at now: Instant, _ output: inout SessionOutput) {
        toServer.extensions = extensions
        guard toServer.mode == .work, let early = toServer.work, !early.isNegotiated else { return }
        if early.assembler.ordinal == 0, early.pending.isEmpty, early.parser.isIdle, !mustLift(.toServer, extensions) {
            toServer.work = nil
            toServer.mode = .scan
            return
        }
        let known = followed(.toServer, extensions)
        toServer.work?.isNegotiated = true
        toServer.work?.parameters = known.deflate
        toServer.work?.assembler.negotiated(.toServer, known)
        work(.toServer, at: now, &output)
    }

    // MARK: Scan lane, the long way

    private mutating func receivedScanned(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if !self[direction].inserts.isEmpty || !self[direction].owed.isEmpty {
            return splitAtMessage(bytes, direction, at: now, &output)
        }
        if self[direction].isClear, !self[direction].isShut {
            scan(bytes, direction, at: now, &output)
            flush(direction, &output)
            output.commands.append(.write(direction.destination, bytes))
            return
        }
        // Something holds the lane up: frames must be told apart, so that each can wait by itself.
        switchToWork(bytes, direction, at: now, &output)
    }

    /// Goes on by the scan lane to the end of the message now passing; there another session's messages go in, and
    /// what is owed is taken from the next message.
    private mutating func splitAtMessage(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        var probe = self[direction].scanner
        var ends: [Int32] = []
        _ = probe.scan(bytes, ends: &ends)
        var rest = bytes
        var taken = 0
        for end in ends {
            if self[direction].isBetweenMessages { break }
            guard let part = rest.readSlice(length: Int(end) - taken) else { break }
            taken = Int(end)
            hand(part, direction, at: now, &output)
        }
        if self[direction].isBetweenMessages {
            insertWaiting(direction, at: now, &output)
            if self[direction].owed.isEmpty {
                if rest.readableBytes > 0 { receivedScanned(rest, direction, at: now, &output) }
            } else {
                switchToWork(rest, direction, at: now, &output)
            }
        } else if rest.readableBytes > 0 {
            hand(rest, direction, at: now, &output)
        }
    }

    private mutating func hand(
        _ part: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        scan(part, direction, at: now, &output)
        flush(direction, &output)
        output.commands.append(.write(direction.destination, part))
    }

    /// Leaves the scan lane. What remains of a frame begun there is told as pieces.
    mutating func switchToWork(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        let isKnown = phase != .opening || direction == .toClient
        let extensions = isKnown ? followed(direction, self[direction].extensions) : nil
        var state = WorkState(direction, extensions: extensions, limits: configuration.limits)
        state.isPassing = self[direction].scanner.remaining > 0
        state.parser = FrameParser(resuming: self[direction].scanner, limit: configuration.limits.messageBytes)
        state.isMidMessage = self[direction].scanner.rules.inMessage
        state.assembler.count(from: self[direction].messages)
        self[direction].work = state
        self[direction].mode = .work
        received(bytes, direction, at: now, &output)
    }

    /// What can be read from here on. Whoever did not see a context grow cannot inflate with it.
    private mutating func followed(_ direction: Direction, _ extensions: ExtensionOutcome) -> ExtensionOutcome {
        guard extensions.deflate?.takeover(direction) == true, self[direction].messages > 0 else { return extensions }
        self[direction].altered = self[direction].altered ?? "its compression context was not followed from the start"
        return .none
    }
}
