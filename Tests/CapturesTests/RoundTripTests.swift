import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What is written reads back, however it is rotated.
@Suite struct RoundTripTests {
    @Test func headerAndEntriesReadBack() throws {
        let folder = try Folder()
        let entries = Sample.entries(1...40)
        try Sample.write(folder["rec"], entries)
        let read = try Sample.read(folder["rec"])
        #expect(read.header == Sample.header)
        #expect(read.entries == entries)
        #expect(read.warnings == [] && read.isComplete)
        #expect(folder.names("rec") == ["0001.ndjson"])
    }

    @Test func aRecordingWithoutEntriesIsOneToo() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], [])
        let read = try Sample.read(folder["rec"])
        #expect(read.entries == [] && read.isComplete && read.warnings == [])
    }

    @Test func filesAndDirectoriesBelongToTheOwnerAlone() throws {
        let folder = try Folder()
        try Sample.write(folder["a/b/rec"], Sample.entries(1...2))
        #expect(folder.mode("a") == 0o700 && folder.mode("a/b") == 0o700 && folder.mode("a/b/rec") == 0o700)
        #expect(folder.mode("a/b/rec/0001.ndjson") == 0o600)
    }

    @Test func segmentsAreRotatedAndEachHasTheHeader() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        let entries = Sample.entries(1...200)
        try Sample.write(folder["rec"], entries, limits: limits)
        let names = folder.names("rec")
        #expect(names.count > 5)
        #expect(names == (1...names.count).map { "000\($0).ndjson".suffixed(11) })
        for (index, name) in names.enumerated() {
            let bytes = try folder.read("rec/" + name)
            #expect(bytes.last == 0x0a && bytes.count < 2_400)
            let first = bytes.prefix { $0 != 0x0a }
            guard case .header(let header) = try EntryCodec.decode(ByteBuffer(bytes: first), place: LinePlace(name)) else {
                Issue.record("no header in \(name)")
                continue
            }
            var expected = Sample.header
            expected.segment = UInt32(index + 1)
            #expect(header == expected)
        }
        let read = try Sample.read(folder["rec"])
        #expect(read.entries == entries && read.warnings == [] && read.isComplete)
    }

    /// One byte below the size, at it, and above: the line that reaches it is the segment's last.
    @Test func aSegmentEndsWithTheLineThatReachesItsSize() throws {
        let folder = try Folder()
        try Sample.write(folder["whole"], Sample.entries(1...3))
        let lines = try folder.read("whole/0001.ndjson").split(separator: 0x0a)
        let two = lines[0..<3].reduce(0) { $0 + $1.count + 1 }
        for (size, inFirst) in [(two - 1, 2), (two, 2), (two + 1, 3)] {
            var limits = Limits.standard
            limits.segmentBytes = size
            try Sample.write(folder["rec\(size)"], Sample.entries(1...3), limits: limits)
            #expect(try folder.read("rec\(size)/0001.ndjson").split(separator: 0x0a).count == inFirst + 1)
            #expect(try Sample.read(folder["rec\(size)"]).entries == Sample.entries(1...3))
        }
    }

    @Test func theOldestGoWhenTheWholeIsTooLarge() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        limits.recordingBytes = 9_000
        let writer = try RecordingWriter(directory: folder["rec"], header: Sample.header, limits: limits)
        try writer.append(Sample.entries(1...300))
        try writer.finish()
        let sizes = try folder.names("rec").map { try folder.read("rec/" + $0).count }
        #expect(sizes.reduce(0, +) <= 9_000)
        #expect(writer.removedSegments > 0 && writer.bytes > 9_000)
        let read = try Sample.read(folder["rec"])
        #expect(read.entries == Array(Sample.entries(1...300).suffix(read.entries.count)) && !read.entries.isEmpty)
        #expect(!read.isComplete)
        #expect(read.warnings.count == 1)
        #expect(read.warnings[0].contains("begins with segment \(writer.removedSegments + 1)"))
    }

    @Test func oneSessionOrOneSegmentCanBeReadByItself() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        try Sample.write(folder["rec"], Sample.entries(1...60), limits: limits)
        let second = try Sample.read(folder["rec"] + "/s2")
        #expect(second.entries == Sample.entries(1...60).filter { $0.session == SessionID(2) } && second.isComplete)
        #expect(try Sample.read(folder["rec/s77"]).entries == [])
        #expect(try Sample.read(folder["rec"] + "/").entries.count == 60)
        let segment = try Sample.read(folder["rec/0002.ndjson"])
        #expect(!segment.entries.isEmpty && !segment.isComplete)
        for (earlier, later) in zip(segment.entries, segment.entries.dropFirst()) {
            #expect(later.number == earlier.number + 1)
        }
        for name in ["rec/s", "rec/s-1", "rec/s+1", "rec/x1", "s1"] {
            #expect(throws: RecordingError.self) { try Sample.read(folder[name]) }
        }
    }

    @Test func metaRecordingsHoldNoContentOnDisk() throws {
        let folder = try Folder()
        var header = Sample.header
        header.mode = .meta
        let frame = Frame(opcode: .text, maskKey: 7, payload: ByteBuffer(string: "what was said"))
        let record = FrameRecord(
            passage: Passage(.toServer, in: .zero, out: .zero), frame: frame,
            message: MessageRecord(opcode: .text, payload: frame.payload, ordinal: 1))
        let entry = Entry(
            number: 1, instant: .zero, loop: 0, sequence: 0, ref: EntryRef(session: SessionID(1), ordinal: 1),
            body: .frame(record))
        try Sample.write(folder["rec"], [entry], header: header)
        #expect(!String(decoding: try folder.read("rec/0001.ndjson"), as: UTF8.self).contains("what was said"))
        #expect(try Sample.read(folder["rec"]).entries == [entry.withoutContent])
    }

    @Test func metaKeepsHowItEnded() {
        let frame = Frame(opcode: .close, payload: ByteBuffer(bytes: [0x0f, 0xa1] + Array("because of bob".utf8)))
        let record = FrameRecord(
            passage: Passage(.toClient, in: .zero, out: .zero), frame: frame,
            message: MessageRecord(opcode: .close, payload: frame.payload, ordinal: 0))
        let entry = Entry(instant: .zero, loop: 0, sequence: 0, ref: nil, body: .frame(record)).withoutContent
        guard case .frame(let kept) = entry.body else {
            Issue.record("no frame")
            return
        }
        #expect(Array(kept.frame.payload.readableBytesView) == [0x0f, 0xa1] && kept.redacted && kept.message?.payload == nil)
    }

    @Test func whatIsFlushedIsThereBeforeTheEnd() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.flushBytes = 500
        let writer = try RecordingWriter(directory: folder["rec"], header: Sample.header, limits: limits)
        try writer.append(Sample.entries(1...100))
        let early = try Sample.read(folder["rec"])
        #expect(early.entries.count > 90 && early.entries == Array(Sample.entries(1...100).prefix(early.entries.count)))
        #expect(!early.isComplete)
        limits.flushTime = .zero
        let eager = try RecordingWriter(directory: folder["eager"], header: Sample.header, limits: limits)
        try eager.append(Sample.entries(1...1))
        #expect(try Sample.read(folder["eager"]).entries.count == 1)
        try writer.flush()
        #expect(try Sample.read(folder["rec"]).entries.count == 100)
    }
}

extension String {
    fileprivate func suffixed(_ count: Int) -> String { String(suffix(count)) }
}
