import Journaling
import Testing

@testable import Captures

/// Recordings that grow too large or too old lose their oldest segments, and whoever writes them is told each time.
@Suite struct RetentionTests {
    private final class Clock {
        var seconds: UInt64 = 1_000
    }

    private static func limits() -> Limits {
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        return limits
    }

    private static func header(_ retention: Retention?) -> RecordingHeader {
        var header = Sample.header
        header.retention = retention
        return header
    }

    @Test func theHeaderSaysHowLongAndHowMuch() throws {
        let folder = try Folder()
        for (name, retention) in [("a", Retention.standard), ("b", Retention(seconds: nil, bytes: 5)), ("c", Retention(seconds: nil, bytes: nil))] {
            try Sample.write(folder[name], [], header: Self.header(retention))
            #expect(try Sample.read(folder[name]).header.retention == retention)
        }
        #expect(Retention.standard.seconds == 604_800 && Retention.standard.bytes == 10_737_418_240)
        #expect(Retention.standard.words == "7 d and 10 GiB")
    }

    @Test func whatIsTooLargeLosesItsOldestAndSaysSo() throws {
        let folder = try Folder()
        let header = Self.header(Retention(seconds: nil, bytes: 9_000))
        let writer = try RecordingWriter(directory: folder["rec"], header: header, limits: Self.limits())
        try writer.append(Sample.entries(1...300))
        try writer.finish()
        let told = writer.takeDeletions()
        #expect(told.count == writer.removedSegments && told.count > 2)
        #expect(told.first?.description == "\(folder["rec"])/0001.ndjson is deleted: the recording is kept to 9000 B")
        #expect(told.map(\.path) == (1...UInt32(told.count)).map { folder["rec"] + "/" + SegmentName.text($0) })
        #expect(writer.takeDeletions().isEmpty)
        #expect(!folder.names("rec").contains("0001.ndjson"))
    }

    @Test func whatIsTooOldGoes() throws {
        let folder = try Folder()
        let clock = Clock()
        let header = Self.header(Retention(seconds: 700, bytes: nil))
        let writer = try RecordingWriter(
            directory: folder["rec"], header: header, limits: Self.limits(), clock: { clock.seconds * 1_000_000_000 })
        try writer.append(Sample.entries(1...3))
        clock.seconds += 99
        try writer.flushIfDue()
        #expect(folder.names("rec") == ["0001.ndjson"])
        // A seventh of its time later nothing more goes into that segment.
        clock.seconds += 1
        try writer.flushIfDue()
        #expect(folder.names("rec") == ["0001.ndjson", "0002.ndjson"])
        clock.seconds += 699
        try writer.flushIfDue()
        #expect(folder.names("rec").first == "0001.ndjson" && writer.takeDeletions().isEmpty)
        clock.seconds += 1
        try writer.flushIfDue()
        #expect(writer.takeDeletions().map(\.description) == ["\(folder["rec"])/0001.ndjson is deleted: the recording is kept for 700 s"])
        #expect(folder.names("rec") == ["0002.ndjson"])
        // A segment without entries is not left for another one.
        try writer.append(Sample.entries(4...5))
        try writer.finish()
        #expect(folder.names("rec") == ["0002.ndjson"])
        #expect(try Sample.read(folder["rec"]).entries == Sample.entries(4...5))
    }

    @Test func withoutATimeNothingIsTooOld() throws {
        let folder = try Folder()
        let clock = Clock()
        let writer = try RecordingWriter(
            directory: folder["rec"], header: Self.header(Retention(seconds: nil, bytes: nil)), limits: Self.limits(),
            clock: { clock.seconds * 1_000_000_000 })
        try writer.append(Sample.entries(1...100))
        clock.seconds += 1 << 32
        try writer.append(Sample.entries(101...200))
        try writer.finish()
        #expect(writer.takeDeletions().isEmpty && folder.names("rec").contains("0001.ndjson"))
    }

    /// What lies under the name of a segment and is none of this recording is not ours to delete.
    @Test func filesOfOthersStay() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(
            directory: folder["rec"], header: Self.header(Retention(seconds: nil, bytes: 9_000)), limits: Self.limits())
        try writer.append(Sample.entries(1...60))
        try writer.flush()
        var other = Sample.header
        other.seed = 7
        try Sample.write(folder["other"], Sample.entries(1...2), header: other)
        folder.remove("rec/0001.ndjson")
        try folder.write("rec/0001.ndjson", folder.read("other/0001.ndjson"))
        folder.remove("rec/0002.ndjson")
        try folder.write("rec/0002.ndjson", "notes of somebody\n")
        try writer.append(Sample.entries(61...300))
        try writer.finish()
        let told = writer.takeDeletions()
        #expect(told.filter { $0.failure != nil }.map(\.path) == ["\(folder["rec"])/0001.ndjson", "\(folder["rec"])/0002.ndjson"])
        #expect(told.first?.description.contains("is still there: it belongs to another recording") == true)
        #expect(folder.names("rec").contains("0001.ndjson") && folder.names("rec").contains("0002.ndjson"))
        #expect(writer.removedSegments == told.count - 2 && told.count > 2)
    }

    /// Whoever tends recordings may be quicker; then nothing is there any more, and that is told.
    @Test func whatIsGoneAlreadyIsGone() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(
            directory: folder["rec"], header: Self.header(Retention(seconds: nil, bytes: 9_000)), limits: Self.limits())
        try writer.append(Sample.entries(1...60))
        try writer.flush()
        folder.remove("rec/0001.ndjson")
        try writer.append(Sample.entries(61...300))
        try writer.finish()
        let told = writer.takeDeletions()
        #expect(told.first?.path == folder["rec/0001.ndjson"] && told.allSatisfy { $0.failure == nil })
    }
}
