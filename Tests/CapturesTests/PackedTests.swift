@testable import Captures
import Journaling
import NIOCore
import Testing

/// Segments packed with gzip read as those that are not.
@Suite struct PackedTests {
    static func write(
        _ path: String, _ entries: [Entry], limits: Limits = .standard, isFinished: Bool = true
    ) throws {
        let writer = try RecordingWriter(directory: path, header: Sample.header, limits: limits, isPacked: true)
        try writer.append(entries)
        if isFinished { try writer.finish() } else { try writer.flush() }
    }

    @Test(arguments: [1, 7, 1_000, 1 << 18]) func packedSegmentsReadTheSame(_ chunk: Int) throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        try Sample.write(folder["plain"], Sample.entries(1...60), limits: limits)
        try Self.write(folder["packed"], Sample.entries(1...60), limits: limits)
        let names = folder.names("packed")
        #expect(names.count > 2 && names == folder.names("plain").map { $0 + ".gz" })
        let plain = try Sample.read(folder["plain"])
        let packed = try Sample.read(folder["packed"], chunk: chunk)
        #expect(packed.entries == plain.entries && packed.header == plain.header)
        #expect(packed.isComplete && packed.warnings.isEmpty)
        #expect(try Sample.read(folder["packed"] + "/0001.ndjson.gz").entries.count > 0)
    }

    /// Killed at any byte: what is there in whole lines is read, and the rest is said to be missing.
    @Test func aCutSegmentIsReadUpToItsCut() throws {
        let folder = try Folder()
        try Self.write(folder["rec"], Sample.entries(1...20), isFinished: false)
        let bytes = try folder.read("rec/0001.ndjson.gz")
        #expect(try Sample.read(folder["rec"]).entries.count == 20)
        var most = 0
        for end in stride(from: bytes.count - 1, to: 0, by: -7) {
            try folder.write("rec/0001.ndjson.gz", bytes[..<end])
            do throws(RecordingError) {
                let read = try Sample.read(folder["rec"])
                #expect(!read.warnings.isEmpty)
                most = max(most, read.entries.count)
            } catch { #expect(error.sentence == "the recording has no header") }
        }
        #expect(most > 0)
    }

    @Test func damageAndBombsAreErrors() throws {
        let folder = try Folder()
        try Self.write(folder["rec"], Sample.entries(1...200))
        var bytes = try folder.read("rec/0001.ndjson.gz")
        bytes[bytes.count / 2] ^= 0xff
        try folder.write("rec/0001.ndjson.gz", bytes)
        #expect(throws: RecordingError.self) { _ = try Sample.read(folder["rec"]) }
        try folder.write("bomb.ndjson.gz", Gzip("").flush(ByteBuffer(repeating: 0x20, count: 40 << 20)).readableBytesView)
        let error = #expect(throws: RecordingError.self) { _ = try Sample.read(folder["bomb.ndjson.gz"]) }
        #expect(error?.found == "more than 200 bytes for one" || error?.sentence == "the line is too long")
        try folder.write("text.ndjson.gz", "{}\n")
        #expect(throws: RecordingError.self) { _ = try Sample.read(folder["text.ndjson.gz"]) }
    }

    /// Members of gzip may stand one behind the other, as `cat` makes them.
    @Test func membersFollowEachOther() throws {
        let gunzip = try Gunzip("x", limits: .standard)
        var packed: [UInt8] = []
        for text in ["one\n", "", "two\n"] {
            let gzip = try Gzip("x")
            packed += gzip.flush(ByteBuffer(string: text)).readableBytesView
            packed += gzip.finish().readableBytesView
        }
        #expect(String(buffer: try gunzip.unpack(packed)) == "one\ntwo\n")
        #expect(gunzip.isAtMemberEnd)
    }
}
