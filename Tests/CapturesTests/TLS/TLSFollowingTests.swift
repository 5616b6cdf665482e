import NIOCore
import Testing
import Wire

@testable import Captures

/// Secrets that come while the connection that they open goes on.
@Suite struct TLSFollowingTests {
    private func said(_ run: TLSRun, _ exchange: TLSExchange) -> Bool {
        Side.allCases.allSatisfy { run.probe.stream($0) == exchange.said[$0] }
    }

    /// A log cut at every third byte (`KeyLogTests` cut it at each), the second part behind each flight in turn.
    @Test(arguments: ["12-ecdhe-ecdsa-aes128-gcm-sha256", "13-aes_128_gcm_sha256"]) func everyCutOpensTheSame(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        let text = Array(exchange.keys.utf8)
        for cut in stride(from: 0, through: text.count, by: 3) {
            var run = try TLSRun(KeyLog())
            run.layer.beginFollowing()
            try run.layer.follow(ByteBuffer(bytes: text.prefix(cut)), place: "k")
            for (index, (side, bytes)) in exchange.flights.enumerated() {
                try run.feed(side, bytes)
                if index == cut % exchange.flights.count { try run.layer.follow(ByteBuffer(bytes: text.dropFirst(cut)), place: "k") }
            }
            try run.layer.endFollowing(place: "k")
            try run.end()
            if !said(run, exchange) || !run.probe.notes.isEmpty { Issue.record("cut at \(cut): \(run.probe.notes)") }
        }
    }

    /// What waited comes out in the order in which both sides said it, with its times.
    @Test(arguments: ["12-resumed", "13-aes_128_gcm_sha256", "13-retry"]) func whatWaitedKeepsItsOrder(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        var late = try TLSRun(KeyLog())
        late.layer.beginFollowing()
        for (side, bytes) in exchange.flights { try late.feed(side, bytes) }
        try late.layer.follow(ByteBuffer(string: exchange.keys), place: "k")
        try late.end()
        #expect(late.probe.events == (try TLSRun.of(exchange)).probe.events)
    }

    /// A client that writes its log when all is over.
    @Test(arguments: [true, false]) func aConnectionThatIsOverWaitsForItsSecrets(gone: Bool) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        try run.end(gone: gone)
        #expect(run.probe.events == [.opened] && run.probe.notes == [])
        try run.layer.follow(ByteBuffer(string: exchange.keys), place: "k")
        #expect(run.probe.events == (try TLSRun.of(exchange, gone: gone)).probe.events)
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 1, closed: 0))
    }

    @Test(arguments: [true, false]) func whatNoSecretCameForIsSaidAtTheEnd(isOverBefore: Bool) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        if isOverBefore { try run.end() }
        #expect(run.probe.events == [.opened])
        try run.layer.endFollowing(place: "k")
        if !isOverBefore { try run.end() }
        #expect(run.probe.notes.count == 1 && run.probe.events.last == .gone)
        #expect(run.probe.gapCount(.client) == 1 && run.probe.gapCount(.server) == 1)
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 0, closed: 1))
    }

    /// Those that are over, many of them, and what they hold.
    @Test(arguments: [3, 1_000]) func whoWaitsInVainIsBounded(most: Int) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var bounds = TLSLayer.Bounds()
        bounds.departed = most
        bounds.heldInAll = 4 * 6_000
        let probe = SinkProbe()
        let layer = TLSLayer(next: probe, bounds: bounds)
        layer.beginFollowing()
        for id in UInt64(1)...50 {
            try layer.opened(Connection(id: id, client: "a:\(id)", server: "b:1"), at: 1)
            for (side, bytes) in exchange.flights { try layer.bytes(id, from: side, ByteBuffer(bytes: bytes), at: 2) }
            try layer.gone(id, at: 3)
        }
        let over = probe.events.filter { $0 == .gone }.count
        #expect(most == 3 ? over == 47 : (44..<50).contains(over), "\(over)")
        #expect(probe.notes.count == over && probe.notes.first?.hasPrefix("TLS of a:1 ") == true)
        try layer.follow(ByteBuffer(string: exchange.keys), place: "k")
        #expect(probe.events.filter { $0 == .gone }.count == 50 && probe.notes.count == over)
        #expect(layer.counts == TLSLayer.Counts(tls: 50, opened: 50 - over, closed: over))
        #expect(layer.shared.held == 0)
    }

    /// More comes at once than may wait: the log is looked at before anything is given up.
    @Test func whoCannotWaitLooksFirst() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        for held in [100, 300, 700, 1_000, 1_400] {
            var bounds = TLSLayer.Bounds()
            bounds.held = held
            var run = try TLSRun(KeyLog(), bounds: bounds)
            let layer = run.layer
            var looks = 0
            layer.beginFollowing { () throws(ImportError) in
                looks += 1
                if looks == 1 { try layer.follow(ByteBuffer(string: exchange.keys), place: "k") }
            }
            for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
            try run.end()
            #expect(said(run, exchange) && run.probe.notes == [] && looks == 1, "\(held): \(looks) \(run.probe.notes)")
            #expect(layer.shared.held == 0)
            layer.shared.look = {}
        }
    }

    /// The last line lacks its end until the capture is over, or until another file takes the name.
    @Test(arguments: [true, false]) func aLastLineWithoutItsEndCounts(isReplaced: Bool) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        try run.layer.follow(ByteBuffer(bytes: exchange.keys.utf8.dropLast()), place: "k")
        #expect(!said(run, exchange))
        if isReplaced { try run.layer.followAnew(voidsRest: false, place: "k") } else { try run.layer.endFollowing(place: "k") }
        #expect(said(run, exchange) && run.probe.notes == [])
    }

    @Test func aLineThatIsVoidMixesWithNone() throws {
        let exchange = try TLSExchange.read("12-resumed")
        var run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        try run.layer.follow(ByteBuffer(string: "# one\nwrong\nCLIENT_RANDOM 00"), place: "k")
        try run.layer.followAnew(voidsRest: true, place: "k")
        try run.layer.follow(ByteBuffer(string: "wrong too\n" + exchange.keys), place: "k")
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        #expect(said(run, exchange))
        #expect(run.probe.notes == ["k line 2: begins with no label", "k line 1: begins with no label"])
    }

    /// However much of it there is, and however it is cut.
    @Test func aLogOfNothingButWrongLinesIsTold() throws {
        let run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        for _ in 0..<100 { try run.layer.follow(ByteBuffer(string: "wrong\nwro"), place: "k") }
        try run.layer.endFollowing(place: "k")
        #expect(run.probe.notes.count == 21)
        #expect(run.probe.notes.last == "k: 81 more wrong lines")
    }

    /// Nothing was written yet is not the same as no log.
    @Test func whatNeverCameIsSaid() throws {
        let exchange = try TLSExchange.read("12-resumed")
        var run = try TLSRun(KeyLog())
        run.layer.beginFollowing()
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        try run.layer.endFollowing(place: "k")
        try run.end()
        #expect(run.probe.notes.count == 1)
        #expect(run.probe.notes.first?.contains("the key log (0 connections) lacks CLIENT_RANDOM for client random") == true)
    }
}
