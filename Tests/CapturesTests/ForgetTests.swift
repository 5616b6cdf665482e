import Glibc
import Journaling
import NIOCore
import Testing
import Wire

@testable import Captures

/// One user goes from a recording, wherever they are in it, and nobody else does; whatever kills the process on the way.
@Suite struct ForgetTests {
    static let user = "bob.jones"

    /// A recording in which the user is everywhere. s1 alice, s2 bob, s3 alice with bob's credential, s4 carol.
    struct Scene {
        var folder: Folder
        var entries: [Entry] = []
        private var ordinals: [UInt32: UInt32] = [:]

        init() throws { folder = try Folder() }

        mutating func add(_ session: UInt32, _ body: Entry.Body) {
            let number = UInt64(entries.count + 1)
            ordinals[session, default: 0] += 1
            entries.append(
                Entry(
                    number: number, instant: Instant(nanoseconds: Int64(number) * 1_000), loop: 0, sequence: number - 1,
                    ref: EntryRef(session: SessionID(session), ordinal: ordinals[session] ?? 0), body: body))
        }

        mutating func begin(_ session: UInt32, user: String, tag: String, out: (user: String, tag: String)? = nil, head: String = "") {
            add(session, .opened(Opened(transport: TransportID(session), peer: "127.0.0.1:5\(session)")))
            let text = "GET /ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ‹\(tag)›\r\n\(head)\r\n"
            add(session, .head(HeadRecord(passage: Passage(.toServer, in: .zero, out: .zero), bytes: ByteBuffer(string: text))))
            add(session, .facts(Facts(tap: .clientIn, user: user, place: "header authorization", state: .intact, tag: tag)))
            let sent = out ?? (user, tag)
            add(session, .facts(Facts(tap: .serverOut, user: sent.user, place: "header authorization", state: .intact, tag: sent.tag)))
        }

        mutating func say(
            _ session: UInt32, _ parts: [String], _ direction: Direction = .toClient, opcode: Opcode = .text, source: EntryRef? = nil
        ) {
            for (index, part) in parts.enumerated() {
                let isLast = index == parts.count - 1
                let frame = Frame(fin: isLast, opcode: index == 0 ? opcode : .continuation, payload: ByteBuffer(string: part))
                let whole = MessageRecord(opcode: opcode, payload: ByteBuffer(string: parts.joined()), ordinal: 1)
                let passage = Passage(direction, in: .zero, out: .zero)
                add(session, .frame(FrameRecord(passage: passage, frame: frame, message: isLast ? whole : nil, provenance: Provenance(source: source))))
            }
        }

