@testable import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What arrives behind a sorter.
private final class Log: ConnectionSink {
    var lines: [String] = []
    var times: [WallTime] = []
    func opened(_ connection: Connection, at time: WallTime) { say("open \(connection.id) \(connection.client)", time) }
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) {
        say("\(id) \(side) \(String(buffer: bytes))", time)
    }
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) { say("\(id) \(side) gap \(count)", time) }
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) { say("\(id) \(side) \(style)", time) }
    func gone(_ id: Connection.ID, at time: WallTime) { say("\(id) gone", time) }
    func note(_ id: Connection.ID?, _ sentence: String) { lines.append("note \(id ?? 0) \(sentence)") }
    private func say(_ line: String, _ time: WallTime) {
        lines.append(line)
        times.append(time)
    }
}

@Suite struct ImportTests {
    @Test(arguments: [1 << 20, 2_000, 100]) func sourcesAreMergedByTime(_ memory: Int) throws {
        let folder = try Folder()
        let log = Log()
        let sorter = TimeSorter(into: log, scratch: folder.path, memory: memory)
        for source in 0..<3 as Range<Int64> {
            sorter.beginSource()
            try sorter.opened(Connection(id: 1, client: "c\(source)", server: "s"), at: source)
            for step in 0..<40 as Range<Int64> {
                try sorter.bytes(1, from: .client, ByteBuffer(string: "\(source)-\(step)"), at: step * 10 + source)
            }
            try sorter.gap(1, from: .server, count: 7, at: 1_000)
            // A clock that goes back: the order of the connection stands.
            try sorter.ended(1, from: .server, .reset, at: 3)
            try sorter.note(1, "odd")
            try sorter.gone(1, at: 4)
            try sorter.bytes(1, from: .client, ByteBuffer(string: "nobody's"), at: 5)
        }
        try sorter.note(nil, "file")
        try sorter.finish()
        #expect(log.times == log.times.sorted())
        #expect(log.lines.count == 3 * 45 + 1)
        for source in 0..<3 {
            let own = log.lines.filter { $0.hasPrefix("\(source + 1) client") }
            #expect(own == (0..<40).map { "\(source + 1) client \(source)-\($0)" })
        }
        #expect(log.lines.suffix(3) == ["3 server reset", "note 3 odd", "3 gone"])
        #expect(folder.names().isEmpty)
    }

