import NIOCore
import Testing
import Wire

@testable import Captures

/// What cannot be decrypted, and what is no TLS at all.
@Suite struct TLSMissingTests {
    @Test(arguments: [("12-resumed", "CLIENT_RANDOM"), ("13-retry", "CLIENT_HANDSHAKE_TRAFFIC_SECRET")])
    func withoutKeysOneNoteSaysWhatIsMissing(_ row: (name: String, label: String)) throws {
        let run = try TLSRun.of(TLSExchange.read(row.name), keys: KeyLog())
        #expect(run.probe.notes.count == 1)
        let note = try #require(run.probe.notes.first)
        #expect(
            note.hasPrefix("TLS of 10.0.0.7:50412 with 10.0.0.9:443 (chat.example): there is no key log, and it needs ")
        )
        for word in [row.label, "--keylog FILE", "SSLKEYLOGFILE", "client random "] { #expect(note.contains(word)) }
        for side in Side.allCases {
            #expect(run.probe.stream(side) == [])
            #expect(run.probe.gapCount(side) == 1)
            #expect(run.probe.isEnded(side))
        }
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 0, closed: 1))
    }

    @Test(arguments: ["12-resumed", "13-retry"]) func twoEndsAreEnoughToSayIt(_ name: String) throws {
        let run = try TLSRun.of(TLSExchange.read(name), keys: KeyLog(), gone: false)
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.isEnded(.client) && run.probe.isEnded(.server))
        #expect(run.layer.counts.closed == 1)
        var cut = try TLSRun(KeyLog())
        try cut.feed(.client, [0x16, 3])
        try cut.end(gone: false)
        #expect(cut.probe.stream(.client) == [0x16, 3])
        #expect(cut.probe.isEnded(.client) && cut.probe.isEnded(.server))
    }

    @Test func keysOfAnotherConnectionAreCounted() throws {
        let other = try TLSExchange.read("12-h2").keyLog
        let run = try TLSRun.of(TLSExchange.read("12-resumed"), keys: other)
        #expect(run.probe.notes.first?.contains("the key log (1 connection) lacks CLIENT_RANDOM") == true)
    }

    /// The right random with a secret of another connection: nothing authenticates, nothing comes out.
    @Test(arguments: [
        "12-resumed", "13-chacha20_poly1305_sha256", "12-aes128-sha", "12-aes128-sha-mac-inside", "13-early",
    ])
    func wrongSecretsGiveNothing(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        var keys = KeyLog()
        for line in exchange.keys.split(separator: "\n") {
            var characters = Array(line)
            characters[characters.count - 1] = characters.last == "0" ? "1" : "0"
            keys.add(ByteBuffer(string: String(characters)))
        }
        let run = try TLSRun.of(exchange, keys: keys)
        for side in Side.allCases {
            #expect(run.probe.stream(side) == [])
            #expect(run.probe.gapCount(side) >= 1)
        }
        #expect(run.probe.notes.contains { $0.contains("does not authenticate with the key of the log") })
    }

    @Test func bytesThatWaitAreBounded() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var bounds = TLSLayer.Bounds()
        bounds.held = 700
        var run = try TLSRun(KeyLog(), bounds: bounds)
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.notes.first?.contains("there is no key log") == true)
        try run.layer.add(secrets: ByteBuffer(string: exchange.keys), place: "late")
        try run.end()
        #expect(run.probe.stream(.client) == [] && run.probe.stream(.server) == [])
        #expect(run.probe.notes.count == 1)
    }

    @Test(arguments: ["12-resumed", "13-resumed"]) func aGapEndsItsDirection(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        var run = try TLSRun(exchange.keyLog)
        let last = exchange.flights.count - 1
        for (index, (side, bytes)) in exchange.flights.enumerated() {
            if index == last - 4 { try run.layer.gap(7, from: .server, count: 30, at: 2_000) }
            try run.feed(side, bytes)
        }
        try run.end()
        let said = try #require(exchange.said[.server])
        #expect(said.starts(with: run.probe.stream(.server)) && run.probe.stream(.server) != said)
        #expect(run.probe.stream(.client) == exchange.said[.client])
        #expect(run.probe.gapCount(.server) == 1)
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.notes.first?.contains("bytes of the server are missing in the capture") == true)
    }

    @Test func withoutAHelloNothingFits() throws {
        let exchange = try TLSExchange.read("13-resumed")
        var run = try TLSRun(exchange.keyLog)
        try run.layer.gap(7, from: .client, count: 600, at: 2)
        for (side, bytes) in exchange.flights.dropFirst() { try run.feed(side, bytes) }
        try run.end()
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.notes.first?.contains("not in the capture") == true)
        for side in Side.allCases { #expect(run.probe.stream(side) == []) }

        var onlyServer = try TLSRun(exchange.keyLog)
        for (side, bytes) in exchange.flights where side == .server { try onlyServer.feed(side, bytes) }
        try onlyServer.end()
        #expect(onlyServer.probe.notes.count == 1)
        #expect(onlyServer.probe.stream(.server) == [])
    }

    @Test func aConnectionInTheMiddleIsSaid() throws {
        let exchange = try TLSExchange.read("12-resumed")
        for skipped in [exchange.flights.count - 3, exchange.flights.count - 4] {
            var run = try TLSRun(exchange.keyLog, isWhole: false)
            for (side, bytes) in exchange.flights.dropFirst(skipped) { try run.feed(side, bytes) }
            try run.end()
            #expect(run.probe.notes.count == 1)
            #expect(run.probe.notes.first?.contains("its handshake is not in the capture") == true)
            for side in Side.allCases { #expect(run.probe.stream(side) == []) }
        }
    }

    @Test func everythingElsePassesUntouched() throws {
        let talks: [[(Side, String)]] = [
            [(.client, "GET / HTTP/1.1\r\n\r\n"), (.server, "HTTP/1.1 200 OK\r\n\r\n")],
            [(.server, "220 mail ready\r\n"), (.client, "EHLO x\r\n")],
            [(.client, "\u{16}\u{03}"), (.client, "no hello"), (.server, "so what")],
            [(.client, "\u{16}")], [(.server, "\u{16}\u{03}\u{03}\u{01}")],
        ]
        for talk in talks {
            for size in [1, 100] {
                var run = try TLSRun(KeyLog())
                for (side, text) in talk {
                    for start in stride(from: 0, to: text.utf8.count, by: size) {
                        try run.feed(side, Array(text.utf8.dropFirst(start).prefix(size)))
                    }
                }
                try run.layer.gap(7, from: .client, count: 12, at: 9)
                try run.end()
                for side in Side.allCases {
                    let expected = talk.filter { $0.0 == side }.map(\.1).joined()
                    #expect(String(decoding: run.probe.stream(side), as: UTF8.self) == expected)
                }
                #expect(run.probe.notes == [])
                #expect(run.probe.events.contains(.gap(.client, 12)))
                #expect(run.layer.counts.tls == 0)
            }
        }
    }

    @Test func aServerThatDoesNotSpeakTLSIsSaid() throws {
        let exchange = try TLSExchange.read("13-resumed")
        var run = try TLSRun(exchange.keyLog)
        try run.feed(.client, exchange.flights[0].bytes)
        try run.feed(.server, Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        try run.end()
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.notes.first?.contains("the server sent bytes that are no TLS record") == true)
    }

    @Test func alertsAreNamedAndCounted() throws {
        let exchange = try TLSExchange.read("13-resumed")
        var run = try TLSRun(exchange.keyLog)
        try run.feed(.client, exchange.flights[0].bytes)
        for _ in 0..<9 { try run.feed(.server, [21, 3, 3, 0, 2, 2, 40]) }
        try run.end()
        #expect(run.probe.notes.count == 4)
        #expect(run.probe.notes.first?.hasSuffix("the server sent the fatal alert handshake_failure") == true)
    }

    @Test func olderVersionsAreNamed() throws {
        var hello = try TLSExchange.read("12-resumed").flights[1].bytes
        hello[10] = 1
        var run = try TLSRun(KeyLog())
        try run.feed(.client, TLSExchange.read("12-resumed").flights[0].bytes)
        try run.feed(.server, hello)
        try run.end()
        #expect(run.probe.notes.first?.contains("TLS 1.0 is not read; TLS 1.2 and 1.3 are") == true)
    }
}
