import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// One suite over every kind of entry: whatever the journal may hold goes through a file unchanged.
@Suite struct EveryEntryTests {
    private func entries(_ seed: UInt64, count: Int) -> [Entry] {
        var generator = EntryGenerator(seed)
        return (0..<count).map { index in
            var entry = generator.entry(index % EntryGenerator.cases)
            entry.number = UInt64(index + 1)
            return entry
        }
    }

    @Test(arguments: 0..<8) func everyKindReadsBackUnchanged(seed: UInt64) throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 5_000
        let entries = entries(seed, count: EntryGenerator.cases * 20)
        try Sample.write(folder["rec"], entries, limits: limits)
        let read = try Sample.read(folder["rec"])
        #expect(read.entries == entries && read.isComplete && read.warnings == [])
        #expect(folder.names("rec").count > 3)
    }

    /// The file's bytes come in pieces of every size up to a line's, so that every place is once a border.
    @Test func everySplitReadsAlike() throws {
        let folder = try Folder()
        let entries = entries(41, count: EntryGenerator.cases * 2)
        try Sample.write(folder["rec"], entries)
        let longest = try folder.read("rec/0001.ndjson").split(separator: 0x0a).map(\.count).max() ?? 0
        #expect(longest > 200)
        for chunk in 1...(longest + 1) {
            let read = try Sample.read(folder["rec"], chunk: chunk)
            guard read.entries == entries, read.isComplete, read.header == Sample.header else {
                Issue.record("pieces of \(chunk) bytes")
                return
            }
        }
    }

    /// Payloads at the limit of what is lifted, in the form that grows most, are no longer than a reader takes.
    @Test(arguments: ["\"", "\u{202e}", "\u{7f}", "\u{85}", "x\u{7f}xxxxxxxxxxxxxxx", "\u{0}"])
    func theLargestMessageIsReadBack(pattern: String) throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.messageBytes = 256 << 10
        limits.documentBytes = 1 << 10
        let unit = Array(pattern.utf8)
        let payload = ByteBuffer(bytes: (0..<(limits.messageBytes / unit.count * unit.count)).map { unit[$0 % unit.count] })
        let record = FrameRecord(
            passage: Passage(.toServer, in: .zero, out: .zero),
            frame: Frame(fin: true, rsv: 0, opcode: .continuation, maskKey: 1, payload: payload),
            message: MessageRecord(
                opcode: .text, payload: ByteBuffer(bytes: payload.readableBytesView.dropFirst(unit.count)), ordinal: 1))
        let entry = Entry(
            number: 1, instant: .zero, loop: 0, sequence: 0, ref: EntryRef(session: SessionID(1), ordinal: 1),
            body: .frame(record))
        try Sample.write(folder["rec"], [entry], limits: limits)
        #expect(try Sample.read(folder["rec"], limits: limits).entries == [entry])
        #expect(try folder.read("rec/0001.ndjson").count < EntryCodec.longestLine(limits))
    }

    /// Credentials in every place that they may take never stand in a file (trust.md T34).
    @Test func noCredentialReachesTheDisk() throws {
        let folder = try Folder()
        let secrets = (0..<12).map { "mwc-secret-\($0)-a1b2c3d4e5f6" }
        var raw: [RawEntry] = []
        func add(_ body: RawEntry.Body) {
            raw.append(
                RawEntry(
                    instant: Instant(nanoseconds: Int64(raw.count)), session: SessionID(1),
                    ordinal: UInt32(clamping: raw.count + 1), body: body))
        }
        func piece(_ direction: Direction, _ piece: RawEntry.Piece, _ bytes: ByteBuffer) {
            add(.piece(direction, piece, bytes, in: .zero, out: .zero, .none))
        }
        let request = [
            "GET /ws?access_token=\(secrets[0])&room=7 HTTP/1.1", "Host: h", "Authorization: Bearer \(secrets[1])",
            "Proxy-Authorization: Basic \(secrets[2])", "Cookie: sid=\(secrets[3]); theme=\(secrets[4])",
            "Sec-WebSocket-Protocol: chat, bearer, \(secrets[5])", "X-Api-Key: \(secrets[6])",
            "Referer: http://h/?token=\(secrets[7])",
        ]
        let answer = [
            "HTTP/1.1 101 Switching Protocols", "Set-Cookie: sid=\(secrets[8]); Path=/",
            "Sec-WebSocket-Protocol: \(secrets[5])", "X-Session-Token: \(secrets[9])",
            "Location: /next?jwt=\(secrets[10])", "X-Echo: you are \(secrets[1])",
        ]
        piece(.toServer, .head, ByteBuffer(string: request.joined(separator: "\r\n") + "\r\n\r\n"))
        piece(.toClient, .head, ByteBuffer(string: answer.joined(separator: "\r\n") + "\r\n\r\n"))
        add(.value(.became(.accepted(subprotocol: secrets[5], deflate: false))))
        add(.value(.note("the server was told \(secrets[1])")))
        for (index, secret) in [secrets[0], secrets[1], secrets[5], secrets[6]].enumerated() {
            let frame = Frame(
                opcode: index % 2 == 0 ? .text : .ping, maskKey: nil, payload: ByteBuffer(string: "\"you sent \(secret)\""))
            piece(.toClient, .frame, FrameWriter.bytes(frame))
        }
        piece(.toServer, .bytes(.illegal), ByteBuffer(string: "\u{ff}Authorization: Bearer \(secrets[11]) \(secrets[1])"))
        add(.value(.closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0))))
        var assembler = JournalAssembler(loops: 1, .init(redactionKey: Array(0..<32), epochSeconds: 0))
        assembler.push(raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        try Sample.write(folder["rec"], entries)
        let text = String(decoding: try folder.read("rec/0001.ndjson"), as: UTF8.self)
        for (index, secret) in secrets.enumerated() { #expect(!text.contains(secret), "secret \(index)") }
        #expect(text.contains("room=7") && text.contains("theme="))
        #expect(try Sample.read(folder["rec"]).entries == entries)
    }
}
