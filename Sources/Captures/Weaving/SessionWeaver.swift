import Faults
package import Journaling
package import NIOCore
package import Wire

/// Makes a recording of connections: finds the upgrade on each, and writes the entries that a proxy without faults would
/// have written, had it stood there. Times must come in order; one that does not is raised to the one before.
package final class SessionWeaver: ConnectionSink {
    package struct Settings: Sendable {
        /// The recording's directory, made when the first session is found; nil = nothing is written, only counted.
        package var directory: String?
        /// `started` is replaced by the time of the first event.
        package var header: RecordingHeader
        package var limits: Limits
        package var finder: any SecretFinder
        /// Random bytes for the redaction tags, at least 16.
        package var redactionKey: [UInt8]
        /// Segments are packed with gzip.
        package var isPacked: Bool
        /// Somebody may look at the recording while it grows: nothing is kept back to be written together.
        package var isLive: Bool
        package init(
            directory: String?, header: RecordingHeader, limits: Limits = .standard,
            finder: any SecretFinder = StandardSecrets(), redactionKey: [UInt8], isPacked: Bool = false,
            isLive: Bool = false
        ) {
            self.directory = directory
            self.header = header
            self.limits = limits
            self.finder = finder
            self.redactionKey = redactionKey
            self.isPacked = isPacked
            self.isLive = isLive
        }
    }

    /// One connection while it lasts.
    private final class Strand {
        let connection: Connection
        /// Nil once nothing is looked for.
        var search: UpgradeSearch?
        var session: SessionFeed?
        /// The answer to the upgrade still stands behind others.
        var awaitsAnswer = false
        var isTorn = false
        var clientEnded = false
        var serverEnded = false

        init(_ connection: Connection, _ search: UpgradeSearch) {
            self.connection = connection
            self.search = search
        }

        func takes(from side: Side) -> Bool { session != nil && !(awaitsAnswer && side == .server) }
        var isOver: Bool {
            if let session { return session.isOver }
            return search == nil || clientEnded && serverEnded
        }
    }

    private let limits: Limits
    private let machines: SessionConfiguration
    private var journal: ImportJournal
    /// Notes go to the console as well, and may quote what a file says.
    private var redactor: Redactor
    private var strands: [Connection.ID: Strand] = [:]
    private let outbox = ImportOutbox()
    private var liveSessions = 0
    private var sessionCount: UInt32 = 0
    /// Bytes that searches keep.
    private var held = 0
    private var isFinished = false
    /// What was found so far; what the entries tell of it, once the recording is closed.
    package private(set) var counts = ImportCounts()

    /// Refuses a directory that holds a recording already, before anything is read.
    package init(_ settings: Settings) throws(ImportError) {
        if let directory = settings.directory {
            do throws(RecordingError) { try RecordingWriter.check(directory) } catch { throw ImportError(error) }
        }
        limits = settings.limits
        journal = ImportJournal(settings)
        redactor = Redactor(key: settings.redactionKey)
        // How long heads took is the capture's business: no time limit of ours ends a session here.
        var untimed = settings.limits
        untimed.requestHeadTime = .seconds(1 << 40)
        untimed.upgradeAnswerTime = .seconds(1 << 40)
        machines = SessionConfiguration(limits: untimed, finder: settings.finder)
    }

    /// A recording was begun: at least one session was found, and is written.
    package var hasRecording: Bool { journal.hasBegun && journal.isKept }

    package func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        _ = tell(time)
        counts.connections += 1
        if !connection.isWhole { counts.begunBefore += 1 }
        guard strands[connection.id] == nil else { return }
        guard strands.count < limits.importFlows else {
            return remark("L15: more than \(limits.importFlows) connections at once; some are not read")
        }
        strands[connection.id] = Strand(connection, UpgradeSearch(limits, isWhole: connection.isWhole))
    }

    package func bytes(
        _ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime
    ) throws(ImportError) {
        let now = tell(time)
        guard bytes.readableBytes > 0, let strand = strands[id] else { return }
        if side == .client, strand.session?.isAnswered == true { try goOn(strand, at: now) }
        if let session = strand.session, strand.takes(from: side), session.keepsNothing(from: side) {
            session.bytes(bytes, from: side, at: now)
            return try handOn(strand)
        }
        // A slice keeps its whole storage alive, be it a chunk of the file.
        let own = bytes.storageCapacity > 4 * max(bytes.readableBytes, 64) ? ByteBuffer(bytes: bytes.readableBytesView) : bytes
        if strand.takes(from: side) {
            strand.session?.bytes(own, from: side, at: now)
        } else if strand.search != nil {
            find(in: own, from: side, strand, at: now)
        }
        try handOn(strand)
    }

    package func gap(
        _ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime
    ) throws(ImportError) {
        let now = tell(time)
        counts.gaps += 1
        counts.missingBytes &+= count
        guard let strand = strands[id] else { return }
        if strand.takes(from: side) {
            tear(side, count, strand, at: now)
        } else {
            let before = strand.search?.held ?? 0
            let isFollowed = strand.search?.lack(count, from: side) ?? true
            if !isFollowed, strand.session != nil {
                // The upgrade's answer stands somewhere behind the gap.
                strand.search = nil
                strand.awaitsAnswer = false
                tear(side, 0, strand, at: now)
            }
            held += (strand.search?.held ?? 0) - before
        }
        try handOn(strand)
    }

    private func tear(_ side: Side, _ count: UInt64, _ strand: Strand, at now: Instant) {
        strand.session?.lack(count, from: side, at: now)
        if !strand.isTorn { counts.torn += 1 }
        strand.isTorn = true
    }

    package func ended(
        _ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime
    ) throws(ImportError) {
        let now = tell(time)
        guard let strand = strands[id] else { return }
        if side == .client || style == .reset { strand.clientEnded = true }
        if side == .server || style == .reset { strand.serverEnded = true }
        strand.session?.ended(side, style, at: now)
        if strand.clientEnded, strand.serverEnded { strand.session?.close(at: now, why: nil) }
        try handOn(strand)
    }

    package func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {
        let now = tell(time)
        if let strand = strands[id] { try leave(strand, at: now) }
    }

    private func leave(_ strand: Strand, at now: Instant) throws(ImportError) {
        if strand.session?.isOver == false {
            counts.unfinished += 1
            strand.session?.close(at: now, why: "the capture does not hold the end of this connection")
        }
        try handOn(strand)
        forget(strand)
    }

    package func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {
        remark(sentence)
        guard let id, let strand = strands[id] else { return }
        strand.session?.note(sentence, at: journal.now)
        try handOn(strand)
    }

    private func remark(_ sentence: String) { counts.note(redactor.redact(sentence)) }

    /// Ends what is still open and closes the recording. Call it also when a reader failed: what was read stays.
    package func finish() throws(ImportError) {
        guard !isFinished else { return }
        isFinished = true
        for id in strands.keys.sorted() {
            if let strand = strands[id] { try leave(strand, at: journal.now) }
        }
        try journal.finish(&counts)
    }

    private func tell(_ time: WallTime) -> Instant {
        let now = journal.instant(time)
        counts.span = now.nanoseconds
        return now
    }

    /// What the strand's session wrote goes into the journal. A connection whose session is over, or on which nothing is
    /// looked for, is not kept.
    private func handOn(_ strand: Strand) throws(ImportError) {
        if strand.isOver { forget(strand) }
        guard !outbox.output.entries.isEmpty else { return }
        defer { outbox.output.entries.removeAll(keepingCapacity: true) }
        try journal.take(outbox.output.entries)
    }

    private func forget(_ strand: Strand) {
        guard strands.removeValue(forKey: strand.connection.id) != nil else { return }
        held -= strand.search?.held ?? 0
        if strand.session != nil { liveSessions -= 1 }
    }

    /// The server refused the upgrade and keeps the connection: what follows may be the same upgrade with credentials.
    private func goOn(_ strand: Strand, at now: Instant) throws(ImportError) {
        strand.session?.close(at: now, why: "the upgrade was refused, and the connection goes on with another request")
        try journal.take(outbox.output.entries)
        outbox.output.entries.removeAll(keepingCapacity: true)
        strand.session = nil
        strand.awaitsAnswer = false
        liveSessions -= 1
        strand.search = UpgradeSearch(limits, isWhole: true)
    }

    // MARK: Finding sessions

    private func find(in bytes: ByteBuffer, from side: Side, _ strand: Strand, at now: Instant) {
        guard var search = strand.search else { return }
        strand.search = nil
        let before = search.held
        let find = search.take(bytes, from: side)
        take(find, &search, strand, at: now)
        if let kept = strand.search?.held, held + kept - before > limits.importGapBytesTotal {
            strand.search = nil
            remark("L15: more than \(limits.importGapBytesTotal) bytes wait for the rest of their heads; some are not read")
        }
        held += (strand.search?.held ?? 0) - before
    }

    private func take(_ find: UpgradeSearch.Find, _ search: inout UpgradeSearch, _ strand: Strand, at now: Instant) {
        switch find {
        case .nothing: strand.search = search
        case .request(let head, let rest):
            guard begin(head, strand, at: now) else { return }
            strand.session?.bytes(rest, from: .client, at: now)
            strand.awaitsAnswer = true
            take(search.takeEarly(), &search, strand, at: now)
        case .answer(let bytes):
            strand.awaitsAnswer = false
            strand.session?.bytes(bytes, from: .server, at: now)
        case .pair(let head, let answer, let client, let server):
            guard begin(head, strand, at: now) else { return }
            strand.session?.note("the connection had begun before, or the capture lacks a part of what was before", at: now)
            strand.session?.bytes(answer.bytes, from: .server, at: now)
            strand.session?.bytes(client, from: .client, at: now)
            strand.session?.bytes(server, from: .server, at: now)
        case .unreadable(let reason):
            let place = "\(strand.connection.client) to \(strand.connection.server)"
            remark("\(place): the search for an upgrade ends: \(reason)")
            take(.none(reason), &search, strand, at: now)
        case .none:
            guard strand.session != nil else { return }
            // The upgrade is there, and its answer cannot be told from those before it.
            strand.awaitsAnswer = false
            tear(.server, 0, strand, at: now)
        }
    }

    private func begin(_ head: RequestHead, _ strand: Strand, at now: Instant) -> Bool {
        guard liveSessions < limits.sessions else {
            remark("L7: more than \(limits.sessions) sessions at once; some are not read")
            return false
        }
        sessionCount += 1
        liveSessions += 1
        counts.sessions += 1
        let session = SessionFeed(SessionID(sessionCount), machines, into: outbox)
        session.begin(strand.connection, head, at: now)
        strand.session = session
        return true
    }
}