        mutating func fill() {
            begin(1, user: "alice", tag: "jwt:a1")
            begin(2, user: ForgetTests.user, tag: "jwt:b0")
            begin(3, user: "alice", tag: "jwt:a1", out: (ForgetTests.user, "jwt:b0"))
            begin(4, user: "carol", tag: "jwt:c7", head: "X-Seen: ‹jwt:b0›\r\nX-For: Bob.Jones\r\n")
            say(1, ["hello alice"])
            say(2, ["for me only"])
            say(3, ["for me only, too"])
            say(1, [#"{"to":"bob.jones","text":"lost"}"#])
            say(1, ["to bob", ".jo", "nes"])
            say(1, [#"{"to":"bob.jone\u0073"}"#])
            say(1, ["/u/bob%2Ejones"])
            say(1, ["data:Zm9yIGJvYi5qb25lcyE="])
            say(1, ["626f622e6a6f6e6573"], opcode: .binary)
            say(1, ["what bob said"], source: EntryRef(session: SessionID(2), ordinal: 5))
            say(1, ["token ‹jwt:b0› of somebody"])
            say(4, ["bob.jonesy and bob.jo"])
            add(1, .note("answer meant for bob.jones, perhaps"))
            add(1, .fault(
                FaultRecord(
                    id: "f1", kind: "cross-streams", influence: Influence(.message, [.routing]), tap: .clientOut, on: nil,
                    detail: "goes to bob.jones in exchange", partner: ForgetTests.user)))
            add(1, .bytes(BytesRecord(passage: Passage(.toClient, in: .zero, out: nil), kind: .opaque, bytes: ByteBuffer(string: "x bob.j"))))
            add(1, .bytes(BytesRecord(passage: Passage(.toClient, in: .zero, out: nil), kind: .opaque, bytes: ByteBuffer(string: "ones y"))))
            add(4, .ended(EndRecord(side: .client, style: .finish, by: .tool, cause: "bob.jones asked for it")))
            say(4, ["good bye carol"])
        }

        static var header: RecordingHeader {
            var header = Sample.header
            header.profile = .init(name: "crossed", hash: "9be012", text: "faults:\n  - user: bob.jones\n")
            header.purpose = "bob.jones complained"
            return header
        }

        mutating func write(_ name: String = "rec", isPacked: Bool = false, mode: RecordingHeader.Mode = .redacted) throws {
            if entries.isEmpty { fill() }
            var limits = Limits.standard
            limits.segmentBytes = 1_500
            var header = Self.header
            header.mode = mode
            let writer = try RecordingWriter(directory: folder[name], header: header, limits: limits, isPacked: isPacked)
            try writer.append(entries)
            try writer.finish()
            try folder.write(name + "/notes.txt", "mine")
        }

        func text(_ name: String = "rec") throws -> String {
            try folder.names(name).filter { $0.contains("ndjson") }.map { try String(decoding: folder.read("\(name)/\($0)"), as: UTF8.self) }.joined()
        }
    }

    private static func forget(_ folder: Folder, _ name: String = "rec") throws(RecordingError) -> Forgetter.Told {
        try Forgetter(user, in: folder[name]).run()
    }

    /// What is left, checked against what was there; true when the user is gone.
    private static func expectGone(_ scene: Scene, _ name: String = "rec", sourceLocation: SourceLocation = #_sourceLocation) throws {
        let read = try Sample.read(scene.folder[name])
        #expect(Set(read.entries.compactMap(\.session)) == [SessionID(1), SessionID(4)], sourceLocation: sourceLocation)
        let said = read.entries.compactMap { entry -> String? in
            guard case .frame(let frame) = entry.body, let message = frame.message else { return nil }
            return message.payload.map { String(buffer: $0) } ?? message.unlifted
        }
        #expect(
            said == ["hello alice"] + Array(repeating: "forgotten", count: 8) + ["bob.jonesy and bob.jo", "good bye carol"],
            sourceLocation: sourceLocation)
        var buffer = ByteBuffer()
        for entry in read.entries { EntryCodec.encode(entry, into: &buffer) }
        EntryCodec.encode(read.header, into: &buffer)
        let text = String(buffer: buffer).replacing("bob.jonesy", with: "").lowercased()
        for trace in ["bob.jones", "to bob", "bob said", "jwt:b0", "ym9ilmpvbmvz", "626f62", "for me only", "%2ejones", "x bob"] {
            #expect(!text.contains(trace), "\(trace)", sourceLocation: sourceLocation)
        }
        #expect(read.header.forgotten == 1 && read.header.purpose == "forgotten complained", sourceLocation: sourceLocation)
        #expect(read.header.profile?.text == "faults:\n  - user: forgotten\n", sourceLocation: sourceLocation)
        #expect(read.header.profile?.hash == Digest.sha256Hex("faults:\n  - user: forgotten\n", digits: 6), sourceLocation: sourceLocation)
        #expect(!read.isComplete && read.warnings.count == 1, "\(read.warnings)", sourceLocation: sourceLocation)
        #expect(read.warnings.first?.contains("a user was removed") == true, sourceLocation: sourceLocation)
    }

    @Test(arguments: [false, true]) func theUserIsGoneAndOthersAreNot(isPacked: Bool) throws {
        var scene = try Scene()
        try scene.write(isPacked: isPacked)
        #expect(scene.folder.names("rec").count > 4)
        let told = try Self.forget(scene.folder)
        #expect(told.sessions == [SessionID(2), SessionID(3)] && told.tags == 1 && told.isFound && !told.resumed)
        #expect(told.removed == 10 && told.emptied == 12)
        try Self.expectGone(scene)
        let names = scene.folder.names("rec")
        #expect(!names.contains { $0.hasPrefix(".") } && names.contains("notes.txt"))
        #expect(names.filter { $0.contains("ndjson") }.allSatisfy { scene.folder.mode("rec/" + $0) == 0o600 })
        // Nothing of others is lost.
        let before = scene.entries.filter { $0.session == SessionID(4) }
        let after = try Sample.read(scene.folder["rec"]).entries.filter { $0.session == SessionID(4) }
        #expect(before.map(\.number) == after.map(\.number))
        // Once more: there is nobody to forget, and nothing changes.
        let bytes = try scene.text()
        #expect(try !Self.forget(scene.folder).isFound)
        #expect(try scene.text() == bytes)
    }

    /// Dies at each step; what is there can be read, and asking again brings it to the end.
    @Test func whateverKillsItTheRecordingIsOldOrBecomesNew() throws {
        var scene = try Scene()
        try scene.write("whole")
        let steps = { () -> [Forgetter.Step] in
            var seen: [Forgetter.Step] = []
            try scene.write("count")
            var forgetter = Forgetter(Self.user, in: scene.folder["count"])
            forgetter.onStep = { seen.append($0) }
            _ = try forgetter.run()
            return seen
        }
        let whole = try scene.text("whole")
        for (index, step) in try steps().enumerated() {
            let name = "rec\(index)"
            try scene.write(name)
            // What a kill leaves behind: everything as it is at this step, without any tidying up.
            let snapshot = try Folder()
            var forgetter = Forgetter(Self.user, in: scene.folder[name])
            forgetter.onStep = { reached throws(RecordingError) in
                guard reached == step else { return }
                for file in scene.folder.names(name) {
                    guard let bytes = try? scene.folder.read("\(name)/\(file)") else { continue }
                    do { try snapshot.write(file, bytes) } catch { Issue.record(error) }
                }
            }
            _ = try forgetter.run()
            var again = scene
            again.folder = snapshot
            let isCommitted = switch step { case .marked, .placed: true; default: false }
            if case .written = step {
                let segments = try snapshot.names().filter { !$0.hasPrefix(".") && $0.hasSuffix("ndjson") }
                    .map { try String(decoding: snapshot.read($0), as: UTF8.self) }.joined()
                #expect(segments == whole)
            }
            if isCommitted {
                let half = try Sample.read(snapshot.path)
                #expect(Set(half.entries.compactMap(\.session)) == [SessionID(1), SessionID(4)], "\(step)")
                #expect(half.warnings.first?.contains("was interrupted") == true && !half.isComplete)
            }
            let told = try Forgetter(Self.user, in: snapshot.path).run()
            #expect(told.resumed == isCommitted, "\(step)")
            try Self.expectGone(again, "")
            #expect(!snapshot.names().contains { $0.hasPrefix(".") }, "\(step)")
        }
    }

    @Test func oneThatIsWrittenIsLeftAlone() throws {
        var scene = try Scene()
        scene.fill()
        let writer = try RecordingWriter(directory: scene.folder["rec"], header: Scene.header)
        try writer.append(scene.entries)
        try writer.flush()
        #expect { try Self.forget(scene.folder) } throws: { error in
            (error as? RecordingError)?.found.contains("0001.ndjson is still written to") == true
        }
        try writer.finish()
        #expect(try Self.forget(scene.folder).isFound)
        try Self.expectGone(scene)
    }

    @Test func nobodyChangesNothing() throws {
        var scene = try Scene()
        try scene.write()
        let bytes = try scene.text()
        let told = try Forgetter("dave", in: scene.folder["rec"]).run()
        #expect(!told.isFound && told.removed == 0)
        #expect(try scene.text() == bytes && !scene.folder.names("rec").contains { $0.hasPrefix(".") })
        #expect(throws: RecordingError.self) { try Forgetter("dave", in: scene.folder["none"]).run() }
    }

    /// What belongs to the user by another name goes when that name is told.
    @Test func otherNames() throws {
        var scene = try Scene()
        scene.begin(1, user: "alice", tag: "jwt:a1")
        scene.begin(2, user: "bob.jones", tag: "jwt:b0")
        scene.say(1, ["run 4711 of somebody"])
        scene.say(1, ["run 47110 of alice"])
        try scene.write()
        _ = try Forgetter(Self.user, others: ["4711"], in: scene.folder["rec"]).run()
        let text = try scene.text()
        #expect(!text.contains("run 4711 of") && text.contains("run 47110 of alice"))
    }

    /// In a raw recording the credential itself stands in a head, and others may have got it.
    @Test func credentialsOfRawRecordings() throws {
        var scene = try Scene()
        let token = "opaque-token-of-bob-0123456789"
        scene.add(1, .facts(Facts(tap: .clientIn, user: "alice", place: nil, state: .unknown)))
        scene.add(2, .head(
            HeadRecord(
                passage: Passage(.toServer, in: .zero, out: .zero),
                bytes: ByteBuffer(string: "GET /ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(token)\r\n\r\n"))))
        scene.add(2, .facts(Facts(tap: .clientIn, user: Self.user, place: nil, state: .unknown)))
        scene.say(1, ["leaked \(token)"])
        scene.say(1, ["kept"])
        try scene.write(mode: .raw)
        let told = try Self.forget(scene.folder)
        #expect(told.emptied == 1 && told.sessions == [SessionID(2)])
        #expect(try !scene.text().contains(token) && scene.text().contains("kept"))
    }
}

/// Old recordings go when their header says so.
@Suite struct ExpiryTests {
    private static let now: Int64 = 1_800_000_000

