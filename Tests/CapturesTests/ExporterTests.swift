@testable import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What every export must do, over the registry; then what each form promises.
@Suite struct ExporterTests {
    private func export(
        _ exporter: any Exporter.Type, _ path: String, session: SessionID? = nil, frames: Bool = false
    ) throws(RecordingError) -> (bytes: [UInt8], summary: ExportSummary) {
        let output = ExportMemory()
        let summary = try exporter.write(
            ExportSource(path, session: session), options: ExportOptions(frames: frames), to: output)
        return (output.bytes, summary)
    }

    private static func written(_ sample: ExportSample = .two(), finished: Bool = true) throws -> Folder {
        let folder = try Folder()
        try Sample.write(folder["rec"], sample.entries, header: ExportSample.header, isFinished: finished)
        return folder
    }

    @Test(arguments: ExporterRegistry.all.map { $0.name })
    func everyExporterKeepsTheContract(_ name: String) throws {
        let exporter = try #require(ExporterRegistry.named(name))
        #expect(!exporter.summary.isEmpty && exporter.name.utf8.allSatisfy { (0x61...0x7a).contains($0) })
        let folder = try Self.written()
        let first = try export(exporter, folder["rec"])
        // The same recording gives the same bytes, and a session named either way the same.
        #expect(try export(exporter, folder["rec"]).bytes == first.bytes && first.summary.sessions == 2)
        #expect(first.summary.isComplete && first.summary.warnings.isEmpty)
        let one = try export(exporter, folder["rec/s1"])
        #expect(try export(exporter, folder["rec"], session: SessionID(1)).bytes == one.bytes && one.summary.sessions == 1)
        #expect(one.bytes.count < first.bytes.count)
        // Redacted values stay, and what is no text form is said not to be one.
        if exporter.isText {
            let text = try #require(String(validating: first.bytes, as: UTF8.self))
            #expect(name == "plan" || text.contains("‹jwt:a1›"))
            // A plan says messages as they were sent, so that it can send them again.
            #expect(name == "plan" || !text.unicodeScalars.contains { $0.value == 0x202e || $0.value == 0x7f || $0.value == 0x1b || $0.value == 0x2028 })
        }
        #expect(throws: RecordingError.self) { try export(exporter, folder["none"]) }
    }

