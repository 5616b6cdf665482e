import Journaling
import NIOCore
import Wire

/// Performs what faults asked for.
extension SessionMachine {
    /// - Parameters:
    ///   - original: the parcel's bytes as they came.
    ///   - parts: its frames, if it may go on after all.
    mutating func perform(
        _ chained: Chained, of ref: EntryRef, _ direction: Direction, original: ByteBuffer, _ parts: [Outbox.Part] = [],
        at now: Instant, _ output: inout SessionOutput
    ) {
        let taker = chained.taker
        var wholeIsOut = !chained.passesWhole
        var cuttings: [Outbox.Cutting] = []
        var cutter = ""
        for (index, step) in chained.steps.enumerated() where phase != .over {
            if step.isWhole, !wholeIsOut {
                wholeIsOut = true
                continue
            }
            if case .cut(let side, let style) = step.effect {
                cuttings.append(Outbox.Cutting(side: side, style: style))
                cutter = step.faults.last ?? ""
                continue
            }
            if case .send(.message(let message), let selector) = step.effect {
                cross(message, selector, step, direction, returning: index == taker ? parts : nil, at: now, &output)
                continue
            }
            perform(step, of: ref, direction, original: original, at: now, &output)
        }
        if !cuttings.isEmpty { inOrder(.cut(cuttings, fault: cutter), direction, at: now, &output) }
    }

    private mutating func perform(
        _ step: Step, of ref: EntryRef, _ direction: Direction, original: ByteBuffer, at now: Instant,
        _ output: inout SessionOutput
    ) {
        let provenance = Provenance(source: step.effect.source(else: ref), faults: step.faults)
        switch step.effect {
        case .forward(let parcel, let release):
            guard let (bytes, kind) = bytes(of: parcel, direction, original: original) else { return }
            depart(bytes, .departure(kind, provenance), direction, until: release, step.holds, at: now, &output)
            if let (tail, kind) = Self.tail(of: parcel) {
                let made = Outbox.Note.departure(kind, Provenance(faults: step.faults))
                depart(tail, made, direction, until: release, step.holds, at: now, &output)
            }
        case .forwardLater(.message(let message), let count, let until):
            putOff(
                LaterMessage(message: message, wire: original, faults: step.faults, behind: count, until: until), direction,
                at: now, &output)
        case .frames(let frames, let message, let release):
            // The next message that is deflated here must refer to nothing before these.
            if message.isCompressed { self[direction].work?.deflater = nil }
            for frame in frames { depart(frame, .made(provenance), direction, until: release, step.holds, at: now, &output) }
        case .insert(let message): insert(message, step, of: ref, at: now, &output)
        case .forwardPart(let parcel, let share):
            guard let (bytes, _) = bytes(of: parcel, direction, original: original) else { return }
            let count = max(1, min(bytes.readableBytes - 1, Int(Double(bytes.readableBytes) * share)))
            guard let part = bytes.getSlice(at: bytes.readerIndex, length: count) else { return }
            depart(part, .departure(.bytes(.illegal), provenance), direction, until: nil, at: now, &output)
        case .send, .cut, .forwardLater, .shape, .tls: break
        case .unannounced(let side): ends.unannounced.insert(side)
        case .wait(let parcel, let waiting):
            guard let (bytes, kind) = bytes(of: parcel, direction, original: original) else { return }
            wait(bytes, kind, provenance, waiting, step, of: ref, direction, at: now, &output)
        case .connect(let request): visit(request, step, of: ref, direction, at: now, &output)
        case .storm(let storm): begin(storm, step, at: now, &output)
        case .abandon(let side, let reads, let hold):
            inOrder(
                .abandon(side, reads: reads, until: now.advanced(by: hold), fault: step.faults.last ?? ""), direction, at: now, &output)
        case .respond(let status, let reason, let headers, let body):
            answer(
                status, reason, headers: headers, body: body ?? Self.sentence(reason), at: now, faults: step.faults, &output)
            overBy(.fault, cause: step.faults.last ?? "", server: .reset, at: now, &output)
        case .accept(let head): accept(head, step, at: now, &output)
        case .gather(let gathering):
            if !self[direction].outbox.isEmpty {
                self[direction].gathering = gathering
                self[direction].gatherer = step.faults.last ?? ""
            }
        case .pauseReads(let paused, let until):
            stall(paused.source, Hold(fault: step.faults.last ?? "", until: until), at: now, &output)
        case .halfClose(let side):
            inOrder(.halfClose(side), direction, at: now, &output)
        }
    }

    mutating func bytes(
        of parcel: Parcel, _ direction: Direction, original: ByteBuffer
    ) -> (ByteBuffer, RawEntry.Piece)? {
        switch parcel {
        case .accept, .stream: nil
        case .requestHead(let head), .responseHead(let head): (head.bytes, .head)
        case .message(let message):
            if message.changed || (message.isCompressed && self[direction].work?.isRecoding == true) {
                (encode(message, direction), .frame)
            } else {
                (original, .frame)
            }
        }
    }

    private static func tail(of parcel: Parcel) -> (ByteBuffer, RawEntry.Piece)? {
        switch parcel {
        case .requestHead(let head), .responseHead(let head):
            switch head.tail {
            case .body(let bytes)?: (bytes, .bytes(.opaque))
            case .frames(let bytes)?: (bytes, .frame)
            case nil: nil
            }
        case .accept, .message, .stream: nil
        }
    }

    // MARK: Encoding

    /// One frame, masked towards the server, deflated when the message came so.
    mutating func encode(_ message: Message, _ direction: Direction) -> ByteBuffer {
        var payload = message.payload
        var rsv: UInt8 = 0
        if message.isCompressed, let small = deflated(payload, direction) {
            payload = small
            rsv = 4
        }
        var dice = trigger.dice("mask", direction, nextOrdinal)
        let key = UInt32(truncatingIfNeeded: dice.next())
        let frame = Frame(
            rsv: rsv, opcode: message.opcode, maskKey: direction == .toServer ? key : nil, payload: payload)
        return FrameWriter.bytes(frame)
    }

    /// Nil when it cannot be deflated: an uncompressed message is always allowed (RFC 7692 section 6).
    private mutating func deflated(_ payload: ByteBuffer, _ direction: Direction) -> ByteBuffer? {
        guard let work = self[direction].work, let parameters = work.parameters else { return nil }
        if work.deflater == nil { self[direction].work?.deflater = try? parameters.deflater(direction) }
        return try? self[direction].work?.deflater?.deflate(payload)
    }

    /// The receiver's context misses what was sent to us: from here on it gets ours.
    mutating func recodeFromHere(_ direction: Direction) {
        guard self[direction].work?.parameters?.takeover(direction) == true else { return }
        self[direction].work?.isRecoding = true
    }

    /// The wire bytes of the message that waits, control frames between its fragments left out.
    func joinedWaiting(_ direction: Direction) -> ByteBuffer { self[direction].work?.pending.message ?? ByteBuffer() }
}

extension Effect {
    /// Where its message came in: nil for what came in nowhere.
    fileprivate func source(else ref: EntryRef) -> EntryRef? {
        guard let entry = message?.entry else { return ref }
        return entry.ordinal > 0 ? entry : nil
    }
}
