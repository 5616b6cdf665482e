import Captures
import Journaling
import Testing
import Wire

/// Dumps that mitmproxy 11 wrote itself (version 21), and the same sessions in the forms of versions 14 and 7, which
/// mitmproxy 11 reads as well.
@Suite struct FlowImporterTests {
    private static let alice: [MessageLog.Message] = [
        .init(.client, #"{"type":"agent_started","id":"q-1"}"#), .init(.server, #"{"text":"grün ✓"}"#),
        .init(.client, .binary, Array(0...255)),
    ]
    private static let close = MessageLog.Message(.server, .close, [0x11, 0x31] + Array("expired".utf8))

    @Test(arguments: ["mitmproxy-11-version-21.flow", "version-14.flow", "version-7-two-flows.flow"], [256 << 10, 7])
    func everyVersionGivesItsMessages(_ name: String, _ chunk: Int) throws {
        let (log, result) = CaptureVector.run(FlowImporter.self, CaptureVector.path(name), chunk: chunk)
        let summary = try result.get()
        #expect(summary.unreadable == 0 && log.lanes.count == 2, "\(log.allNotes)")
        let alice = try #require(log[1])
        let bob = try #require(log[2])
        // Injection is told since version 15; what was dropped is left out in all.
        let injected = MessageLog.Message(.server, "injected")
        #expect(alice.messages == Self.alice + [injected, Self.close])
        #expect(bob.messages.prefix(2) == [.init(.server, "hello bob"), .init(.client, "")])
        #expect(alice.connection.client == "10.0.0.1:50001" && alice.connection.server == "192.0.2.7:443")
        #expect(bob.connection.client == "10.0.0.2:50002" && bob.connection.server == "192.0.2.7:8080")
        let head = try #require(alice.heads[.client])
        #expect(head.hasPrefix("GET /ws?room=1 HTTP/1.1\r\n") && head.contains("X-User: alice\r\n"))
        #expect(alice.heads[.server]?.hasPrefix("HTTP/1.1 101 ") == true)
        #expect(alice.heads[.server]?.contains("Sec-WebSocket-Protocol: chat\r\n") == true)
        #expect(alice.notes.contains { $0.contains("dropped it on its way to the client") })
        #expect(log.lanes.allSatisfy { $0.isGone })
    }

    @Test func sessionsAreInterleavedByTime() throws {
        let (log, _) = CaptureVector.run(FlowImporter.self, CaptureVector.path("mitmproxy-11-version-21.flow"))
        #expect(log.times == log.times.sorted())
        // mitmproxy writes seconds as a double, which has 240 ns of such a time.
        let began = try #require(log[1]?.times.first)
        #expect(abs(began - 1_757_371_377_114_000_000) < 1_000)
        let (first, second) = (try #require(log[1]), try #require(log[2]))
        #expect(first.times[0] < second.times[0] && second.times[0] < first.times[1] && first.times[1] < second.times[1])
    }

    @Test func whatTLSWasSpokenIsTold() throws {
        let (log, result) = CaptureVector.run(FlowImporter.self, CaptureVector.path("mitmproxy-11-version-21.flow"))
        let notes = try #require(log[1]).notes
        #expect(notes.contains { $0.hasSuffix("flow 2: TLS with the client: TLSv1.3, TLS_AES_128_GCM_SHA256, SNI chat.example, ALPN http/1.1") })
        #expect(log[2]?.notes.contains { $0.contains("TLS") } == false)
        #expect(notes.contains { $0.hasSuffix("message 5: mitmproxy injected it; the server did not send it") })
        // An HTTP flow and a TCP flow are no WebSockets.
        #expect(try result.get() == ImportSummary(records: 4, bytes: 7_758, unreadable: 0, skipped: 2))
    }

    /// A dump may end anywhere: flows before that place are whole, and the error says where.
    @Test func cutAtEveryByte() throws {
        let folder = try Folder()
        let bytes = try CaptureVector.read("version-14.flow")
        let whole = CaptureVector.run(FlowImporter.self, CaptureVector.path("version-14.flow")).log
        let first = try #require(firstFlow(bytes))
        for length in 0..<bytes.count {
            try folder.write("cut.flow", bytes[..<length])
            let (log, result) = CaptureVector.run(FlowImporter.self, folder["cut.flow"])
            #expect(log.lanes.count == (length < first ? 0 : 1))
            if length >= first { #expect(log[1]?.messages == whole[1]?.messages) }
            switch result {
            case .success: #expect(length == 0 || length == first)
            case .failure(let error): #expect(error.place.hasPrefix(folder["cut.flow"] + " byte "))
            }
        }
    }

    private func firstFlow(_ bytes: [UInt8]) -> Int? {
        let digits = bytes.prefix { $0 != 0x3a }
        return Int(String(decoding: digits, as: UTF8.self)).map { $0 + digits.count + 2 }
    }

    /// 3,000 damaged dumps: an answer each, and never more messages than the dump has bytes.
    @Test func flippedBits() throws {
        let folder = try Folder()
        let samples = try ["version-14.flow", "version-7-two-flows.flow"].map(CaptureVector.read)
        var random = SplitMix(0x1fa2)
        for round in 0..<3_000 {
            var bytes = samples[round % samples.count]
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            try folder.write("bad.flow", bytes)
            let (log, result) = CaptureVector.run(FlowImporter.self, folder["bad.flow"])
            #expect(log.lanes.allSatisfy(\.isGone) && log.lanes.reduce(0) { $0 + $1.messages.count } <= bytes.count)
            if case .failure(let error) = result { #expect(error.place.hasPrefix(folder.path) && !error.sentence.isEmpty) }
        }
    }

    @Test(arguments: [
        ("999999999999:", "999999999999 bytes are said to follow"), ("18446744073709551616:", "a length of more than 12 digits"),
        ("5:abcde", "5 bytes are said to follow, 5 do"), ("x", "expected a length"), ("3", "the file ends inside a length"),
        ("3;abc,", "expected : behind the length"), ("3:abc?", "the letter behind a value"),
    ])
    func lengthsAreNotBelieved(_ text: String, _ reason: String) throws {
        let folder = try Folder()
        try folder.write("bad.flow", text)
        guard case .failure(let error) = CaptureVector.run(FlowImporter.self, folder["bad.flow"]).result else {
            Issue.record("no error")
            return
        }
        #expect(error.sentence.contains(reason), "\(error.sentence)")
    }

    /// A hundred thousand brackets in each other are passed over by the length of the outermost.
    @Test func nestingCostsNothing() throws {
        let folder = try Folder()
        var inner = "0:]"
        for _ in 0..<2_000 { inner = "\(inner.utf8.count):\(inner)]" }
        try folder.write("deep.flow", "\(inner)" + "\(inner.utf8.count + 15):11:websocket__,\(inner)}")
        let (log, _) = CaptureVector.run(FlowImporter.self, folder["deep.flow"])
        #expect(log.lanes.isEmpty && log.notes.count == 2)
    }

    @Test func recognized() throws {
        let head = try CaptureVector.read("version-14.flow")
        #expect(ImporterRegistry.importer(for: .init(bytes: head), name: "x")?.name == "flow")
        for text in ["", "12", "12:", "12:x", "{}", "1234567890123:1:"] {
            #expect(!FlowImporter.recognizes(.init(string: text), name: "a.flow"))
        }
    }
}

extension SplitMix {
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }
}
