@testable import Captures
import Glibc
import Journaling
import NIOCore
import Testing
import Wire

@Suite struct HARImporterTests {
    /// Chrome: messages stand before the request, times are seconds, binary is base64, the last row is an error.
    private static let chrome = """
        {"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"pages":[],"entries":[
        {"_initiator":{"type":"other"},"_priority":"High","_resourceType":"websocket","_webSocketMessages":[
        {"type":"send","time":1757371377.114,"opcode":1,"data":"{\\"a\\":\\"\\u00fc\\ud83d\\ude00\\"}"},
        {"type":"receive","time":1757371377.25,"opcode":2,"data":"AAEC/w=="},
        {"type":"error","time":1757371378,"opcode":-1,"data":"Connection reset"}],
        "cache":{},"connection":"98","request":{"method":"GET","url":"wss://chat.example/ws?room=1&x=%20","httpVersion":"HTTP/1.1",
        "headers":[{"name":"Host","value":"chat.example"},{"name":"Upgrade","value":"websocket"},{"name":"Sec-WebSocket-Key","value":"dGhlIHNhbXBsZSBub25jZQ=="},
        {"name":"Origin","value":"https://chat.example"}],"queryString":[],"cookies":[{"name":"sid","value":"1"},{"name":"t","value":"2"}],"headersSize":1,"bodySize":0},
        "response":{"status":101,"statusText":"Switching Protocols","httpVersion":"HTTP/1.1","headers":[{"name":"Sec-WebSocket-Protocol","value":"chat"}],
        "cookies":[],"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":1,"bodySize":0,"_transferSize":0,"_error":null},
        "serverIPAddress":"[2001:db8::1]","startedDateTime":"2025-09-08T22:42:57.014Z","time":1200,"timings":{"send":0,"wait":1,"receive":0}},
        {"startedDateTime":"2025-09-08T22:42:57.000Z","request":{"method":"GET","url":"https://chat.example/","headers":[]},"response":{"status":200}}
        ]}}
        """

    private func read(_ text: String, name: String = "x.har", chunk: Int = 256 << 10) throws -> (MessageLog, Result<ImportSummary, ImportError>) {
        let folder = try Folder()
        try folder.write(name, text)
        return withExtendedLifetime(folder) { CaptureVector.run(HARImporter.self, folder[name], chunk: chunk) }
    }

    /// A HAR with one entry of these messages.
    private static func har(_ messages: String, creator: String = "x", url: String = "ws://h:81/ws", more: String = "") -> String {
        """
        {"log":{"creator":{"name":"\(creator)"},"entries":[{"startedDateTime":"2025-09-08T22:42:57Z","request":{"method":"GET","url":"\(url)","headers":[]},
        "response":{"status":101,"headers":[]}\(more),"_webSocketMessages":[\(messages)]}]}}
        """
    }

    @Test(arguments: [256 << 10, 64, 1])
    func chromeIsRead(_ chunk: Int) throws {
        let (log, result) = try read(Self.chrome, chunk: chunk)
        let summary = try result.get()
        #expect(summary.records == 2 && summary.skipped == 1 && summary.unreadable == 0)
        let lane = try #require(log[1])
        #expect(lane.messages == [.init(.client, "{\"a\":\"ü😀\"}"), .init(.server, .binary, [0, 1, 2, 255])])
        #expect(lane.times == [1_757_371_377_114_000_000, 1_757_371_377_250_000_000])
        #expect(lane.connection.server == "[2001:db8::1]:443")
        let head = try #require(lane.heads[.client])
        #expect(head.hasPrefix("GET /ws?room=1&x=%20 HTTP/1.1\r\n"))
        #expect(head.contains("Origin: https://chat.example\r\n") && head.contains("Cookie: sid=1; t=2\r\n"))
        #expect(lane.heads[.server]?.contains("Sec-WebSocket-Protocol: chat\r\n") == true)
        #expect(lane.notes.count == 1 && lane.notes[0].hasSuffix("x.har entry 1, message 3: error: Connection reset"))
        #expect(lane.isGone)
    }

    @Test func mitmproxyIsRead() throws {
        let (har, result) = CaptureVector.run(HARImporter.self, CaptureVector.path("mitmproxy-11.har"))
        #expect(try result.get().skipped == 1)
        let flow = CaptureVector.run(FlowImporter.self, CaptureVector.path("mitmproxy-11-version-21.flow")).log
        // Its HAR does not say what was dropped, and knows no close.
        let alice = try #require(har[1])
        var expected = try #require(flow[1]).messages.filter { $0.opcode != .close }
        expected.insert(.init(.server, "dropped"), at: 3)
        #expect(alice.messages == expected && har[2]?.messages == flow[2]?.messages)
        #expect(har.times == har.times.sorted())
    }

