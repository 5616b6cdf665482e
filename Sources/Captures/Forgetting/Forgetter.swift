package import Journaling
import NIOCore

/// Removes one user from a recording (trust.md T36). Nothing is changed before all of it was written anew and read back;
/// then a marker says that the new segments count, and each takes the place of the old one. Whatever kills the process,
/// the recording is the old one, or becomes the new one when this is asked again.
package struct Forgetter {
    package struct Told: Sendable, Equatable {
        package var sessions: [SessionID] = []
        package var tags = 0
        /// Entries that are gone, and entries of others without their content.
        package var removed: UInt64 = 0
        package var emptied: UInt64 = 0
        /// Entries of others without their content because nobody can search it.
        package var hidden: UInt64 = 0
        /// Entries and headers of which a word was replaced.
        package var reworded: UInt64 = 0
        package var segments = 0
        /// Entries read back and searched.
        package var searched: UInt64 = 0
        /// The contract names the user; it is the application's and stays.
        package var contractNames = false
        /// An earlier removal was interrupted and was finished first.
        package var resumed = false
        package var isFound: Bool { !sessions.isEmpty || emptied > 0 || reworded > 0 }
    }

    /// Where a process may die, for tests.
    enum Step: Sendable, Equatable { case written(Int), proven, marked, placed(Int), cleared }

    private let directory: String
    private let user: String
    private let others: [String]
    private let limits: Limits
    var onStep: (Step) throws(RecordingError) -> Void = { _ throws(RecordingError) in }

    /// - Parameter others: what else names the user, such as an address.
    package init(_ user: String, others: [String] = [], in directory: String, limits: Limits = .standard) {
        self.user = user
        self.others = others
        self.directory = directory
        self.limits = limits
    }

    /// - Parameter progress: told the entries of the pass that is under way, now and then.
    /// - Throws: what is in the way, with its place; then the recording is as it was, or half-way behind the marker. A
    ///   sentence that begins with `the removal cannot be proven` is a defect of ours.
    package func run(progress: (UInt64) -> Void = { _ in }) throws(RecordingError) -> Told {
        guard Directory.kind(directory) == .directory else {
            throw RecordingError(
                place: directory, sentence: "there is no recording here", expected: "a directory of segments", found: "none",
                remedy: "name the directory of a recording")
        }
        // One at a time, and nobody who still writes.
        let lock = try RecordingLock.whole(directory)
        defer { lock.keep() }
        var told = Told()
        told.resumed = try PendingSegments.settle(directory)
        let segments = try PendingSegments.segments(of: directory)
        guard let first = segments.first else {
            throw RecordingError(
                place: directory, sentence: "there is no recording here", expected: "segments such as 0001.ndjson", found: "none",
                remedy: "name a directory that `--record` wrote")
        }
        for segment in segments { try Forgetter.checkOneName(segment.path) }
        let header = try RecordingReader.header(of: first.path, limits: limits)
        let trace = try read(segments.map(\.path), isRaw: header.mode == .raw, progress)
        told.sessions = trace.sessions.sorted()
        told.tags = trace.tags.count
        told.contractNames = header.contract.map { trace.mentions.isIn($0.text) } ?? false
        told.segments = segments.count
        do throws(RecordingError) {
            for (index, segment) in segments.enumerated() {
                try rewrite(segment, trace, &told, progress)
                try onStep(.written(index))
            }
            if told.isFound { try prove(segments.map(\.pending), header, trace, &told, progress) }
        } catch {
            PendingSegments.discard(directory)
            throw error
        }
        guard told.isFound else {
            PendingSegments.discard(directory)
            told.hidden = 0
            return told
        }
        try onStep(.proven)
        try place(segments)
        return told
    }

    /// What takes its place would leave the old file, and the user in it, under the other name.
    private static func checkOneName(_ path: String) throws(RecordingError) {
        let found: String
        switch try Directory.names(of: path) {
        case 1: return
        case nil: found = "a link or no file at all"
        case let count?: found = "\(count) names of one file"
        }
        throw RecordingError(
            place: path, sentence: "the segment is known by another name as well, where the user would stay",
            expected: "a file with one name", found: found,
            remedy: "put a copy of its own in its place, and delete the other (find DIR -samefile \(path))")
    }

    /// From the marker on there is no way back.
    private func place(_ segments: [PendingSegments.Segment]) throws(RecordingError) {
        try PendingSegments.mark(directory)
        try onStep(.marked)
        for (index, segment) in segments.enumerated() {
            try Directory.rename(segment.pending, to: segment.path)
            try onStep(.placed(index))
        }
        try PendingSegments.clear(directory)
        try onStep(.cleared)
    }

    // MARK: Reading

    private func read(
        _ paths: [String], isRaw: Bool, known: Mentions? = nil, _ progress: (UInt64) -> Void
    ) throws(RecordingError) -> UserTrace {
        var trace = UserTrace(user, others: others, limits: limits, known: known)
        try eachEntry(paths, progress) { trace.learn($0) }
        trace.conclude(isRaw: isRaw)
        try eachEntry(paths, progress) { trace.mark($0) }
        trace.finish()
        return trace
    }

    private func eachEntry(_ paths: [String], _ progress: (UInt64) -> Void, _ body: (Entry) -> Void) throws(RecordingError) {
        var count: UInt64 = 0
        for path in paths {
            let lines = try LineReader(path, longest: EntryCodec.longestLine(limits), chunk: 256 << 10, limits: limits)
            while case .whole(let line) = try lines.next() {
                guard case .entry(let entry) = try EntryCodec.decode(line, place: "\(path):\(lines.number)") else { continue }
                body(entry)
                count += 1
                if count.isMultiple(of: 50_000) { progress(count) }
            }
        }
    }

    // MARK: Writing

    private func rewrite(
        _ segment: PendingSegments.Segment, _ trace: UserTrace, _ told: inout Told, _ progress: (UInt64) -> Void
    ) throws(RecordingError) {
        let lines = try LineReader(segment.path, longest: EntryCodec.longestLine(limits), chunk: 256 << 10, limits: limits)
        let out = try SegmentFile(segment.pending, isPacked: SegmentName.isPacked(segment.path), limits)
        var count: UInt64 = 0
        // A line that the recorder was killed in is no entry, and may name anybody: it is left out.
        while case .whole(let line) = try lines.next() {
            switch try EntryCodec.decode(line, place: "\(segment.path):\(lines.number)") {
            case .header(let old):
                var new = old.without(trace.mentions)
                if new != old { told.reworded += 1 }
                // What a file claims may be any number, and never makes it a recording of which nobody is gone.
                new.forgotten = old.forgotten < .max ? max(0, old.forgotten) + 1 : .max
                try out.write { EntryCodec.encode(new, into: &$0) }
            case .end(let end): try out.write { EntryCodec.encode(end, into: &$0) }
            case .entry(let old):
                guard let new = kept(old, trace, &told) else { continue }
                try out.write { EntryCodec.encode(new, into: &$0) }
            }
            count += 1
            if count.isMultiple(of: 50_000) { progress(count) }
        }
        try out.finish()
        // Its age is the age of what was said, not of this.
        try Directory.copyTimes(from: segment.path, to: segment.pending)
        // Root may tidy up for somebody else, who shall still be able to read what is theirs.
        try Directory.copyOwner(from: segment.path, to: segment.pending)
    }

    private func kept(_ old: Entry, _ trace: UserTrace, _ told: inout Told) -> Entry? {
        if let session = old.session, trace.sessions.contains(session) {
            told.removed += 1
            return nil
        }
        var new = old
        if trace.emptied.contains(old.number) {
            told.emptied += 1
            new = new.emptied
        } else if trace.hidden.contains(old.number) {
            told.hidden += 1
            new = new.emptied
        }
        let worded = new.without(trace.mentions)
        if worded != new { told.reworded += 1 }
        return worded
    }

    // MARK: Proof

    /// Reads the new segments as anybody would, and looks for the user once more.
    private func prove(
        _ paths: [String], _ header: RecordingHeader, _ before: UserTrace, _ told: inout Told, _ progress: (UInt64) -> Void
    ) throws(RecordingError) {
        let after = try read(paths, isRaw: header.mode == .raw, known: before.mentions, progress)
        var problem: String?
        if let session = after.sessions.first { problem = "\(session) still is theirs" }
        if let number = after.emptied.union(after.hidden).min() { problem = "entry \(number) still names them" }
        var searched: UInt64 = 0
        try eachEntry(paths, progress) { entry in
            searched += 1
            if entry.session.map({ before.sessions.contains($0) }) ?? false { problem = "entry \(entry.number) is still there" }
            if entry.without(before.mentions) != entry { problem = "entry \(entry.number) still names them" }
        }
        for path in paths {
            let lines = try LineReader(path, longest: EntryCodec.longestLine(limits), chunk: 64 << 10, limits: limits)
            // A recorder may have been killed before the header of its last segment was written.
            guard case .whole(let line) = try lines.next(), case .header(let header) = try EntryCodec.decode(line, place: LinePlace(path))
            else { continue }
            if header.without(before.mentions) != header { problem = "a header still names them" }
        }
        told.searched = searched
        guard let problem else { return }
        throw RecordingError(
            place: directory, sentence: "the removal cannot be proven, and nothing was changed", expected: "no trace of the user",
            found: problem, remedy: "this is a defect of miswire; delete the recording if it must go now")
    }
}

/// A segment that is written beside the one whose place it will take.
private final class SegmentFile {
    private let file: FileDescriptor
    private let gzip: Gzip?
    private let limits: Limits
    private var buffer = ByteBuffer()

    init(_ path: String, isPacked: Bool, _ limits: Limits) throws(RecordingError) {
        file = try FileDescriptor.create(path)
        gzip = isPacked ? try Gzip(path) : nil
        self.limits = limits
    }

    func write(_ body: (inout ByteBuffer) -> Void) throws(RecordingError) {
        body(&buffer)
        if buffer.readableBytes >= limits.flushBytes { try flush() }
    }

    func finish() throws(RecordingError) {
        try flush()
        if let gzip { try file.write(gzip.finish()) }
        try file.syncOrFail()
    }

    private func flush() throws(RecordingError) {
        if buffer.readableBytes > 0 { try file.write(gzip?.flush(buffer) ?? buffer) }
        buffer.clear(minimumCapacity: limits.flushBytes)
    }
}
