import NIOCore
import Testing
import Wire

@testable import Captures

/// Real exchanges of every suite and turn that is read, fed in every shape.
@Suite struct TLSLayerTests {
    /// What stays closed, and the words that say so.
    static let closed: [String: String] = [
        "13-aes_128_ccm_sha256": "0x1304 (TLS_AES_128_CCM_SHA256)", "12-h2": "HTTP/2", "13-h2": "HTTP/2",
        "12-renegotiation": "renegotiation",
        "13-early": "2 records of 0-RTT early data (48 bytes) are skipped; the server took",
        "13-early-refused": "1 records of 0-RTT early data (27 bytes) are skipped; the server refused",
    ]
    static let open = TLSExchange.names.filter { closed[$0] == nil }

    @Test func thereAreVectors() { #expect(TLSExchange.names.count >= 32) }

    @Test(arguments: open, [Int.max, 1, 7, 600]) func whatWasSaidComesOut(_ name: String, _ size: Int) throws {
        let exchange = try TLSExchange.read(name)
        let run = try TLSRun.of(exchange, size: size)
        for side in Side.allCases {
            #expect(run.probe.stream(side) == exchange.said[side])
            #expect(run.probe.gapCount(side) == 0)
            #expect(run.probe.isEnded(side))
        }
        #expect(run.probe.notes == [])
        #expect(run.probe.events.last == .gone)
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 1, closed: 0))
    }

    @Test(arguments: Array(closed)) func whatStaysClosedIsSaid(_ row: (key: String, value: String)) throws {
        let exchange = try TLSExchange.read(row.key)
        let run = try TLSRun.of(exchange)
        #expect(run.probe.notes.count == 1)
        let note = try #require(run.probe.notes.first)
        #expect(note.contains(row.value), "\(note)")
        #expect(note.hasPrefix("TLS of 10.0.0.7:50412 with 10.0.0.9:443 (chat.example): "))
        if row.key.hasSuffix("h2") || row.key.contains("ccm") {
            #expect(run.probe.stream(.client) == [] && run.probe.stream(.server) == [])
            #expect(run.probe.gapCount(.client) == 1 && run.probe.gapCount(.server) == 1)
        } else {
            for side in Side.allCases { #expect(run.probe.stream(side) == exchange.said[side]) }
        }
    }

    @Test func earlyDataThatTheServerTookIsAGap() throws {
        let taken = try TLSRun.of(TLSExchange.read("13-early"))
        #expect(taken.probe.events.dropFirst().first == .gap(.client, 0))
        let refused = try TLSRun.of(TLSExchange.read("13-early-refused"))
        #expect(refused.probe.gapCount(.client) == 0)
    }

    @Test(arguments: [
        "12-ecdhe-ecdsa-aes128-gcm-sha256", "12-aes128-sha-mac-inside", "13-retry",
    ])
    func everySplitGivesTheSame(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        for (index, flight) in exchange.flights.enumerated() {
            for split in stride(from: 1, to: flight.bytes.count, by: flight.bytes.count > 300 ? 5 : 1) {
                var run = try TLSRun(exchange.keyLog)
                for (other, part) in exchange.flights.enumerated() {
                    if other == index {
                        try run.feed(part.side, part.bytes.prefix(split))
                        try run.feed(part.side, part.bytes.dropFirst(split))
                    } else {
                        try run.feed(part.side, part.bytes)
                    }
                }
                try run.end()
                let same = Side.allCases.allSatisfy { run.probe.stream($0) == exchange.said[$0] }
                if !same || !run.probe.notes.isEmpty {
                    Issue.record("flight \(index) split at \(split): \(run.probe.notes)")
                }
            }
        }
    }

    /// The two directions of a capture may come in any order, and the secrets after both.
    @Test(arguments: open) func orderDoesNotMatter(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        for first in Side.allCases {
            var run = try TLSRun(KeyLog())
            try run.feed(first, exchange.wire(of: first))
            try run.feed(first.other, exchange.wire(of: first.other))
            #expect(run.probe.stream(.client) == [] && run.probe.stream(.server) == [])
            try run.layer.add(secrets: ByteBuffer(string: exchange.keys), place: "packet 9")
            try run.end()
            for side in Side.allCases { #expect(run.probe.stream(side) == exchange.said[side]) }
            #expect(run.probe.notes == [])
        }
    }

    /// Secrets one line at a time, between the flights.
    @Test func secretsMayComeWhileReading() throws {
        let exchange = try TLSExchange.read("13-update")
        var run = try TLSRun(KeyLog())
        var lines = exchange.keys.split(separator: "\n").map(String.init)
        for (side, bytes) in exchange.flights {
            try run.feed(side, bytes)
            if !lines.isEmpty { try run.layer.add(secrets: ByteBuffer(string: lines.removeFirst()), place: "block") }
        }
        try run.end()
        for side in Side.allCases { #expect(run.probe.stream(side) == exchange.said[side]) }
        #expect(run.probe.notes == [])
    }

    @Test func wrongLinesOfABlockAreSaid() throws {
        let run = try TLSRun(KeyLog())
        try run.layer.add(secrets: ByteBuffer(string: "# fine\nCLIENT_RANDOM 12 34\n"), place: "x.pcapng packet 3")
        #expect(run.probe.notes == ["x.pcapng packet 3 line 2: the client random is not 64 hex digits"])
    }

    /// Only the later secret is known: what does not open is the handshake.
    @Test func trafficSecretsAloneAreEnough() throws {
        let exchange = try TLSExchange.read("13-aes_256_gcm_sha384")
        let lines = exchange.keys.split(separator: "\n").filter { !$0.contains("HANDSHAKE") }
        var keys = KeyLog()
        keys.add(ByteBuffer(string: lines.joined(separator: "\n")))
        let run = try TLSRun.of(exchange, keys: keys)
        for side in Side.allCases { #expect(run.probe.stream(side) == exchange.said[side]) }
        #expect(run.probe.notes == [])
    }

    @Test func oneDirectionIsReadWithoutTheOther() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let lines = exchange.keys.split(separator: "\n").filter { !$0.hasPrefix("CLIENT") }
        var keys = KeyLog()
        keys.add(ByteBuffer(string: lines.joined(separator: "\n")))
        let run = try TLSRun.of(exchange, keys: keys)
        #expect(run.probe.stream(.server) == exchange.said[.server])
        #expect(run.probe.stream(.client) == [])
        #expect(run.probe.gapCount(.client) == 1)
        #expect(run.probe.notes.count == 1)
        #expect(
            run.probe.notes.first?.contains("lacks CLIENT_HANDSHAKE_TRAFFIC_SECRET, CLIENT_TRAFFIC_SECRET_0 for")
                == true)
    }
}
