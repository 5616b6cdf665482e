import Glibc
import Journaling
import NIOCore
import Testing
import Wire

@testable import Captures

/// Where a user hides, what is not theirs, and what stands in the way of removing them.
@Suite struct ForgetEdgeTests {
    private typealias Scene = ForgetTests.Scene
    private static let user = ForgetTests.user

    private static func facts(_ user: String?, tag: String? = nil, rivals: [String] = []) -> Entry.Body {
        .facts(Facts(tap: .clientIn, user: user, rivals: rivals, place: nil, state: .unknown, tag: tag))
    }

    private static func head(_ fields: String) -> Entry.Body {
        .head(HeadRecord(
            passage: Passage(.toServer, in: .zero, out: .zero), bytes: ByteBuffer(string: "GET /ws HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")))
    }

    private static func bytes(_ text: [UInt8], _ kind: BytesRecord.Kind = .opaque, _ direction: Direction = .toClient) -> Entry.Body {
        .bytes(BytesRecord(passage: Passage(direction, in: .zero, out: nil), kind: kind, bytes: ByteBuffer(bytes: text)))
    }

    private static func recordings(_ scene: Scene) throws -> [Entry] { try Sample.read(scene.folder["rec"]).entries }

    /// The proof looks for the tags and credentials too, in frames too: it is not fooled by a segment that was not rewritten.
    @Test func theProofLooksForWhatWasFound() throws {
        for (mode, trace) in [(RecordingHeader.Mode.redacted, "‹jwt:b0›"), (.raw, "opaque-token-of-bob-0123456789")] {
            var scene = try Scene()
            scene.add(2, Self.head("Authorization: Bearer \(trace)\r\n"))
            scene.add(2, Self.facts(Self.user, tag: mode == .raw ? nil : "jwt:b0"))
            scene.add(1, Self.facts("alice"))
            scene.say(1, ["0123456789"])
            try scene.write(mode: mode)
            var forgetter = Forgetter(Self.user, in: scene.folder["rec"])
            let folder = scene.folder
            forgetter.onStep = { step throws(RecordingError) in
                guard case .written = step else { return }
                for name in folder.names("rec") where name.hasPrefix(".forget-") {
                    guard let old = try? folder.read("rec/" + name) else { continue }
                    let new = String(decoding: old, as: UTF8.self).replacing("0123456789", with: trace)
                    do { try folder.write("rec/" + name, new) } catch { Issue.record(error) }
                }
            }
            let whole = try scene.text()
            #expect { try forgetter.run() } throws: { error in
                (error as? RecordingError)?.sentence == "the removal cannot be proven, and nothing was changed"
            }
            #expect(try scene.text() == whole && !folder.names("rec").contains { $0.hasPrefix(".") })
        }
    }

    /// Whoever logs in by address is the same user, and what nobody but they were told goes with the session.
    @Test func sessionsUnderAnotherName() throws {
        var scene = try Scene()
        scene.begin(1, user: "alice", tag: "jwt:a1")
        scene.begin(2, user: "Bob@example.com", tag: "jwt:b1")
        scene.say(2, ["for me only"])
        try scene.write()
        let told = try Forgetter(Self.user, others: ["bob@example.com"], in: scene.folder["rec"]).run()
        #expect(told.sessions == [SessionID(2)])
        #expect(try !scene.text().contains("for me only"))
    }

    /// In a raw recording nobody but the credential itself says whose a session is; cookies of everybody are nobody's.
    @Test func rawSessionsAreToldByTheirCredentials() throws {
        var scene = try Scene()
        let (theirs, hers) = ("opaque-token-of-bob-0123456789", "opaque-token-of-alice-123456789")
        scene.add(2, Self.head("Authorization: Bearer \(theirs)\r\nCookie: theme=production-since-monday; session_id=bobs-session-4711\r\n"))
        scene.add(2, Self.facts(Self.user))
        scene.add(3, Self.head("Authorization: Bearer \(theirs)\r\n"))
        scene.say(3, ["for me only"])
        scene.add(5, Self.head("Authorization: Bearer \(hers)\r\n"))
        scene.add(5, Self.facts("alice"))
        scene.add(5, Self.facts(Self.user))
        scene.add(1, Self.head("Authorization: Bearer \(hers)\r\n"))
        scene.add(1, Self.facts("alice"))
        scene.say(1, ["we are in production-since-monday now"])
        scene.say(1, ["bobs-session-4711 was his"])
        try scene.write(mode: .raw)
        let told = try Forgetter(Self.user, in: scene.folder["rec"]).run()
        #expect(told.sessions == [SessionID(2), SessionID(3), SessionID(5)] && told.emptied == 1)
        let text = try scene.text()
        #expect(text.contains(hers) && text.contains("we are in production-since-monday now") && !text.contains("for me only") && !text.contains("bobs-session"))
    }

    /// One byte a read is nothing unusual.
    @Test func aMentionInManyRecords() throws {
        var scene = try Scene()
        scene.begin(1, user: "alice", tag: "jwt:a1")
        scene.begin(2, user: Self.user, tag: "jwt:b0")
        let text = "I met bob.jones there, and told him all about it at some length, so that he knew"
        for byte in text.utf8 { scene.add(1, Self.bytes([byte])) }
        try scene.write()
        let told = try Forgetter(Self.user, in: scene.folder["rec"]).run()
        let left = try Self.recordings(scene).reduce(into: "") { text, entry in
            if case .bytes(let record) = entry.body { text += String(buffer: record.bytes) }
        }
        #expect(!left.contains("bob") && !left.contains("jones") && left.hasSuffix("so that he knew"), "\(left)")
        #expect(told.emptied < 40)
    }

    /// Others may write recordings too: a frame that belongs to no session is searched like any other.
    @Test func aFrameOfNoSession() throws {
        var scene = try Scene()
        scene.begin(2, user: Self.user, tag: "jwt:b0")
        scene.say(1, ["for bob.jones"])
        scene.entries[scene.entries.count - 1].ref = nil
        try scene.write()
        #expect(try Forgetter(Self.user, in: scene.folder["rec"]).run().emptied == 1)
        #expect(try !scene.text().contains("bob.jones"))
    }

    /// What cannot be searched goes when the user was there, and stays when they were not.
    @Test func whatNobodyCanSearch() throws {
        var scene = try Scene()
        scene.begin(1, user: "alice", tag: "jwt:a1")
        scene.begin(2, user: Self.user, tag: "jwt:b0")
        scene.add(1, Self.bytes([0x83, 0x85, 1, 2, 3, 4, 0x63, 0x6d, 0x61], .illegal, .toServer))
        scene.add(1, Self.bytes(Array("PRI * HTTP/2.0\r\n".utf8) + [0, 0, 1]))
        scene.add(1, Self.bytes(Array("plain text\r\n".utf8)))
        let frame = Frame(rsv: 4, opcode: .text, payload: ByteBuffer(bytes: [0xff, 0xfe, 0xfd]))
        let broken = MessageRecord(opcode: .text, payload: nil, unlifted: "broken deflate", ordinal: 1)
        scene.add(1, .frame(FrameRecord(passage: Passage(.toClient, in: .zero, out: .zero), frame: frame, message: broken)))
        try scene.write()
        let whole = try scene.text()
        let nobody = try Forgetter("zoe", in: scene.folder["rec"]).run()
        #expect(try !nobody.isFound && scene.text() == whole)
        let told = try Forgetter(Self.user, in: scene.folder["rec"]).run()
        #expect(told.hidden == 3 && told.emptied == 0 && told.isFound)
        let kept = try Self.recordings(scene).compactMap { entry -> Int? in
            if case .bytes(let record) = entry.body { return record.bytes.readableBytes }
            if case .frame(let record) = entry.body { return record.frame.payload.readableBytes }
            return nil
        }
        #expect(kept == [0, 0, 12, 0])
    }

    /// A recorder that is killed between making a segment and writing its header leaves an empty file.
    @Test(arguments: ["", #"{"miswire-rec"#]) func aLastSegmentWithoutAHeader(rest: String) throws {
        var scene = try Scene()
        try scene.write()
        let next = SegmentName.text(UInt32(scene.folder.names("rec").count))
        scene.folder.remove("rec/" + next)
        try scene.folder.write("rec/" + next, rest)
        #expect(try Forgetter(Self.user, in: scene.folder["rec"]).run().isFound)
        #expect(try !scene.text().contains("for me only"))
    }

    /// What a header claims is a number like any other.
    @Test(arguments: [Int.max, .min, -1]) func howOftenIsNoTrap(claimed: Int) throws {
        var scene = try Scene()
        try scene.write()
        for name in scene.folder.names("rec") where name.hasSuffix("ndjson") {
            var lines = try String(decoding: scene.folder.read("rec/" + name), as: UTF8.self).split(separator: "\n")
            lines[0] = lines[0].replacing(#","redactions":"#, with: #","forgotten":\#(claimed),"redactions":"#)[...]
            try scene.folder.write("rec/" + name, lines.joined(separator: "\n") + "\n")
        }
        #expect(try Sample.read(scene.folder["rec"]).header.forgotten == claimed)
        #expect(try Forgetter(Self.user, in: scene.folder["rec"]).run().isFound)
        let read = try Sample.read(scene.folder["rec"])
        #expect(read.header.forgotten > 0 && !read.isComplete)
    }

    /// Under its other name the old file would live on, with the user in it.
    @Test func filesWithTwoNamesAreRefused() throws {
        var scene = try Scene()
        try scene.write()
        let first = scene.folder["rec/0001.ndjson"]
        #expect(unsafe link(first, scene.folder["kept"]) == 0)
        let whole = try scene.text()
        func expectRefused(_ found: String) {
            #expect { try Forgetter(Self.user, in: scene.folder["rec"]).run() } throws: { error in
                (error as? RecordingError)?.place == first && (error as? RecordingError)?.found == found
            }
        }
        expectRefused("2 names of one file")
        scene.folder.remove("rec/0001.ndjson")
        #expect(unsafe symlink(scene.folder["kept"], first) == 0)
        expectRefused("a link or no file at all")
        #expect(try scene.text() == whole)
    }

    @Test(.enabled(if: geteuid() == 0, "only root writes for others")) func rootLeavesFilesToTheirOwner() throws {
        var scene = try Scene()
        try scene.write()
        for name in scene.folder.names("rec") { #expect(unsafe chown(scene.folder["rec/" + name], 65_534, 65_533) == 0) }
        #expect(try Forgetter(Self.user, in: scene.folder["rec"]).run().isFound)
        for name in scene.folder.names("rec") {
            var info = stat()
            #expect(unsafe stat(scene.folder["rec/" + name], &info) == 0 && info.st_uid == 65_534 && info.st_gid == 65_533)
        }
    }

    /// Whoever writes holds the whole recording, also in the moment between two segments.
    @Test func aRecorderKeepsItsRecording() throws {
        var scene = try Scene()
        scene.fill()
        let writer = try RecordingWriter(directory: scene.folder["rec"], header: Scene.header)
        try writer.append(scene.entries)
        try writer.flush()
        let bytes = try scene.folder.read("rec/0001.ndjson")
        scene.folder.remove("rec/0001.ndjson")
        try scene.folder.write("rec/0001.ndjson", bytes)
        #expect { try Forgetter(Self.user, in: scene.folder["rec"]).run() } throws: { error in
            (error as? RecordingError)?.sentence == "the recording is in use"
        }
        try writer.finish()
        #expect(try Forgetter(Self.user, in: scene.folder["rec"]).run().isFound)
    }

    /// What an interrupted removal left is no place for another recording: it would be overwritten when that is finished.
    @Test func noRecordingIsBegunAmongLeftovers() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], [])
        folder.remove("rec/0001.ndjson")
        try folder.write("rec/.forget-0001.ndjson", "x")
        #expect { try Sample.write(folder["rec"], []) } throws: { error in
            (error as? RecordingError)?.found == "what an interrupted `recording forget` left"
        }
    }
}
