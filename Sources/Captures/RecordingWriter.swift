import Glibc
package import Journaling
import NIOCore

/// Writes a recording into a directory: segments `0001.ndjson` and up, each beginning with the header, so that each can
/// be read by itself. Whatever kills the process, everything up to the last flush is there, in whole lines but the last;
/// packed segments too, which are flushed at a byte each time.
package final class RecordingWriter {
    private let directory: String
    private var header: RecordingHeader
    private let limits: Limits
    private var file: FileDescriptor?
    /// Held as long as it is written, so that nobody changes it meanwhile, not even between two segments.
    private var hold: RecordingLock?
    private var buffer = ByteBuffer()
    private var shelf: SegmentShelf
    private var segmentBytes = 0
    private var segmentEntries: UInt64 = 0
    private var segmentBegan: UInt64
    private let clock: () -> UInt64
    /// What retention let go and nobody has been told yet.
    private var deletions: [SegmentDeletion] = []
    private var entries: UInt64 = 0
    private var redactions = 0
    private var flushed: UInt64
    private var isFinished = false
    private let isPacked: Bool
    /// Packs the segment that is written now.
    private var gzip: Gzip?

    /// Bytes written or waiting to be, before they are packed, in all segments, removed ones included.
    package private(set) var bytes: UInt64 = 0
    /// Oldest segments deleted because of their age or the size of the whole (`header.retention`).
    package private(set) var removedSegments = 0
    /// The first thing that went wrong; nothing is written behind it.
    package private(set) var failure: RecordingError?

    /// - Parameters:
    ///   - directory: made with mode 0700 when it is not there; refused when it holds a recording already.
    ///   - header: without retention, only the size of the whole is bounded (`limits.recordingBytes`).
    ///   - isPacked: segments are gzip, `0001.ndjson.gz`; sizes of segments count what is packed, before it is.
    ///   - clock: nanoseconds, only going forward, with the time in which the machine slept.
    package init(
        directory: String, header: RecordingHeader, limits: Limits = .standard, isPacked: Bool = false,
        clock: @escaping () -> UInt64 = RecordingWriter.now
    ) throws(RecordingError) {
        self.clock = clock
        segmentBegan = clock()
        shelf = SegmentShelf(header.retention ?? Retention(seconds: nil, bytes: Int64(clamping: limits.recordingBytes)))
        self.isPacked = isPacked
        self.directory = directory
        self.header = header
        self.header.segment = 0
        self.limits = limits
        flushed = clock()
        try RecordingWriter.check(directory)
        try Directory.make(directory)
        hold = RecordingLock.writing(directory)
        do throws(RecordingError) {
            try beginSegment()
        } catch {
            // Nothing half-started: an empty segment would only be in the way of the next attempt.
            if file != nil { Directory.remove(path(self.header.segment)) }
            throw error
        }
    }

    deinit { try? flush() }

    /// The nearest directory that is there, of a path that may still be made.
    package static func nearestDirectory(_ path: String) -> String {
        var place = path
        while Directory.kind(place) != .directory {
            guard let parent = Directory.parent(of: place) else { return "." }
            place = parent
        }
        return place
    }

    /// Refuses a directory that holds a recording already.
    package static func check(_ directory: String) throws(RecordingError) {
        guard Directory.kind(directory) == .directory else { return }
        let names = try Directory.names(in: directory)
        let isLeft = PendingSegments.areThere(names)
        guard isLeft || names.contains(where: { SegmentName.number($0) != nil }) else { return }
        throw RecordingError(
            place: directory, sentence: "a recording is there already", expected: "an empty or new directory",
            found: isLeft ? "what an interrupted `recording forget` left" : "segments", remedy: "name another directory or remove it")
    }

    /// Appends entries, which are in order and numbered. Flushes at most every 1 s or 1 MiB (trust.md L11).
    /// - Parameter redactions: distinct secrets replaced so far, for the headers of later segments.
    package func append(_ new: [Entry], redactions: Int = 0) throws(RecordingError) {
        try check()
        self.redactions = max(self.redactions, redactions)
        for entry in new {
            let before = buffer.readableBytes
            EntryCodec.encode(header.mode == .meta ? entry.withoutContent : entry, into: &buffer)
            count(buffer.readableBytes - before)
            entries += 1
            segmentEntries += 1
            if segmentBytes >= limits.segmentBytes {
                try flush()
                try beginSegment()
            } else if buffer.readableBytes >= limits.flushBytes {
                try flush()
            }
        }
        try flushIfDue()
    }

    /// Writes out what is buffered if it is older than L11's time; call it when idle.
    package func flushIfDue() throws(RecordingError) {
        try check()
        let now = clock()
        guard buffer.readableBytes == 0 || now - flushed >= UInt64(clamping: limits.flushTime.nanoseconds) else { return }
        if isAged(now) {
            try flush()
            try beginSegment()
        } else if buffer.readableBytes == 0 {
            flushed = now
        } else {
            try flush()
        }
        deleteExpired()
    }

    /// Retention deletes whole segments: one that is written to for long would keep what is too old.
    private func isAged(_ now: UInt64) -> Bool {
        guard let seconds = shelf.retention.seconds, segmentEntries > 0 else { return false }
        return (now - segmentBegan) / 1_000_000_000 >= UInt64(clamping: max(1, seconds / 7))
    }

    /// Segments that were deleted, or should have been, since this was asked last.
    package func takeDeletions() -> [SegmentDeletion] {
        defer { deletions = [] }
        return deletions
    }

    package func flush() throws(RecordingError) {
        try check()
        flushed = clock()
        guard buffer.readableBytes > 0 else { return }
        do throws(RecordingError) {
            try file?.write(gzip?.flush(buffer) ?? buffer)
        } catch {
            failure = error
            throw error
        }
        buffer.clear(minimumCapacity: limits.flushBytes)
    }

    /// Writes the end line, flushes and closes. A recording that is not finished is read as cut short.
    package func finish() throws(RecordingError) {
        guard !isFinished else { return }
        let before = buffer.readableBytes
        EntryCodec.encode(RecordingEnd(entries: entries, redactions: redactions), into: &buffer)
        count(buffer.readableBytes - before)
        try flush()
        try endSegment()
        file = nil
        hold = nil
        isFinished = true
    }

    private func check() throws(RecordingError) {
        if let failure { throw failure }
        if isFinished {
            throw RecordingError(place: directory, sentence: "the recording is finished", remedy: "begin another one")
        }
    }

    private func path(_ segment: UInt32) -> String {
        SegmentName.path(directory, SegmentName.text(segment, isPacked: isPacked))
    }

    /// Nothing more comes into the segment that is written now.
    private func endSegment() throws(RecordingError) {
        if let gzip { try file?.write(gzip.finish()) }
        gzip = nil
        file?.sync()
    }

    private func beginSegment() throws(RecordingError) {
        let now = clock()
        if header.segment > 0 { shelf.add(.init(path: path(header.segment), bytes: Int64(segmentBytes), at: now)) }
        header.segment += 1
        header.redactions = redactions
        segmentBytes = 0
        segmentEntries = 0
        segmentBegan = now
        do throws(RecordingError) {
            try endSegment()
            gzip = isPacked ? try Gzip(directory) : nil
            file = try FileDescriptor.create(path(header.segment))
            // Whoever tends recordings keeps away from one that is written.
            file?.lockPatiently()
        } catch {
            failure = error
            throw error
        }
        let before = buffer.readableBytes
        EntryCodec.encode(header, into: &buffer)
        count(buffer.readableBytes - before)
        // A segment without a header would be unreadable: it is not left in the buffer.
        try flush()
        deleteExpired()
    }

    /// Keeps the whole within its time and size; the reader says what is gone.
    private func deleteExpired() {
        for (segment, cause) in shelf.takeExpired(at: clock(), room: Int64(limits.segmentBytes)) {
            let told = SegmentShelf.delete(segment, cause, of: header, limits: limits)
            if told.failure == nil { removedSegments += 1 }
            deletions.append(told)
        }
    }

    private func count(_ new: Int) {
        segmentBytes += new
        bytes += UInt64(clamping: new)
    }

    /// Nanoseconds on a clock that only goes forward, also while the machine sleeps.
    package static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