    /// A recorder that was killed: what is there is exported, and the summary says that it is not all.
    @Test(arguments: ["har", "ndjson"])
    func cutRecordingsAreExported(_ name: String) throws {
        let exporter = try #require(ExporterRegistry.named(name))
        let folder = try Self.written(finished: false)
        let (_, summary) = try export(exporter, folder["rec"])
        #expect(summary.sessions == 2 && summary.messages > 0 && summary.warnings.count == 1)
        try Sample.write(folder["empty"], [], header: ExportSample.header)
        let (bytes, empty) = try export(exporter, folder["empty"])
        #expect(empty.sessions == 0 && empty.messages == 0)
        if name == "har" { #expect(try JSON.parse(ByteBuffer(bytes: bytes))["log"]?["entries"]?.array == []) }
    }

    /// A message in very many pieces costs each piece once.
    @Test(.timeLimit(.minutes(1))) func aMessageInManyPieces() throws {
        var sample = ExportSample()
        sample.open(1, user: "alice")
        let pieces = 60_000
        for piece in 0..<pieces {
            let opcode: Opcode = piece == 0 ? .text : .continuation
            sample.frame(1, .client, opcode, [0x61], fin: piece == pieces - 1, message: (.text, Array(repeating: 0x61, count: pieces)))
        }
        var reader = ExportReader(ExportSample.header)
        var found: [ExportedMessage] = []
        for entry in sample.entries {
            if case .message(let message)? = reader.take(entry) { found.append(message) }
        }
        #expect(found.count == 1 && found.first?.frames.count == pieces && found.first?.payload.readableBytes == pieces)
        #expect(found.first?.frames.first?.opcode == .text && found.first?.frames.last?.fin == true)
    }

    @Test(arguments: [false, true])
    func recordingToHARToImport(_ frames: Bool) throws {
        let sample = ExportSample.two()
        let folder = try Self.written(sample)
        let (bytes, summary) = try export(HARExporter.self, folder["rec"], frames: frames)
        #expect(summary.messages == (frames ? 9 : 7))
        try folder.write("x.har", bytes)
        let (log, result) = CaptureVector.run(HARImporter.self, folder["x.har"])
        #expect(try result.get().unreadable == 0 && log.allNotes.isEmpty, "\(log.allNotes)")
        for session in 1...2 {
            let lane = try #require(log[UInt64(session)])
            #expect(lane.messages == sample.messages(UInt32(session), control: frames))
            #expect(lane.heads[.client]?.hasPrefix("GET /ws?room=1&q=%C3%BC HTTP/1.1\r\n") == true)
            #expect(lane.heads[.client]?.contains("Cookie: sid=‹cookie:a1›; b=2\r\n") == true)
            #expect(lane.heads[.server]?.contains("Set-Cookie: c=3; Path=/\r\n") == true)
            #expect(lane.connection.server == "chat.example:443")
        }
        // Times come back to the nanosecond.
        let first: WallTime = 1_789_999_336_020_000_006
        #expect(try #require(log[1]).times.first == first)
    }

    /// HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec) and the members that DevTools reads on import.
    @Test func theHARHasWhatTheFormatDemands() throws {
        let folder = try Self.written()
        let (bytes, _) = try export(HARExporter.self, folder["rec"])
        let log = try #require(try JSON.parse(ByteBuffer(bytes: bytes))["log"])
        #expect(log["version"]?.string == "1.2" && log["pages"]?.array == [])
        #expect(log["creator"]?.object?.map(\.key) == ["name", "version"])
        let entries = try #require(log["entries"]?.array)
        #expect(entries.map { $0["_miswire"]?["user"]?.string } == ["alice", "bob"])
        for entry in entries {
            let request = try #require(entry["request"])
            let response = try #require(entry["response"])
            for name in ["method", "url", "httpVersion"] { #expect(request[name]?.string != nil, "\(name)") }
            for name in ["headersSize", "bodySize"] { #expect(request[name]?.integer != nil && response[name]?.integer != nil, "\(name)") }
            for name in ["statusText", "httpVersion", "redirectURL"] { #expect(response[name]?.string != nil, "\(name)") }
            for name in ["cookies", "headers"] { expectPairs(response[name], name) }
            for name in ["cookies", "headers", "queryString"] { expectPairs(request[name], name) }
            #expect(response["content"]?["size"]?.integer == 0 && response["status"]?.integer == 101)
            #expect(request["url"]?.string == "wss://chat.example/ws?room=1&q=%C3%BC")
            #expect(entry["startedDateTime"]?.string != nil && entry["cache"]?.object == [])
            #expect(entry["_resourceType"]?.string == "websocket")
            let time = try #require(entry["time"]?.double)
            let timings = try #require(entry["timings"]?.object)
            let sum = timings.compactMap(\.value.double).filter { $0 > 0 }.reduce(0, +)
            #expect(abs(time - sum) < 0.001)
            #expect(["send", "wait", "receive"].allSatisfy { name in timings.contains { $0.key == name } })
            for row in try #require(entry["_webSocketMessages"]?.array) {
                #expect(["send", "receive"].contains(row["type"]?.string) && row["data"]?.string != nil)
                #expect((row["time"]?.double ?? 0) > 1.7e9 && [1, 2].contains(row["opcode"]?.integer))
            }
        }
    }

    private func expectPairs(_ list: JSON?, _ name: String) {
        for pair in list?.array ?? [.null] { #expect(pair["name"]?.string != nil && pair["value"]?.string != nil, "\(name)") }
    }

    @Test func linesSayEverything() throws {
        let folder = try Self.written()
        let (bytes, summary) = try export(NDJSONExporter.self, folder["rec"], frames: true)
        let lines = try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { try JSON.parse(String($0)) }
        #expect(lines.count == 9 && summary.messages == 9)
        #expect(
            lines[3].text == #"{"session":"s1","user":"alice","direction":"toClient","opcode":9,"time":"2026-09-21T14:02:16.029000015Z","#
                + #""data":"p","frames":[{"fin":true,"opcode":9,"length":1,"form":7}]}"#)
        #expect(lines[4]["data"]?.string == "fragment" && lines[4]["frames"]?.array?.count == 2)
        #expect(lines[4]["frames"]?[0]?["fin"] == false && lines[4]["frames"]?[1]?["opcode"] == 0)
        #expect(lines[5]["data64"]?.string == "Yf9i" && lines[5]["data"] == nil)
        #expect(lines[5]["frames"]?[0]?["mask"]?.string == "01020304")
        let plain = try export(NDJSONExporter.self, folder["rec"]).bytes
        #expect(plain.split(separator: 0x0a).count == 7)
    }

    @Test(arguments: [false, true])
    func recordingToLinesToImport(_ frames: Bool) throws {
        let sample = ExportSample.two()
        let folder = try Self.written(sample)
        try folder.write("x.ndjson", try export(NDJSONExporter.self, folder["rec"], frames: frames).bytes)
        let (log, result) = CaptureVector.run(NDJSONImporter.self, folder["x.ndjson"])
        #expect(try result.get().unreadable == 0)
        for session in 1...2 as ClosedRange<UInt32> {
            let lane = try #require(log.lanes.first { $0.connection.client == "s\(session)" })
            #expect(lane.messages == sample.messages(session, control: frames))
            #expect(lane.heads[.client]?.hasPrefix("GET /ws?room=1&q=%C3%BC HTTP/1.1\r\n") == true)
            #expect(lane.heads[.client]?.contains(session == 1 ? "alice" : "bob") == true)
        }
    }

    /// Entries that are no messages of the client, or not held, are counted and told.
    @Test func whatIsLeftOutIsTold() throws {
        var sample = ExportSample.two()
        let now = Instant(nanoseconds: 1)
        sample.add(2, .frame(
            FrameRecord(
                passage: Passage(.toClient, in: now, out: nil), frame: Frame(opcode: .text, payload: ByteBuffer(string: "kept back")),
                message: MessageRecord(opcode: .text, payload: ByteBuffer(string: "kept back"), ordinal: 1))))
        sample.add(2, .frame(
            FrameRecord(
                passage: Passage(.toServer, in: now, out: now), frame: Frame(opcode: .text, payload: ByteBuffer()),
                message: MessageRecord(opcode: .text, payload: nil, unlifted: "larger than 16 MiB (limit L4)", ordinal: 1))))
        sample.add(2, .bytes(BytesRecord(passage: Passage(.toServer, in: now, out: now), kind: .illegal, bytes: ByteBuffer(string: "x"))))
        let folder = try Self.written(sample)
        let (bytes, summary) = try export(NDJSONExporter.self, folder["rec"])
        #expect(summary.left.count == 3 && summary.messages == 7, "\(summary.left)")
        #expect(!String(decoding: bytes, as: UTF8.self).contains("kept back"))
    }

    @Test func filesAppearWhole() throws {
        let folder = try Folder()
        do {
            let file = try ExportFile(folder["a"])
            try file.write(Array("half".utf8))
        }
        #expect(folder.names() == [])
        let file = try ExportFile(folder["a"])
        try file.write(Array("whole".utf8))
        #expect(folder.names().count == 1 && folder.names() != ["a"])
        try file.finish()
        #expect(folder.names() == ["a"] && folder.mode("a") == 0o600)
        #expect(try folder.read("a") == Array("whole".utf8))
        #expect(throws: RecordingError.self) { try ExportFile(folder.path) }
        #expect(throws: RecordingError.self) { try ExportFile(folder["no/where"]) }
    }
}
