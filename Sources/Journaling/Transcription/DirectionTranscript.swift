import NIOCore
import Wire

/// What one direction of a session has to remember between raw entries.
struct DirectionTranscript {
    let direction: Direction
    /// Bytes of the frame that is passing, read by read. The two sides differ only for frames passed on in pieces.
    private var collectors: [FrameCollector]
    /// Bytes of the frame that is arriving which left as they came. Its other side may go before its end does.
    private var through: UInt64 = 0
    /// The message passing the tap where it arrives, and the one where it leaves.
    private var tracks = [MessageTrack(), MessageTrack()]
    /// Both tracks have to be followed, because something passed one tap only.
    private var isForked = false
    /// Frames of a message begun, kept back until it is known whether a secret lies in it; for each track.
    private var held = [HeldFrames(), HeldFrames()]
    private var arrivals: UInt32 = 0
    /// Message numbers of frames that arrived lately, for what leaves in their place.
    private var numbers: [(ordinal: UInt32, message: UInt32)] = []
    private var reads: [(instant: Instant, number: UInt32)] = []
    private var readCount: UInt32 = 0
    /// Last frames of messages that lately arrived with a secret in them.
    private var secretive: [UInt32] = []
    /// Bytes that are no frames were kept already; later ones may be the middle of a secret.
    private var hasLooseBytes = false

    init(_ direction: Direction, limits: Limits) {
        self.direction = direction
        collectors = Array(repeating: FrameCollector(limit: limits.messageBytes), count: 2)
    }

    /// Where a frame passed, and the place of its entry.
    struct Passing {
        var instant: Instant
        var ref: EntryRef
        var passage: Passage
        var provenance: Provenance
        /// 0: it arrived (and perhaps left). 1: it only left.
        var track: Int { passage.in == nil && passage.out != nil ? 1 : 0 }
        var passedBoth: Bool { passage.in != nil && passage.out != nil }
    }

    mutating func read(
        _ bytes: ByteBuffer, ends: [Int32], _ raw: RawEntry, _ session: inout SessionScene,
        _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        var offset = 0
        var ordinal = raw.ordinal
        for end in ends {
            let end = min(max(Int(end), offset), bytes.readableBytes)
            let slice = bytes.getSlice(at: bytes.readerIndex + offset, length: end - offset) ?? ByteBuffer()
            offset = end
            let passing = Passing(
                instant: raw.instant, ref: EntryRef(session: raw.session, ordinal: ordinal),
                passage: Passage(direction, in: raw.instant, out: raw.instant), provenance: .none)
            ordinal = ordinal &+ 1
            through = 0
            if let frame = collectors[0].end(with: slice) {
                take(frame, passing, &session, &shared, into: &entries)
            } else {
                loose(slice, .illegal, passing, session, &shared, into: &entries)
            }
        }
        if let rest = bytes.getSlice(at: bytes.readerIndex + offset, length: bytes.readableBytes - offset) {
            collectors[0].add(rest)
            through &+= UInt64(clamping: rest.readableBytes)
        }
        noteRead(raw.instant)
    }

    /// One whole frame.
    mutating func frame(
        _ bytes: ByteBuffer, _ passing: Passing, _ session: inout SessionScene, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        let limit = UInt64(clamping: shared.limits.messageBytes)
        if let frame = FrameCollector.whole(bytes, limit: limit) {
            take(frame, passing, &session, &shared, into: &entries)
        } else {
            loose(bytes, .illegal, passing, session, &shared, into: &entries)
        }
    }

    /// A part of a frame that passes in pieces: an entry comes with its end.
    mutating func piece(
        _ bytes: ByteBuffer, _ passing: Passing, _ session: inout SessionScene, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        if passing.passedBoth, collectors[1].begun > 0 {
            // The frame's beginning left apart from its arrival, so this does too.
            var arrival = passing
            arrival.passage.out = nil
            piece(bytes, arrival, &session, &shared, into: &entries)
            var departure = passing
            departure.passage.in = nil
            departure.provenance.source = passing.ref
            return piece(bytes, departure, &session, &shared, into: &entries)
        }
        if !passing.passedBoth, passing.track == 0, through > 0, collectors[1].begun == 0 {
            // Its beginning passed both taps; from here on they are apart, and each has the frame whole in the end.
            collectors[1] = collectors[0]
            through = 0
        }
        if passing.passedBoth { through &+= UInt64(clamping: bytes.readableBytes) }
        guard let frame = collectors[passing.track].pass(bytes) else { return }
        if passing.track == 0 {
            if !passing.passedBoth {
                let passage = Passage(direction, in: nil, out: passing.instant)
                part(through, passage, at: passing.instant, passing.ref.session, into: &entries)
            }
            through = 0
        }
        take(frame, passing, &session, &shared, into: &entries)
    }

