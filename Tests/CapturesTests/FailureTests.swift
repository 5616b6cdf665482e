import Captures
import Glibc
import Journaling
import NIOCore
import Testing

/// What the system refuses: a typed error with the path, nothing half-started, nothing overwritten.
@Suite struct FailureTests {
    private func refusal(_ directory: String) -> RecordingError? {
        do throws(RecordingError) {
            _ = try RecordingWriter(directory: directory, header: Sample.header)
            return nil
        } catch {
            return error
        }
    }

    private func refusal(reading path: String) -> RecordingError? {
        do throws(RecordingError) {
            _ = try Sample.read(path)
            return nil
        } catch {
            return error
        }
    }

    @Test func aDirectoryThatHoldsARecordingIsLeftAlone() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...3))
        let before = try folder.read("rec/0001.ndjson")
        let error = refusal(folder["rec"])
        #expect(error?.place == folder["rec"] && error?.sentence == "a recording is there already")
        #expect(try folder.read("rec/0001.ndjson") == before)
        try folder.write("rec/0009.ndjson", "")
        folder.remove("rec/0001.ndjson")
        #expect(refusal(folder["rec"])?.sentence == "a recording is there already")
    }

    @Test func otherFilesInTheDirectoryAreNoSegments() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...3))
        for name in ["1.ndjson", "00001.ndjson", "0000.ndjson", "-001.ndjson", "+001.ndjson", "2.ndjson.gz", "0002.ndjson.gz.gz", "a.ndjson"] {
            try folder.write("rec/" + name, "nonsense")
        }
        #expect(try Sample.read(folder["rec"]).isComplete)
    }

    @Test func whereNoRecordingIsTheErrorSaysSo() throws {
        let folder = try Folder()
        #expect(refusal(reading: folder.path)?.sentence == "there is no recording here")
        #expect(refusal(reading: folder["none"])?.found == "nothing")
        try folder.write("empty.ndjson", "")
        #expect(refusal(reading: folder["empty.ndjson"])?.sentence == "the recording has no header")
        #expect(refusal(reading: "/dev/null")?.sentence == "this is no recording")
        let made = unsafe mkfifo(folder["0001.ndjson"], 0o600)
        #expect(made == 0)
        #expect(refusal(reading: folder.path) != nil, "a FIFO without a writer must not hang")
    }

    @Test func aPathThatIsNoDirectoryIsRefused() throws {
        let folder = try Folder()
        try folder.write("file", "x")
        for path in ["file", "file/rec", "file/a/b"] {
            let error = refusal(folder[path])
            #expect(error?.place.hasPrefix(folder["file"]) == true && error?.remedy.isEmpty == false, "\(path)")
        }
        #expect(try folder.read("file") == Array("x".utf8))
    }

    /// A link of the segment's name, laid by somebody else, is not written through (trust.md T36).
    @Test func linksAreNotFollowedOnWriting() throws {
        let folder = try Folder()
        try folder.write("victim", "keep")
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        let writer = try RecordingWriter(directory: folder["rec"], header: Sample.header, limits: limits)
        let linked = unsafe symlink(folder["victim"], folder["rec/0002.ndjson"])
        #expect(linked == 0)
        let error = #expect(throws: RecordingError.self) { try writer.append(Sample.entries(1...60)) }
        #expect(error?.place == folder["rec"] + "/0002.ndjson")
        #expect(writer.failure == error)
        #expect(try folder.read("victim") == Array("keep".utf8))
        #expect(throws: RecordingError.self) { try writer.append(Sample.entries(61...62)) }
        #expect(throws: RecordingError.self) { try writer.finish() }
        let read = try Sample.read(folder["rec/0001.ndjson"])
        #expect(read.entries == Array(Sample.entries(1...60).prefix(read.entries.count)) && !read.isComplete)
    }

    /// In a process of its own: there it can become somebody who owns nothing.
    @Test func withoutPermissionTheErrorSaysSo() async {
        await #expect(processExitsWith: .success) {
            let folder = try Folder()
            try Sample.write(folder["rec"], Sample.entries(1...3))
            let closed = unsafe (chmod(folder["rec"], 0), chmod(folder.path, 0o555))
            #expect(closed.0 == 0 && closed.1 == 0)
            if getuid() == 0 { try #require(seteuid(65_534) == 0) }
            let reading = #expect(throws: RecordingError.self) { try Sample.read(folder["rec"]) }
            let writing = #expect(throws: RecordingError.self) {
                try RecordingWriter(directory: folder["new/rec"], header: Sample.header)
            }
            let making = #expect(throws: RecordingError.self) {
                try RecordingWriter(directory: folder["rec"], header: Sample.header)
            }
            for error in [reading, writing, making] {
                #expect(error?.found == "Permission denied" && error?.place.hasPrefix(folder.path) == true)
                #expect(error?.remedy == "give yourself access or name another path")
            }
            if getuid() == 0 { _ = seteuid(0) }
            _ = unsafe chmod(folder.path, 0o700)
            _ = unsafe chmod(folder["rec"], 0o700)
            #expect(folder.names() == ["rec"])
        }
    }

    @Test func aFinishedRecordingTakesNothingMore() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(directory: folder["rec"], header: Sample.header)
        try writer.append(Sample.entries(1...2))
        try writer.finish()
        try writer.finish()
        let error = #expect(throws: RecordingError.self) { try writer.append(Sample.entries(3...3)) }
        #expect(error?.sentence == "the recording is finished")
        #expect(try Sample.read(folder["rec"]).isComplete)
    }

    /// A file that may not grow any more stands for a full disk: whole lines stay, the error is said once and for all,
    /// and what is there can never be taken for a whole recording (trust.md R4, T53).
    @Test func aFullDiskLeavesWholeLines() async throws {
        await #expect(processExitsWith: .success) {
            _ = signal(SIGXFSZ, SIG_IGN)
            let folder = try Folder()
            var limits = Limits.standard
            limits.flushBytes = 1_000
            let writer = try RecordingWriter(directory: folder["rec"], header: Sample.header, limits: limits)
            var size = rlimit(rlim_cur: 5_000, rlim_max: 5_000)
            let isSet = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &size)
            #expect(isSet == 0)
            let error = #expect(throws: RecordingError.self) { try writer.append(Sample.entries(1...200)) }
            #expect(error?.place == folder["rec/0001.ndjson"] && error?.sentence == "the recording cannot be written")
            #expect(writer.failure == error)
            #expect(throws: RecordingError.self) { try writer.flush() }
            #expect(throws: RecordingError.self) { try writer.finish() }
            let bytes = try folder.read("rec/0001.ndjson")
            #expect(bytes.last == 0x0a && bytes.count <= 5_000)
            let read = try Sample.read(folder["rec"])
            #expect(read.entries == Array(Sample.entries(1...200).prefix(read.entries.count)))
            #expect(read.entries.count > 20 && !read.isComplete && read.warnings.count == 1)
        }
    }

    @Test func aDiskThatIsFullFromTheStartLeavesNothingBehind() async throws {
        await #expect(processExitsWith: .success) {
            _ = signal(SIGXFSZ, SIG_IGN)
            let folder = try Folder()
            var size = rlimit(rlim_cur: 10, rlim_max: 10)
            let isSet = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &size)
            #expect(isSet == 0)
            let error = #expect(throws: RecordingError.self) {
                try RecordingWriter(directory: folder["rec"], header: Sample.header)
            }
            #expect(error?.place == folder["rec/0001.ndjson"])
            #expect(folder.names("rec") == [])
        }
    }
}