    /// What Playwright 1.65 wrote of Chromium, embedded and with the messages in a file beside.
    @Test(arguments: ["embed", "attach"])
    func playwrightsOwnFilesAreRead(_ content: String) throws {
        let (log, result) = CaptureVector.run(HARImporter.self, CaptureVector.path("playwright-\(content).har"))
        let summary = try result.get()
        #expect(summary.records == 3 && summary.skipped == 1 && summary.unreadable == 0)
        let lane = try #require(log[1])
        let ask = #"{"type":"ask","n":1}"#
        #expect(
            lane.messages == [
                .init(.client, ask), .init(.client, .binary, [0, 1, 2, 255]), .init(.server, #"{"type":"hello","text":"grün ✓"}"#),
                .init(.server, ask), .init(.server, .binary, [0, 1, 2, 255]), .init(.client, "bye"),
            ])
        #expect(lane.heads[.client]?.hasPrefix("GET /ws?room=1 HTTP/1.1\r\n") == true)
        #expect(lane.heads[.server]?.contains("Sec-WebSocket-Protocol: chat\r\n") == true && lane.notes.isEmpty)
        let refused = try #require(log[2])
        #expect(refused.messages.isEmpty && refused.heads[.server] == nil)
        #expect(refused.notes.map { $0.hasSuffix("net::ERR_CONNECTION_REFUSED") } == [true])
    }