    /// Bytes that are no frame. In a redacted recording only the first are kept, and these without their secrets; of
    /// the others the number, because a secret might lie across their borders, and of what is longer than any head, as a large
    /// frame that never ended, because the search would cost more than it is worth.
    mutating func loose(
        _ bytes: ByteBuffer, _ kind: BytesRecord.Kind, _ passing: Passing, _ session: SessionScene,
        _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        let size = UInt64(clamping: bytes.readableBytes)
        var kept = ByteBuffer()
        if shared.isRaw {
            kept = ByteBuffer(bytes: bytes.readableBytesView)
        } else {
            // What a fault made of a message may hold a secret torn, where no search finds it.
            let isKept = (kind == .preamble || kind == .illegal) && !hasLooseBytes && passing.provenance.faults.isEmpty
            hasLooseBytes = true
            if isKept, bytes.readableBytes <= shared.limits.headBytes {
                kept = shared.redactor.redact(
                    loose: ByteBuffer(bytes: bytes.readableBytesView), direction, known: session.secrets, others: shared.credentials,
                    hidden: shared.hidden)
            }
        }
        let record = BytesRecord(
            passage: passing.passage, kind: kind, bytes: kept, provenance: passing.provenance, wireSize: size)
        entries.append(entry(passing, .bytes(record)))
        session.tellDisclosures(in: bytes, kind, passing, &shared, into: &entries)
    }

    private mutating func take(
        _ frame: CollectedFrame, _ passing: Passing, _ session: inout SessionScene, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        var record = FrameRecord(
            passage: passing.passage, frame: frame.frame, message: nil, provenance: passing.provenance,
            read: read(at: passing), wireSize: frame.wireSize)
        if !frame.header.opcode.isOfMessage {
            record.message = MessageRecord(
                opcode: frame.header.opcode, payload: frame.payload, unlifted: frame.payload == nil ? "too large" : nil,
                ordinal: 0)
            var frames = [entry(passing, .frame(record))]
            let found = session.redact(&frames, direction, &shared)
            hideTorn(&frames, passing, isRaw: shared.isRaw)
            entries += frames
            session.tell(found, passing, &shared, into: &entries)
            return
        }
        if frame.header.opcode != .continuation, tracks[passing.track].isOpen {
            // The message begun will never end, so nobody will search it for secrets.
            withhold(passing.track, at: passing.instant, passing.ref.session, into: &entries)
        }
        let ended = follow(frame, passing, session, &shared)
        emit(record, ended, passing, &session, &shared, into: &entries)
    }

    /// Feeds the track or tracks that the frame passed.
    private mutating func follow(
        _ frame: CollectedFrame, _ passing: Passing, _ session: SessionScene, _ shared: inout TranscriptContext
    ) -> MessageTrack.Ended? {
        if !passing.passedBoth, !isForked {
            isForked = true
            tracks[1] = tracks[0].forked(&shared)
        }
        let number = number(of: frame, passing)
        let deflate = session.deflate(direction).map { DirectionDeflate(direction: direction, parameters: $0) }
        if passing.passedBoth, isForked { _ = tracks[1].take(frame, ordinal: number, deflate, &shared) }
        var ended = tracks[passing.track].take(frame, ordinal: number, deflate, &shared)
        if let unknown = session.unknownExtension(direction), ended != nil, frame.header.rsv != 0 {
            ended?.payload = nil
            ended?.unlifted = MessageTrack.Unlifted(reason: unknown)
        }
        return ended
    }

    private mutating func emit(
        _ record: FrameRecord, _ ended: MessageTrack.Ended?, _ passing: Passing, _ session: inout SessionScene,
        _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        var record = record
        guard let ended else {
            let isGivenUp = tracks[passing.track].isGivenUp
            if !shared.isRaw, !isGivenUp {
                return held[passing.track].append(record, passing.ref, end: tracks[passing.track].size)
            }
            if isGivenUp { withhold(passing.track, at: passing.instant, passing.ref.session, into: &entries) }
            if !shared.isRaw, record.frame.payload.readableBytes > 0 {
                record.frame.payload = ByteBuffer()
                record.redacted = true
            }
            entries.append(entry(passing, .frame(record)))
            return
        }
        record.message = MessageRecord(
            opcode: ended.opcode, payload: ended.payload, unlifted: ended.unlifted?.reason, ordinal: ended.ordinal)
        var frames: [Entry] = []
        held[passing.track].take(
            direction, passing.ref.session, at: passing.instant, payload: ended.joined, into: &frames)
        frames.append(entry(passing, .frame(record)))
        let found = session.redact(&frames, direction, isCompressed: ended.isCompressed, &shared)
        hideTorn(&frames, passing, isRaw: shared.isRaw)
        entries += frames
        session.tell(found, passing, &shared, into: &entries)
        if let limit = ended.unlifted?.limit {
            let detail = "message \(ended.ordinal) is not lifted: \(ended.unlifted?.reason ?? "")"
            entries.append(
                Entry(
                    instant: passing.instant, loop: 0, sequence: 0,
                    ref: EntryRef(session: passing.ref.session, ordinal: 0),
                    body: .limit(LimitRecord(id: limit, detail: detail, direction: direction))))
        }
    }