    /// Three or more segments, the first one the oldest: 3, 2, 1, 0 days.
    private static func make(_ retention: Retention?) throws -> (Folder, [String]) {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        var header = Sample.header
        header.retention = retention
        try Sample.write(folder["rec"], Sample.entries(1...120), header: header, limits: limits)
        let names = folder.names("rec")
        for (index, name) in names.enumerated() {
            let age = time_t(names.count - 1 - index) * 86_400
            let time = timespec(tv_sec: time_t(now) - age, tv_nsec: 0)
            #expect(unsafe utimensat(AT_FDCWD, folder["rec/" + name], [time, time], 0) == 0)
        }
        #expect(names.count >= 3)
        return (folder, names)
    }

    @Test func whatIsTooOldGoesAndIsTold() throws {
        let (folder, names) = try Self.make(Retention(seconds: 86_400, bytes: nil))
        let trial = try Expiry.run(folder["rec"], now: Self.now, isTrial: true)
        #expect(trial.deletions.count == names.count - 1 && folder.names("rec") == names)
        let told = try Expiry.run(folder["rec"], now: Self.now)
        #expect(told == trial && told.kept == 1)
        #expect(told.deletions.first?.description == "\(folder["rec"])/0001.ndjson is deleted: the recording is kept for 1 d")
        #expect(folder.names("rec") == [names[names.count - 1]])
        #expect(try Expiry.run(folder["rec"], now: Self.now - 10).deletions.isEmpty)
    }

