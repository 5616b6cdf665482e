import Captures
import Journaling
import NIOCore
import Testing
import Wire

@Suite struct WeaverTests {
    /// Heads at the given lengths, for told entries.
    static let asked = Weaving.upgrade().utf8.count
    static let answered = Weaving.accepted.utf8.count
    static let opening = [
        "s1 opened 10.0.0.7:50001", "s1 head toServer \(asked)", "s1 facts", "s1 facts", "s1 head toClient \(answered)",
        "s1 accepted",
    ]

    @Test func aSessionIsWhatTheProxyWouldHaveWritten() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        try weaving.send(Weaving.accepted, from: .server, 1, 2)
        try weaving.send(Weaving.frame("hello", mask: 0x0102_0304), from: .client, 1, 3)
        try weaving.send(Weaving.frame("hi"), from: .server, 1, 4)
        try weaving.weaver.ended(1, from: .client, .finish, at: weaving.at(5))
        try weaving.weaver.ended(1, from: .server, .finish, at: weaving.at(6))
        let entries = try weaving.entries()
        #expect(
            told(entries) == Self.opening + [
                "s1 toServer 1 hello", "s1 toClient 1 hi", "s1 ended client finish by peer",
                "s1 ended server finish by peer", "s1 closed \(Self.asked + 11) \(Self.answered + 4)",
            ])
        let header = try Sample.read(weaving.folder["rec"]).header
        #expect(header.started == UTC.text(Weaving.start))
        let times: [Int64] = [1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 6]
        #expect(entries.map { $0.instant.nanoseconds / 1_000_000 } == times)
        guard case .frame(let frame) = entries[6].body else {
            Issue.record("no frame")
            return
        }
        #expect(frame.passage.in == frame.passage.out)
        #expect(weaving.weaver.counts.sessions == 1)
        #expect(weaving.weaver.counts.accepted == 1)
        #expect(weaving.weaver.counts.unfinished == 0)
        #expect(weaving.weaver.counts.messagesToServer == 1)
        #expect(weaving.weaver.counts.messagesToClient == 1)
    }

    /// One byte at a time, or split anywhere, at equal times: the same recording.
    @Test func chunkingOfBytesDoesNotMatter() throws {
        let client = ByteBuffer(
            string: "POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n0\r\nT: 1\r\n\r\n"
                + "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + Weaving.upgrade())
        let server = ByteBuffer(
            string: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
                + "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n" + Weaving.accepted)
        func lines(_ size: Int) throws -> [String] {
            let weaving = try Weaving()
            try weaving.open()
            func feed(_ bytes: ByteBuffer, _ side: Side, _ time: Int64) throws {
                var bytes = bytes
                while let part = bytes.readSlice(length: min(size, max(1, bytes.readableBytes))), part.readableBytes > 0 {
                    try weaving.send(part, from: side, 1, time)
                    if bytes.readableBytes == 0 { break }
                }
            }
            try feed(client, .client, 1)
            try feed(server, .server, 2)
            try feed(Weaving.frame("one", mask: 7, fin: false), .client, 3)
            try feed(Weaving.frame("two", mask: 7, opcode: .continuation), .client, 3)
            try feed(Weaving.frame("three"), .server, 4)
            try weaving.weaver.gone(1, at: weaving.at(5))
            return told(try weaving.entries())
        }
        let whole = try lines(.max)
        #expect(
            whole == Self.opening + [
                "s1 toServer 1 -", "s1 toServer 0 onetwo", "s1 toClient 1 three",
                "s1 note the capture does not hold the end of this connection",
                "s1 closed \(Self.asked + 18) \(Self.answered + 7)",
            ])
        for size in [1, 2, 3, 5, 7, 16, 61, 200] { #expect(try lines(size) == whole, "chunks of \(size)") }
    }

    @Test func pipelinedUpgradesWaitForTheAnswersBefore() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + Weaving.upgrade())
        try weaving.send(Weaving.frame("early", mask: 0), from: .client)
        try weaving.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nHTTP/1.1 101 \r\n", from: .server)
        try weaving.send("\r\nabc" + Weaving.accepted, from: .server)
        try weaving.send(Weaving.frame("late"), from: .server)
        #expect(
            told(try weaving.entries()).prefix(8) == Self.opening.prefix(4) + [
                "s1 toServer 1 early", "s1 head toClient \(Self.answered)", "s1 accepted", "s1 toClient 1 late",
            ])
    }

    @Test func anAnswerCapturedBeforeItsRequestIsKept() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(Weaving.accepted, from: .server)
        try weaving.send(Weaving.upgrade())
        try weaving.send(Weaving.frame("x"), from: .server)
        #expect(told(try weaving.entries()).prefix(7) == Self.opening + ["s1 toClient 1 x"])
    }

    @Test func aTunnelIsLookedInto() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send("CONNECT chat:80 HTTP/1.1\r\nHost: chat:80\r\n\r\n" + Weaving.upgrade())
        try weaving.send("HTTP/1.1 200 Connection established\r\n\r\n" + Weaving.accepted, from: .server)
        #expect(told(try weaving.entries()).prefix(6) == Self.opening[...])
    }

    private static let tunnel = "CONNECT chat:80 HTTP/1.1\r\nHost: chat:80\r\n\r\n"
    private static let opened = "HTTP/1.1 200 OK\r\n\r\n"

    @Test(arguments: 1...4) func tunnelsWithinTunnelsAreLookedInto(_ depth: Int) throws {
        for clientFirst in [true, false] {
            let weaving = try Weaving()
            try weaving.open()
            let client = String(repeating: Self.tunnel, count: depth) + Weaving.upgrade()
            let server = String(repeating: Self.opened, count: depth) + Weaving.accepted
            if clientFirst { try weaving.send(client) }
            try weaving.send(server, from: .server)
            if !clientFirst { try weaving.send(client) }
            try weaving.send(Weaving.frame("x"), from: .server)
            #expect(told(try weaving.entries()).prefix(7) == Self.opening + ["s1 toClient 1 x"])
            #expect(weaving.weaver.counts.notes == [])
        }
    }

    /// As deep as the bytes that are kept allow: no stack grows with them, and what is given up is said.
    @Test func aChainOfTunnelsIsGivenUp() throws {
        var limits = Limits.standard
        limits.headBytes = 32 << 20
        let weaving = try Weaving(limits)
        try weaving.open()
        let bare = "CONNECT a HTTP/1.1\r\n\r\n"
        try weaving.send(String(repeating: bare, count: 200_000) + Weaving.upgrade())
        try weaving.send(String(repeating: Self.opened, count: 200_000) + Weaving.accepted, from: .server)
        #expect(try weaving.entries() == [])
        #expect(weaving.weaver.counts.notes.count == 1)
        #expect(weaving.weaver.counts.notes.first?.hasSuffix("ends: more than 4 tunnels within one another") == true)
    }

    /// A proxy that wants a password first refuses as often as it likes.
    @Test func refusedTunnelsAreNoDepth() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(String(repeating: Self.tunnel, count: 50) + Weaving.upgrade())
        let refused = "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"
        try weaving.send(String(repeating: refused, count: 49) + Self.opened + Weaving.accepted, from: .server)
        #expect(told(try weaving.entries()).prefix(6) == Self.opening[...])
    }

    /// Notes reach the console and machines: what they quote bears no secret (trust.md T34).
    @Test func notesBearNoSecrets() throws {
        let secret = "s3cr3t-a1b2c3d4e5f6"
        let weaving = try Weaving(mode: .redacted)
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        let quotes = [
            "connection to 'ws://h/ws?room=7&token=\(secret)' failed", "?access%5Ftoken=\(secret)…",
            "Authorization: Bearer \(secret)", "got Cookie: sid=\(secret); b=2", #"{"a":1,"password": "\#(secret)"}"#,
            "it said Basic \(secret), twice", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.\(secret)",
        ]
        for (number, quote) in quotes.enumerated() {
            try weaving.weaver.note(number % 2 == 0 ? 1 : nil, "a.har entry \(number): \(quote)")
        }
        let notes = weaving.weaver.counts.notes
        #expect(notes.count == quotes.count)
        for (number, note) in notes.enumerated() {
            #expect(!note.contains(secret) && note.contains("‹") && note.hasPrefix("a.har entry \(number): "), "\(note)")
        }
        #expect(notes.first?.contains("room=7&token=‹secret:") == true)
        let lines = told(try weaving.entries()).filter { $0.contains("note a.har") }
        #expect(lines.count == 4 && !lines.contains { $0.contains(secret) })
        try weaving.weaver.note(nil, "the key=value form, a token: 5 and Bearer tokens are words")
        #expect(weaving.weaver.counts.notes.last == "the key=value form, a token: 5 and Bearer tokens are words")
    }

    /// A 401 and then the same upgrade with a credential, on one connection: two sessions, wherever reads are cut.
    @Test(arguments: ["Content-Length: 5\r\n\r\nno no", "Transfer-Encoding: chunked\r\n\r\n5\r\nno no\r\n0\r\n\r\n", "Content-Length: 0\r\n\r\n"])
    func anUpgradeBehindARefusedOneIsASessionToo(_ body: String) throws {
        let refused = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\n" + body
        for cut in 0...refused.utf8.count {
            let weaving = try Weaving()
            try weaving.open()
            try weaving.send(Weaving.upgrade())
            try weaving.send(String(refused.prefix(cut)), from: .server)
            try weaving.send(String(refused.dropFirst(cut)), from: .server)
            try weaving.send(Weaving.upgrade(extra: "Authorization: Bearer x\r\n"))
            var answer = ByteBuffer(string: Weaving.accepted)
            answer.writeImmutableBuffer(Weaving.frame("welcome"))
            try weaving.send(answer, from: .server)
            try weaving.send(Weaving.frame("hi", mask: 5), from: .client)
            try weaving.weaver.gone(1, at: weaving.at(9))
            let lines = told(try weaving.entries())
            #expect(lines.count { $0.contains("refused 401") } == 1, "\(cut) \(lines)")
            #expect(lines.contains("s2 accepted") && lines.contains("s2 toClient 1 welcome") && lines.contains("s2 toServer 1 hi"), "\(cut)")
            #expect(weaving.weaver.counts.sessions == 2 && weaving.weaver.counts.unfinished == 1)
        }
    }

    /// What cannot be told apart is not: a body without an end, or one of which a part is missing.
    @Test func anUpgradeBehindAnUnclearRefusalIsNotFound() throws {
        for refused in ["HTTP/1.1 401 No\r\n\r\nno", "HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nno"] {
            let weaving = try Weaving()
            try weaving.open()
            try weaving.send(Weaving.upgrade())
            try weaving.send(refused, from: .server)
            if refused.contains("Length") { try weaving.weaver.gap(1, from: .server, count: 0, at: weaving.at(2)) }
            try weaving.send(Weaving.upgrade(extra: "Authorization: Bearer x\r\n"))
            try weaving.send(Weaving.accepted, from: .server)
            #expect(told(try weaving.entries()).allSatisfy { $0.hasPrefix("s1 ") })
        }
    }

    @Test func refusalsAreSessionsToo() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
        try weaving.send(answer, from: .server)
        try weaving.weaver.ended(1, from: .server, .reset, at: weaving.at(2))
        let lines = told(try weaving.entries())
        #expect(lines.contains("s1 refused 401"))
        #expect(lines.last == "s1 closed \(Self.asked) \(answer.utf8.count)")
        #expect(weaving.weaver.counts.refused == 1)
    }

    @Test(arguments: [
        ("\u{16}\u{3}\u{1}", "tls"), ("SSH-2.0-x\r\n", "ssh"), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2"),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "no upgrade"),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "lengths"),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + Weaving.upgrade(), "chunk"),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + Weaving.upgrade(), "size"),
    ])
    func whatHasNoUpgradeGivesNoSession(_ text: String, _ name: String) throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(text)
        try weaving.send("HTTP/1.1 200 OK\r\n\r\n" + Weaving.accepted, from: .server)
        #expect(try weaving.entries().isEmpty, "\(name)")
        #expect(!weaving.weaver.hasRecording)
        #expect(weaving.folder.names().isEmpty)
        #expect(weaving.weaver.counts.connections == 1)
    }

    @Test func aGapEndsWhatCanBeToldInItsDirection() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        try weaving.send(Weaving.accepted, from: .server)
        let frame = Weaving.frame("abcdefgh")
        let half = try #require(frame.getSlice(at: frame.readerIndex, length: 5))
        try weaving.send(half, from: .server)
        try weaving.weaver.gap(1, from: .server, count: 1_460, at: weaving.at(2))
        try weaving.send(Weaving.frame("never guessed"), from: .server, 1, 3)
        try weaving.send(Weaving.frame("still read", mask: 9), from: .client, 1, 4)
        try weaving.weaver.ended(1, from: .server, .finish, at: weaving.at(5))
        try weaving.weaver.ended(1, from: .client, .finish, at: weaving.at(6))
        #expect(
            told(try weaving.entries()).dropFirst(6) == [
                "s1 partial toClient 5", "s1 missing toClient 1460", "s1 opaque toClient 15", "s1 toServer 1 still read",
                "s1 ended server finish by peer", "s1 ended client finish by peer",
                "s1 closed \(Self.asked + 16) \(Self.answered + 20)",
            ])
        #expect(weaving.weaver.counts.gaps == 1)
        #expect(weaving.weaver.counts.torn == 1)
        #expect(weaving.weaver.counts.missingBytes == 1_460)
    }

    /// A gap within a body of known length hides no upgrade.
    @Test func aGapInABodyIsHarmless() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n")
        try weaving.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", from: .server)
        try weaving.weaver.gap(1, from: .server, count: 80, at: weaving.at(2))
        try weaving.send("0123456789", from: .server)
        try weaving.send(Weaving.upgrade())
        try weaving.send(Weaving.accepted, from: .server)
        #expect(told(try weaving.entries()).prefix(6) == Self.opening[...])
    }

    @Test func behindAGapOnlyAProvenUpgradeCounts() throws {
        let weaving = try Weaving()
        try weaving.open(isWhole: false)
        try weaving.send("id\":1}\r\nGET nonsense" + Weaving.upgrade())
        try weaving.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + Weaving.upgrade())
        try weaving.send(Weaving.accepted.replacing("xOo=", with: "xOA="), from: .server)
        #expect(weaving.weaver.counts.sessions == 0)
        try weaving.send(Weaving.frame("early", mask: 5), from: .client)
        try weaving.send("tail of another answer", from: .server)
        try weaving.send(Weaving.accepted, from: .server)
        try weaving.send(Weaving.frame("x"), from: .server)
        let lines = told(try weaving.entries())
        #expect(weaving.weaver.counts.begunBefore == 1)
        #expect(lines.prefix(4) == Self.opening.prefix(4))
        #expect(lines.dropFirst(5).prefix(4) == Self.opening.suffix(2) + ["s1 toServer 1 early", "s1 toClient 1 x"])
    }

    @Test func aGapBeforeTheAnswerLeavesItOpen() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + Weaving.upgrade())
        try weaving.weaver.gap(1, from: .server, count: 0, at: weaving.at(2))
        try weaving.send(Weaving.accepted, from: .server)
        let lines = told(try weaving.entries())
        #expect(lines[4...6] == [
            "s1 missing toClient 0", "s1 opaque toClient \(Self.answered)",
            "s1 note the capture does not hold the end of this connection",
        ])
    }

    @Test func anAnswerThatNoProxyPassesOnEndsTheSession() throws {
        let weaving = try Weaving()
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        try weaving.send("HTTP/1.1 101 OK\r\nA: " + String(repeating: "a", count: 20_000) + "\r\n\r\n", from: .server)
        try weaving.send(Weaving.frame("x"), from: .server)
        let lines = told(try weaving.entries())
        #expect(lines.contains("s1 limit L1"))
        #expect(lines.contains("s1 ended server finish by tool"))
        #expect(!lines.contains { $0.contains("opaque") })
    }

    /// Many connections at once, each in its place, and nothing of those without an upgrade.
    @Test func interleavedConnectionsKeepTheirOrder() throws {
        let weaving = try Weaving()
        for id in 1...200 as ClosedRange<UInt64> { try weaving.open(id) }
        for id in 1...200 as ClosedRange<UInt64> { try weaving.send(id % 2 == 0 ? Weaving.upgrade() : "x", from: .client, id, 1) }
        for id in 1...200 as ClosedRange<UInt64> { try weaving.send(Weaving.accepted, from: .server, id, 2) }
        for round in 3...6 as ClosedRange<Int64> {
            for id in (1...200 as ClosedRange<UInt64>).reversed() {
                try weaving.send(Weaving.frame("\(id)-\(round)"), from: .server, id, round)
            }
        }
        let entries = try weaving.entries()
        #expect(weaving.weaver.counts.sessions == 100)
        #expect(entries.map(\.number) == Array(1...UInt64(entries.count)))
        #expect(entries.map(\.instant) == entries.map(\.instant).sorted())
        for id in 1...100 {
            let lines = told(entries.filter { $0.session?.value == UInt32(id) })
            #expect(lines.filter { $0.contains(" toClient 1 ") }.count == 4)
        }
    }

    @Test func boundsOfSessionsAndFlowsAreNotes() throws {
        var limits = Limits.standard
        limits.sessions = 2
        limits.importFlows = 3
        let weaving = try Weaving(limits)
        for id in 1...4 as ClosedRange<UInt64> { try weaving.open(id) }
        for id in 1...4 as ClosedRange<UInt64> { try weaving.send(Weaving.upgrade(), from: .client, id) }
        #expect(weaving.weaver.counts.sessions == 2)
        #expect(weaving.weaver.counts.notes.map { String($0.prefix(3)) } == ["L15", "L7:"])
        // One goes, another comes.
        try weaving.weaver.ended(1, from: .client, .reset, at: weaving.at(9))
        try weaving.open(5)
        try weaving.send(Weaving.upgrade(), from: .client, 5)
        #expect(weaving.weaver.counts.sessions == 3)
        #expect(try weaving.entries().contains { if case .closed = $0.body { true } else { false } })
    }

    @Test func aDirectoryWithARecordingIsRefusedAtOnce() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], [])
        #expect(throws: ImportError.self) {
            _ = try SessionWeaver(.init(directory: folder["rec"], header: Sample.header, redactionKey: Array(0..<32)))
        }
    }

    @Test func timesNeverGoBack() throws {
        let weaving = try Weaving()
        try weaving.open(1, isWhole: true, 100)
        try weaving.send(Weaving.upgrade(), from: .client, 1, 50)
        try weaving.send(Weaving.accepted, from: .server, 1, -900)
        try weaving.send(Weaving.frame("x"), from: .server, 1, 300)
        let entries = try weaving.entries()
        #expect(Set(entries.map(\.instant.nanoseconds)) == [0, 200_000_000])
    }
}
