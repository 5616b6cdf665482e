import NIOCore
import Wire

/// Turns what the data path handed over (slices and instants, nothing decoded) into entries: frames parsed, fragments
/// joined, deflate undone, secrets replaced, facts derived. One value serves all sessions of a recording, on one thread,
/// and is fed in merged order, so that entries and redaction tags are the same each time.
///
/// Frames of a fragmented message come out together, when the message ends: only then is it known whether a secret lies
/// across them.
package struct Transcriber: Sendable {
    package struct Configuration: Sendable {
        /// `raw` keeps secrets; `meta` is read like `redacted`, and the writer leaves the content out.
        package var mode: RecordingHeader.Mode
        package var limits: Limits
        package var finder: any SecretFinder
        /// Random bytes for the redaction tags; never stored (trust.md T35). At least 16.
        package var redactionKey: [UInt8]
        /// Seconds since 1970 at instant zero: what a credential's `exp` is compared with.
        package var epochSeconds: Int64
        /// Hidden wherever they stand, in what is kept raw too but for the bytes.
        package var hidden = HiddenTexts()

        package init(
            mode: RecordingHeader.Mode = .redacted, limits: Limits = .standard, finder: any SecretFinder = StandardSecrets(),
            redactionKey: [UInt8], epochSeconds: Int64
        ) {
            self.mode = mode
            self.limits = limits
            self.finder = finder
            self.redactionKey = redactionKey
            self.epochSeconds = epochSeconds
        }
    }

    private struct Session {
        var scene: SessionScene
        var toServer: DirectionTranscript
        var toClient: DirectionTranscript

        init(_ id: SessionID, limits: Limits) {
            scene = SessionScene(id)
            toServer = DirectionTranscript(.toServer, limits: limits)
            toClient = DirectionTranscript(.toClient, limits: limits)
        }
    }

    private var shared: TranscriptContext
    private var sessions: [SessionID: Session] = [:]

    package init(_ configuration: Configuration) {
        shared = TranscriptContext(configuration)
    }

    /// Distinct secrets replaced so far; for the header.
    package var redactions: Int { shared.redactor.count }
    /// Sessions that have not closed.
    package var openSessions: Int { sessions.count }

    /// What was inflated since the last call.
    package mutating func takeInflated() -> Inflated { shared.takeInflated() }

    /// Appends the entries that `raw` stands for; `number` and `sequence` stay 0 (see `JournalAssembler`).
    package mutating func transcribe(_ raw: RawEntry, loop: UInt16, into entries: inout [Entry]) {
        let first = entries.count
        var session = sessions.removeValue(forKey: raw.session) ?? Session(raw.session, limits: shared.limits)
        var isOver = false
        switch raw.body {
        case .read(.toServer, let bytes, let ends):
            session.toServer.read(bytes, ends: ends, raw, &session.scene, &shared, into: &entries)
        case .read(.toClient, let bytes, let ends):
            session.toClient.read(bytes, ends: ends, raw, &session.scene, &shared, into: &entries)
        case .piece(let direction, let piece, let bytes, let arrival, let departure, let provenance):
            let passing = DirectionTranscript.Passing(
                instant: raw.instant, ref: EntryRef(session: raw.session, ordinal: raw.ordinal),
                passage: Passage(direction, in: arrival, out: departure), provenance: provenance)
            transcribe(piece, bytes, passing, &session, into: &entries)
        case .value(let body):
            isOver = transcribe(body, raw, &session, into: &entries)
        }
        if isOver {
            session.toServer.release(&shared)
            session.toClient.release(&shared)
        } else {
            sessions[raw.session] = session
        }
        for index in entries.indices[first...] { entries[index].loop = loop }
    }

    private mutating func transcribe(
        _ piece: RawEntry.Piece, _ bytes: ByteBuffer, _ passing: DirectionTranscript.Passing, _ session: inout Session,
        into entries: inout [Entry]
    ) {
        if case .head = piece {
            session.scene.head(bytes, passing, &shared, into: &entries)
            return
        }
        switch passing.passage.direction {
        case .toServer: transcribe(piece, bytes, passing, &session.toServer, &session.scene, into: &entries)
        case .toClient: transcribe(piece, bytes, passing, &session.toClient, &session.scene, into: &entries)
        }
    }

    private mutating func transcribe(
        _ piece: RawEntry.Piece, _ bytes: ByteBuffer, _ passing: DirectionTranscript.Passing,
        _ direction: inout DirectionTranscript, _ scene: inout SessionScene, into entries: inout [Entry]
    ) {
        switch piece {
        case .head: break
        case .frame: direction.frame(bytes, passing, &scene, &shared, into: &entries)
        case .bytes(.oversize): direction.piece(bytes, passing, &scene, &shared, into: &entries)
        case .bytes(let kind): direction.loose(bytes, kind, passing, scene, &shared, into: &entries)
        }
    }

    /// A value goes through as it is, but for what it quotes. True when the session is over.
    private mutating func transcribe(
        _ body: Entry.Body, _ raw: RawEntry, _ session: inout Session, into entries: inout [Entry]
    ) -> Bool {
        var isOver = false
        switch body {
        // Behind a half-close of ours the peer goes on sending.
        case .ended(let end) where end.by != .fault || end.style != .finish:
            switch end.side.outgoing {
            case .toServer: session.toServer.flushArrivals(at: raw.instant, raw.session, into: &entries)
            case .toClient: session.toClient.flushArrivals(at: raw.instant, raw.session, into: &entries)
            }
        case .bytes(let bytes) where bytes.kind == .missing:
            // The frame begun, and the message, will never be whole.
            switch bytes.passage.direction {
            case .toServer: session.toServer.flush(at: raw.instant, raw.session, &shared, into: &entries)
            case .toClient: session.toClient.flush(at: raw.instant, raw.session, &shared, into: &entries)
            }
        case .closed:
            session.toServer.flush(at: raw.instant, raw.session, &shared, into: &entries)
            session.toClient.flush(at: raw.instant, raw.session, &shared, into: &entries)
            isOver = true
        default: break
        }
        let concernsSession = !body.isTick && raw.session.value != 0
        entries.append(
            Entry(
                instant: raw.instant, loop: 0, sequence: 0,
                ref: concernsSession ? EntryRef(session: raw.session, ordinal: raw.ordinal) : nil,
                body: shared.isRaw ? body : session.scene.clean(body, &shared)))
        return isOver || !concernsSession
    }
}