    @Test func whatIsTooMuchGoes() throws {
        let (folder, names) = try Self.make(Retention(seconds: nil, bytes: nil))
        #expect(try Expiry.run(folder["rec"], now: Self.now).deletions.isEmpty)
        let told = try Expiry.run(folder["rec"], retention: Retention(seconds: nil, bytes: 3_000), now: Self.now)
        #expect(!told.deletions.isEmpty && told.kept >= 1 && told.kept < names.count)
        let left = try folder.names("rec").map { try folder.read("rec/" + $0).count }.reduce(0, +)
        #expect(left <= 3_000)
    }

    @Test func withoutAPromiseNothingGoes() throws {
        let (folder, names) = try Self.make(nil)
        #expect(try Expiry.run(folder["rec"], now: Self.now + 1 << 40) == Expiry.Told(kept: names.count, retention: nil))
        let asked = try Expiry.run(folder["rec"], retention: Retention(seconds: 1, bytes: nil), now: Self.now + 10)
        #expect(asked.deletions.count == names.count && folder.names("rec").isEmpty)
    }

    @Test func filesOfOthersStay() throws {
        let (folder, names) = try Self.make(Retention(seconds: 3_600, bytes: nil))
        try folder.write("rec/0002.ndjson", "what somebody else wrote\n")
        let told = try Expiry.run(folder["rec"], now: Self.now + 1 << 34)
        #expect(told.deletions.filter { $0.failure != nil }.count == 1)
        #expect(folder.names("rec") == ["0002.ndjson"] && told.deletions.count == names.count)
        #expect(throws: RecordingError.self) { try Expiry.run(folder["rec"], now: Self.now) }
        try folder.write("notes.ndjson", "x")
        #expect(throws: RecordingError.self) { try Expiry.run(folder.path, now: Self.now) }
    }

    /// A copy of everybody's traffic that an interrupted removal left is not kept for ever.
    @Test func leftoversOfARemovalGo() throws {
        let (folder, names) = try Self.make(Retention(seconds: 86_400, bytes: nil))
        try folder.write("rec/.forget-0001.ndjson", folder.read("rec/0001.ndjson"))
        #expect(try Expiry.run(folder["rec"], now: Self.now, isTrial: true).deletions.count == names.count - 1)
        #expect(folder.names("rec").contains(".forget-0001.ndjson"))
        #expect(try Expiry.run(folder["rec"], now: Self.now).kept == 1)
        #expect(folder.names("rec") == [names[names.count - 1]])
        #expect(try Expiry.run(folder["rec"], now: Self.now + 1 << 40).kept == 0)
        #expect(folder.names("rec").isEmpty)
        #expect(try Expiry.run(folder["rec"], now: Self.now) == Expiry.Told())
    }

    @Test func theSegmentThatIsWrittenStays() throws {
        let folder = try Folder()
        var header = Sample.header
        header.retention = Retention(seconds: 1, bytes: nil)
        let writer = try RecordingWriter(directory: folder["rec"], header: header)
        try writer.append(Sample.entries(1...3))
        try writer.flush()
        #expect(try Expiry.run(folder["rec"], now: Self.now + 1 << 40).deletions.isEmpty)
        try writer.finish()
        #expect(try Expiry.run(folder["rec"], now: Self.now + 1 << 40).deletions.count == 1)
    }
}