    @Test func everyEventSurvivesTheScratchFile() throws {
        let connection = Connection(id: 9, client: "ä:1", server: "[::1]:2", isWhole: false)
        var madeUp = connection
        madeUp.isMadeUp = true
        var whole = madeUp
        whole.isWhole = true
        let events: [SinkEvent] = [
            .opened(connection), .opened(madeUp), .opened(whole), .bytes(1, .client, ByteBuffer(string: "")), .bytes(.max, .server, ByteBuffer(bytes: [0, 255])),
            .gap(3, .client, .max), .gap(3, .server, 0), .ended(4, .client, .finish), .ended(4, .server, .finish),
            .ended(4, .client, .reset), .ended(4, .server, .reset), .gone(5), .note(nil, "a"), .note(6, "ü"),
        ]
        for event in events {
            var buffer = ByteBuffer()
            event.write(into: &buffer)
            #expect(SinkEvent(buffer) == event)
            for length in 0..<9 { #expect(SinkEvent(try #require(buffer.getSlice(at: 0, length: length))) == nil) }
        }
        #expect(SinkEvent(ByteBuffer(repeating: 99, count: 20)) == nil)
    }

    @Test func messagesOfSeveralFilesBecomeOneRecording() throws {
        let folder = try Folder()
        try folder.write("a.ndjson", #"{"session":"a","direction":"toServer","time":100.5,"data":"late"}"# + "\n")
        try folder.write("b.ndjson", #"{"session":"b","user":"bob","direction":"send","time":100.25,"data64":"aGk="}"#)
        let run = try ImportRun([folder["a.ndjson"], folder["b.ndjson"]], options: ImportOptions())
        #expect(run.purpose == "imported from a.ndjson and b.ndjson; heads and frames of it all are made up from its messages")
        let weaver = try SessionWeaver(
            .init(
                directory: folder["rec"], header: RecordingHeader(program: "0", started: "", seed: 1, purpose: run.purpose),
                redactionKey: Array(0..<32)))
        let result = try run.run(into: weaver, scratch: folder.path)
        #expect(result.counts.sessions == 2)
        #expect(result.counts.unfinished == 2)
        #expect(result.counts.span == 250_000_000)
        let read = try Sample.read(folder["rec"])
        #expect(read.header.started == "1970-01-01T00:01:40.250Z")
        let messages = told(read.entries).filter { $0.contains("toServer") && !$0.contains("head") }
        #expect(messages == ["s1 toServer 2 hi", "s2 toServer 1 late"])
        let heads = read.entries.compactMap { if case .head(let head) = $0.body { String(buffer: head.bytes) } else { nil } }
        #expect(heads.contains { $0.contains("X-Miswire-User: bob\r\n") })
    }

    @Test func badLinesAreNotesWithTheirPlace() throws {
        let folder = try Folder()
        let lines = [
            #"{"session":"a","direction":"toServer","data":"one"}"#, "nonsense", "[1]", #"{"direction":"up","data":""}"#,
            #"{"direction":"toServer","opcode":99}"#, #"{"direction":"toServer","data64":"?"}"#,
            #"{"direction":"toServer","time":"soon"}"#, #"{"direction":"toServer","session":[]}"#, "",
            #"{"session":"a","direction":"toClient","data":"two"}"#,
        ]
        try folder.write("a.ndjson", lines.joined(separator: "\n"))
        let run = try ImportRun([folder["a.ndjson"]], options: ImportOptions())
        let weaver = try SessionWeaver(
            .init(directory: folder["rec"], header: RecordingHeader(program: "0", started: "", seed: 1), redactionKey: Array(0..<32)))
        let result = try run.run(into: weaver, scratch: folder.path)
        #expect(result.sources[0].summary.unreadable == 7)
        #expect(result.sources[0].summary.records == 9)
        let places = result.counts.notes.map { $0.dropFirst(folder.path.count).prefix(12) }
        #expect(places == (2...8).map { "/a.ndjson:\($0):" })
        #expect(result.counts.messagesToServer == 1 && result.counts.messagesToClient == 1)
    }

    @Test func rawFilesAreClientsWithoutAServer() throws {
        let folder = try Folder()
        try folder.write("id:1", [0, 159, 146])
        try folder.write("id:0", "{\"a\":1}\r\n[2]\n")
        try folder.write("plain", "two\nlines")
        try folder.write("README.txt", "x")
        let run = try ImportRun([folder.path], options: ImportOptions())
        #expect(run.sources.map { $0.importer.name } == ["raw"])
        let target = try Folder()
        let weaver = try SessionWeaver(
            .init(directory: target["rec"], header: RecordingHeader(program: "0", started: "", seed: 1, mode: .raw), redactionKey: Array(0..<32)))
        let result = try run.run(into: weaver, scratch: target.path)
        #expect(result.counts.sessions == 3)
        let entries = try Sample.read(target["rec"]).entries
        let messages = entries.compactMap { entry -> String? in
            guard case .frame(let frame) = entry.body else { return nil }
            return "\(entry.session?.value ?? 0) \(frame.frame.opcode.rawValue) \(frame.frame.payload.readableBytes)"
        }
        #expect(messages == ["1 1 7", "1 1 3", "2 2 3", "3 1 9"])
        #expect(told(entries).filter { $0.contains("missing toClient 0") }.count == 3)
    }

    @Test func unknownFilesAreNamedWithWhatTheyAre() throws {
        let folder = try Folder()
        try folder.write("x.pdf", "%PDF-1.4\nrest")
        try folder.write("empty", "")
        try folder.write("bytes", [0, 1, 2, 255])
        try Sample.write(folder["rec"], [])
        func error(_ name: String, kind: String? = nil) throws -> ImportError {
            let caught = #expect(throws: ImportError.self) { _ = try ImportRun([folder[name]], kind: kind, options: ImportOptions()) }
            return try #require(caught)
        }
        #expect(try error("x.pdf").found == "a file that begins with `%PDF-1.4`")
        #expect(try error("empty").found == "an empty file")
        #expect(try error("bytes").found == "a file that begins with 00 01 02 ff")
        #expect(try error("nothing").sentence == "there is no file here")
        #expect(try error("rec").sentence == "this is a recording already")
        #expect(try error("rec/0001.ndjson").sentence == "this is a recording already")
        #expect(try error("empty", kind: "pcab").sentence == "no importer is called `pcab`")
    }

    /// Heads of hostile fields, and messages of every opcode, come out as they went in.
    @Test func theScribeWritesWhatAProxyWouldRead() throws {
        let weaving = try Weaving()
        let connection = Connection(id: 1, client: "c", server: "s")
        let scribe = try MessageScribe(weaving.weaver, connection, at: weaving.at(0))
        try scribe.open(
            target: "ws path?q=ü#x", host: "h",
            fields: [("Host", "a"), ("host", "b"), ("Sec-WebSocket-Key", "x"), (":authority", "z"), ("Cookie", "a=b\r\nEvil: 1"), ("A B", "no")],
            response: [("Sec-WebSocket-Extensions", "permessage-deflate"), ("Date", "now")], at: weaving.at(1), answeredAt: weaving.at(2))
        try scribe.message(from: .client, .text, ByteBuffer(bytes: [255]), at: weaving.at(3))
        try scribe.message(from: .server, .binary, ByteBuffer(repeating: 1, count: 70_000), at: weaving.at(4))
        try scribe.message(from: .client, .ping, ByteBuffer(repeating: 1, count: 300), at: weaving.at(5))
        try scribe.close(from: .server, code: 4_401, reason: "no", at: weaving.at(6))
        try scribe.close(from: .client, code: nil, at: weaving.at(7))
        try scribe.gone(at: weaving.at(8))
        let entries = try weaving.entries()
        let head = entries.compactMap { if case .head(let head) = $0.body { String(buffer: head.bytes) } else { nil } }
        #expect(head.count == 2)
        #expect(head.first?.hasPrefix("GET /ws%20path?q=%C3%BC%23x HTTP/1.1\r\nHost: a\r\nCookie: a=b  Evil: 1\r\nConnection: Upgrade\r\n") == true)
        #expect(head.last?.contains("Extensions") == false && head.last?.contains("Date: now\r\n") == true)
        let frames = entries.compactMap { if case .frame(let frame) = $0.body { frame } else { nil } }
        #expect(frames.map { $0.frame.payload.readableBytes } == [1, 70_000, 125, 4, 0])
        #expect(frames.map { $0.frame.maskKey } == [0, nil, 0, nil, 0])
        #expect(weaving.weaver.counts.accepted == 1)
    }
}