    /// What a fault made of a message with a secret in it, and where none is found any more, may hold it torn.
    private mutating func hideTorn(_ frames: inout [Entry], _ passing: Passing, isRaw: Bool) {
        guard !isRaw else { return }
        let isHidden = frames.contains { if case .frame(let record) = $0.body { record.redacted } else { false } }
        if passing.track == 0 {
            guard isHidden else { return }
            if secretive.count >= 64 { secretive.removeFirst(32) }
            secretive.append(passing.ref.ordinal)
        } else if !isHidden, !passing.provenance.faults.isEmpty {
            // Without a source it is a fault's own, or an earlier message: that, a second fault may have torn.
            let mayHide = passing.provenance.source.map { secretive.contains($0.ordinal) && $0.session == passing.ref.session }
            let isTorn = mayHide ?? (passing.provenance.faults.count > 1 && !secretive.isEmpty)
            if isTorn { SessionScene.withhold(&frames) }
        }
    }

    /// Nothing more comes this way: frames kept back, and a frame that never ended.
    mutating func flush(
        at instant: Instant, _ session: SessionID, _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        flushArrivals(at: instant, session, into: &entries)
        withhold(1, at: instant, session, into: &entries)
        part(collectors[1].begun, Passage(direction, in: nil, out: instant), at: instant, session, into: &entries)
        collectors[1].reset()
    }

    /// Nothing more arrives; what a fault holds may still leave.
    mutating func flushArrivals(at instant: Instant, _ session: SessionID, into entries: inout [Entry]) {
        withhold(0, at: instant, session, into: &entries)
        let left = min(through, collectors[0].begun)
        through = 0
        part(left, Passage(direction, in: instant, out: instant), at: instant, session, into: &entries)
        let stayed = Passage(direction, in: instant, out: nil)
        part(collectors[0].begun &- left, stayed, at: instant, session, into: &entries)
        collectors[0].reset()
    }

    /// So many bytes of a frame of which no more passed there.
    private func part(
        _ size: UInt64, _ passage: Passage, at instant: Instant, _ session: SessionID, into entries: inout [Entry]
    ) {
        guard size > 0 else { return }
        let record = BytesRecord(passage: passage, kind: .partial, bytes: ByteBuffer(), wireSize: size)
        let ref = EntryRef(session: session, ordinal: 0)
        entries.append(Entry(instant: instant, loop: 0, sequence: 0, ref: ref, body: .bytes(record)))
    }

    /// Frames kept back come out without what could not be searched for secrets.
    private mutating func withhold(
        _ track: Int, at instant: Instant, _ session: SessionID, into entries: inout [Entry]
    ) {
        held[track].take(direction, session, at: instant, payload: nil, into: &entries)
    }

    mutating func release(_ shared: inout TranscriptContext) {
        for index in tracks.indices { tracks[index].release(&shared) }
    }

    /// The number of the message that this frame begins or belongs to.
    private mutating func number(of frame: CollectedFrame, _ passing: Passing) -> UInt32 {
        let opcode = frame.header.opcode
        let begins = opcode == .text || opcode == .binary
        if passing.track == 1 {
            guard begins, let source = passing.provenance.source, source.session == passing.ref.session else {
                return tracks[1].ordinal
            }
            return numbers.last { $0.ordinal == source.ordinal }?.message ?? 0
        }
        if begins { arrivals = arrivals &+ 1 }
        let number = begins ? arrivals : tracks[0].ordinal
        if numbers.count >= 512 { numbers.removeFirst(256) }
        numbers.append((passing.ref.ordinal, number))
        return number
    }

    /// Which read of this side brought it: what arrived at one instant came in one read.
    private mutating func read(at passing: Passing) -> UInt32 {
        guard let arrival = passing.passage.in else { return 0 }
        if let known = reads.last(where: { $0.instant == arrival }) { return known.number }
        if let last = reads.last, arrival < last.instant { return 0 }
        noteRead(arrival)
        return readCount
    }

    private mutating func noteRead(_ instant: Instant) {
        if let last = reads.last, instant <= last.instant { return }
        readCount = readCount &+ 1
        if reads.count >= 64 { reads.removeFirst(32) }
        reads.append((instant, readCount))
    }

    private func entry(_ passing: Passing, _ body: Entry.Body) -> Entry {
        Entry(instant: passing.instant, loop: 0, sequence: 0, ref: passing.ref, body: body)
    }
}