    /// Playwright: milliseconds, -1 for unknown times, a failure text, messages in a file beside the HAR.
    @Test func playwrightIsRead() throws {
        let rows = #"{"type":"send","time":1757371377114.25,"opcode":1,"data":"a"}"# + ",\n" + #"{"type":"receive","time":-1,"opcode":2,"data":"BQY="}"#
        let lane = try #require(try read(Self.har(rows)).0[1])
        #expect(lane.times == [1_757_371_377_114_250_000, 1_757_371_377_114_250_000])
        #expect(lane.messages == [.init(.client, "a"), .init(.server, .binary, [5, 6])])

        let folder = try Folder()
        let side = #"{"type":"send","time":1757371377114,"opcode":1,"data":"a"}"# + "\n\nnonsense\n" + #"{"type":"receive","time":1757371377115,"opcode":1,"data":"b"}"#
        try folder.write("0a1b.jsonl", side)
        try folder.write("x.har", Self.attached("0a1b.jsonl"))
        let attached = try #require(CaptureVector.run(HARImporter.self, folder["x.har"]).log[1])
        #expect(attached.messages == [.init(.client, "a"), .init(.server, "b")])
        #expect(attached.notes.count == 1 && attached.notes[0].contains("message 2: wrong JSON"))

        let failed = try #require(
            try read(#"{"log":{"entries":[{"_resourceType":"websocket","request":{"url":"ws://127.0.0.1:1/x","headers":[]},"response":{"status":-1,"headers":[],"_failureText":"net::ERR_CONNECTION_REFUSED"}}]}}"#).0[1])
        #expect(failed.heads[.server] == nil && failed.heads[.client] != nil)
        #expect(failed.notes.contains { $0.hasSuffix("the browser says net::ERR_CONNECTION_REFUSED") })
    }

    private static func attached(_ name: String) -> String {
        #"{"log":{"entries":[{"_resourceType":"websocket","request":{"url":"ws://h/x","headers":[]},"response":{"status":101,"headers":[],"content":{"size":-1,"_file":"\#(name)"}}}]}}"#
    }

    /// No name in a HAR opens anything that is not a plain file beside it.
    @Test(arguments: ["../secret.jsonl", "/etc/passwd", "sub/x.jsonl", ".hidden", "link.jsonl", "", "x\\u0000y.jsonl", "..", "fifo.jsonl"])
    func sideFilesStayInside(_ name: String) throws {
        let outer = try Folder()
        try outer.write("secret.jsonl", #"{"type":"send","opcode":1,"data":"secret"}"#)
        _ = unsafe mkdir(outer["in"], 0o700)
        _ = unsafe mkdir(outer["in/sub"], 0o700)
        _ = unsafe mkfifo(outer["in/fifo.jsonl"], 0o600)
        try outer.write("in/sub/x.jsonl", #"{"type":"send","opcode":1,"data":"secret"}"#)
        try outer.write("in/.hidden", #"{"type":"send","opcode":1,"data":"secret"}"#)
        let linked = unsafe symlink(outer["secret.jsonl"], outer["in/link.jsonl"])
        #expect(linked == 0)
        try outer.write("in/x.har", Self.attached(name))
        let lane = try #require(CaptureVector.run(HARImporter.self, outer["in/x.har"]).log[1])
        #expect(lane.messages.isEmpty && lane.notes.count == 1, "\(lane.notes)")
    }

    /// More side files than a process may have open at once are read all the same.
    @Test func sideFilesAreNotKeptOpen() throws {
        var most = rlimit()
        try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most) == 0)
        let count = Int(min(most.rlim_cur &+ 8, 2_000))
        let folder = try Folder()
        var entries: [String] = []
        for number in 0..<count {
            try folder.write("\(number).jsonl", #"{"type":"send","time":1,"opcode":1,"data":"\#(number)"}"#)
            entries.append(String(Self.attached("\(number).jsonl").dropFirst(#"{"log":{"entries":["#.count).dropLast(3)))
        }
        try folder.write("x.har", #"{"log":{"entries":[\#(entries.joined(separator: ","))]}}"#)
        let (log, result) = CaptureVector.run(HARImporter.self, folder["x.har"])
        #expect(try result.get().records == UInt64(count))
        for number in 0..<count { #expect(log[UInt64(number) + 1]?.messages == [.init(.client, "\(number)")]) }
    }

    @Test func aSideFileThatIsReplacedIsReadNoFurther() throws {
        let folder = try Folder()
        try folder.write("a.jsonl", "first")
        let file = try SourceFile("a.jsonl", beside: folder.path)
        #expect(try file.read(at: 1, 3) == Array("irs".utf8))
        try folder.write("b.jsonl", "other")
        try #require(unsafe rename(folder["b.jsonl"], folder["a.jsonl"]) == 0)
        let error = #expect(throws: ImportError.self) { try file.read(at: 0, 5) }
        #expect(error?.place == folder["a.jsonl"] && error?.sentence == "the file was replaced while it was read")
    }

    /// Other proxies write control frames as rows.
    @Test func controlRowsAreRead() throws {
        let rows = [
            #"{"type":"send","time":1,"opcode":9,"data":"ping"}"#, #"{"type":"receive","time":2,"opcode":10,"data":"AP8=","encoding":"base64"}"#,
            #"{"type":"receive","time":3,"opcode":1,"data":"abcd"}"#, #"{"type":"receive","time":3,"opcode":2,"data":"abcd"}"#,
            #"{"type":"send","time":4,"opcode":8,"data":"1001 going away"}"#, #"{"type":"receive","time":5,"opcode":8,"code":4401,"reason":"expired"}"#,
        ]
        let lane = try #require(try read(Self.har(rows.joined(separator: ","), creator: "gori")).0[1])
        #expect(
            lane.messages == [
                .init(.client, .ping, Array("ping".utf8)), .init(.server, .pong, [0, 255]), .init(.server, "abcd"),
                .init(.server, .binary, Array("abcd".utf8)), .init(.client, .close, [3, 0xe9] + Array("going away".utf8)),
                .init(.server, .close, [0x11, 0x31] + Array("expired".utf8)),
            ])
        // Elsewhere what is no text and can be base64 is base64, and what cannot is taken as it is.
        let other = try #require(
            try read(Self.har(#"{"type":"send","opcode":2,"data":"abcd"},{"type":"send","opcode":2,"data":"a\u00e9"},{"type":"send","opcode":8,"data":"A+g="}"#)).0[1])
        #expect(
            other.messages == [
                .init(.client, .binary, [0x69, 0xb7, 0x1d]), .init(.client, .binary, Array("aé".utf8)),
                .init(.client, .close, [3, 0xe8]),
            ])
    }

    @Test func oddRowsAreToldAndPassedOver() throws {
        let rows = [
            #"{"type":"send","opcode":1,"data":"1"}"#, "7", #"{"type":"warp","opcode":1,"data":"x"}"#, #"{"opcode":1}"#,
            #"{"type":"send","opcode":99,"data":"x"}"#, #"{"type":"send","opcode":1,"data":"\q"}"#,
            #"{"type":"receive","opcode":"text","data":{"a":1}}"#, #"{"type":"send"}"#,
        ]
        let (log, result) = try read(Self.har(rows.joined(separator: ",")))
        _ = try result.get()
        let lane = try #require(log[1])
        #expect(lane.messages == [.init(.client, "1"), .init(.server, #"{"a":1}"#), .init(.client, "")])
        #expect(lane.notes.count == 5, "\(lane.notes)")
    }

    @Test(arguments: [
        ("ws://h/ws", "h:80", "/ws"), ("wss://h:9/ws?a=1#f", "h:9", "/ws?a=1"), ("https://u:p@h/", "h:443", "/"),
        ("HTTP://[::1]:81?q", "[::1]:81", "/?q"), ("ws://h/a b\\r\\nX: y", "h:80", "/a%20b%0D%0AX:%20y"),
    ])
    func urls(_ url: String, _ server: String, _ target: String) throws {
        let lane = try #require(try read(Self.har("", url: url)).0[1])
        #expect(lane.connection.server == server)
        #expect(lane.heads[.client]?.hasPrefix("GET \(target) HTTP/1.1\r\n") == true)
    }

    /// What stands in a header cannot end its line.
    @Test func headersCannotBeForged() throws {
        let text = #"{"log":{"entries":[{"request":{"url":"ws://h/","headers":[{"name":"X","value":"a\r\nEvil: 1"},{"name":"Y\r\nEvil","value":"2"},{"name":":authority","value":"h"}],"cookies":[{"name":"c","value":"\nEvil: 3"}]},"response":{"status":101,"statusText":"ok\r\nEvil: 4"},"_webSocketMessages":[]}]}}"#
        let lane = try #require(try read(text).0[1])
        for head in lane.heads.values { #expect(!head.contains("\nEvil") && !head.contains(":authority")) }
        #expect(lane.heads[.client]?.contains("X: a  Evil: 1\r\n") == true)
    }

    @Test(arguments: [
        (#"{"log":{"entries":[}}"#, ":1:20", "expected a value"), ("{\"log\":{\"entries\":[\n{\"ü\":\"é\"\n  ?}]}}", ":3:3", "expected , or }"),
        (#"{"log":{"entries":[{"a":"#, ":1:25", "the file ends where"), (#"{"log":{"entries":["\#n"]}}"#, ":1:21", "a control character"),
        (#"{"log":{"entries":[]}} x"#, ":1:24", "expected the end of the file"),
    ])
    func wrongJSONIsPlaced(_ text: String, _ place: String, _ reason: String) throws {
        guard case .failure(let error) = try read(text).1 else {
            Issue.record("no error for \(text)")
            return
        }
        #expect(error.place.hasSuffix(place) && error.sentence.contains(reason), "\(error)")
    }

    @Test func whatIsNoHARIsRefused() throws {
        for text in ["[]", "{}", "7", #"{"log":7}"#, #"{"log":{"entries":{}}}"#] {
            guard case .failure(let error) = try read(text).1 else {
                Issue.record("no error for \(text)")
                continue
            }
            #expect(error.sentence == "this is no HAR" && error.place.hasSuffix(":1:1"))
        }
        for (text, found) in [("PK\u{3}\u{4}", "a ZIP archive"), ("x\u{1}", "zlib, as mitmproxy writes .zhar")] {
            guard case .failure(let error) = try read(text).1 else { continue }
            #expect(error.found == found)
        }
        #expect(try read("").1.failure?.place.hasSuffix(":1:1") == true)
        #expect(CaptureVector.run(HARImporter.self, "/nonexistent.har").result.failure?.found == "No such file or directory")
        #expect(CaptureVector.run(HARImporter.self, "/dev/null").result.failure?.sentence == "this is no plain file")
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "[", count: 100_000)
        let error = try read(#"{"log":{"entries":["# + deep).1.failure
        #expect(error?.sentence.contains("512 levels of nesting") == true)
    }

    @Test func cutAtEveryByte() throws {
        let folder = try Folder()
        let bytes = Array(Self.chrome.utf8)
        for length in 0..<bytes.count {
            try folder.write("cut.har", bytes[..<length])
            let (log, result) = CaptureVector.run(HARImporter.self, folder["cut.har"])
            #expect(result.failure?.place.hasPrefix(folder["cut.har"] + ":") == true, "\(length)")
            #expect(log.lanes.count <= 1 && log.lanes.allSatisfy { $0.isGone && $0.messages.count <= 2 })
        }
    }

    @Test func flippedBits() throws {
        let folder = try Folder()
        let sample = Array(Self.chrome.utf8)
        var random = SplitMix(0x4a12)
        for _ in 0..<3_000 {
            var bytes = sample
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            try folder.write("bad.har", bytes)
            let (log, result) = CaptureVector.run(HARImporter.self, folder["bad.har"])
            #expect(log.lanes.allSatisfy { $0.isGone && $0.messages.count <= 3 })
            if let error = result.failure { #expect(error.place.hasPrefix(folder.path) && !error.sentence.isEmpty) }
        }
    }

    @Test func recognized() {
        for text in ["{\"log\": {", "\u{feff} {\n \"log\"\n:\t{"] {
            #expect(ImporterRegistry.importer(for: ByteBuffer(string: text), name: "x")?.name == "har")
        }
        for text in ["", "{", "{\"log\"", "{\"logs\":{", "{\"session\":\"s1\"}"] {
            #expect(!HARImporter.recognizes(ByteBuffer(string: text), name: "x.ndjson"))
        }
    }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
