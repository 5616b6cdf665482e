import Captures
import NIOCore
import Testing
import Wire

/// Damage of every kind: what comes out is the beginning of what was said, and what is missing is said.
@Suite struct TLSDamageTests {
    private func check(_ run: TLSRun, _ exchange: TLSExchange, _ what: String, fed: TLSExchange? = nil) {
        if run.layer.counts.tls == 0 {
            // Its first bytes are no hello any more: it is no TLS, and passes as it is.
            let untouched = Side.allCases.allSatisfy { run.probe.stream($0) == (fed ?? exchange).wire(of: $0) }
            if !untouched { Issue.record("\(exchange.name) \(what): neither TLS nor untouched") }
            return
        }
        for side in Side.allCases {
            let said = exchange.said[side] ?? []
            let got = run.probe.stream(side)
            if !said.starts(with: got) { Issue.record("\(exchange.name) \(what): wrong plaintext of the \(side)") }
            if got.count < said.count, run.probe.gapCount(side) == 0 {
                Issue.record("\(exchange.name) \(what): no gap")
            }
        }
        let whole = Side.allCases.allSatisfy { run.probe.stream($0) == exchange.said[$0] }
        if !whole, run.probe.notes.isEmpty { Issue.record("\(exchange.name) \(what): nothing was said") }
        if run.probe.notes.count > 8 { Issue.record("\(exchange.name) \(what): \(run.probe.notes.count) notes") }
        if run.probe.events.last != .gone { Issue.record("\(exchange.name) \(what): not gone") }
    }

    /// One bit in the head, in the middle and at the end of every record of every exchange.
    @Test(arguments: TLSExchange.names) func aFlippedBitNeverGivesWrongPlaintext(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        for (index, flight) in exchange.flights.enumerated() {
            var start = 0
            while start + 5 <= flight.bytes.count {
                let length = Int(flight.bytes[start + 3]) << 8 | Int(flight.bytes[start + 4])
                for at in Set([0, 2, 3, 5, 5 + length / 2, 4 + length]) where start + at < flight.bytes.count {
                    var damaged = exchange
                    damaged.flights[index].bytes[start + at] ^= UInt8(1) << UInt8(at % 8)
                    check(try TLSRun.of(damaged), exchange, "flight \(index) byte \(start + at)", fed: damaged)
                }
                start += 5 + length
            }
        }
    }

    @Test(arguments: ["12-aes128-sha-mac-inside", "12-ecdhe-ecdsa-aes256-sha384", "13-update", "13-early"])
    func cutAnywhere(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        for (index, flight) in exchange.flights.enumerated() {
            for count in stride(from: 0, to: flight.bytes.count, by: flight.bytes.count > 300 ? 3 : 1) {
                var run = try TLSRun(exchange.keyLog)
                for (side, bytes) in exchange.flights.prefix(index) { try run.feed(side, bytes) }
                try run.feed(flight.side, flight.bytes.prefix(count))
                try run.layer.gone(7, at: 9)
                if run.layer.counts.tls == 0 { continue }
                for side in Side.allCases where exchange.said[side]?.starts(with: run.probe.stream(side)) != true {
                    Issue.record("flight \(index) cut at \(count): wrong plaintext")
                }
                if run.probe.events.last != .gone { Issue.record("flight \(index) cut at \(count): not gone") }
            }
        }
    }

    /// A flight is lost, comes twice, or changes place with the one behind it.
    @Test(arguments: TLSExchange.names) func flightsInDisorder(_ name: String) throws {
        let exchange = try TLSExchange.read(name)
        for index in exchange.flights.indices {
            var twice = exchange
            twice.flights.insert(exchange.flights[index], at: index)
            check(try TLSRun.of(twice), exchange, "flight \(index) twice")
            var swapped = exchange
            if index + 1 < exchange.flights.count {
                swapped.flights.swapAt(index, index + 1)
                check(try TLSRun.of(swapped), exchange, "flights \(index), \(index + 1) swapped")
            }
        }
    }

    /// Bytes of dice behind a true beginning.
    @Test func noiseNeverTraps() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        for name in ["12-resumed", "13-retry"] {
            let exchange = try TLSExchange.read(name)
            for round in 0..<300 {
                var run = try TLSRun(exchange.keyLog)
                for (side, bytes) in exchange.flights.prefix(round % (exchange.flights.count + 1)) {
                    try run.feed(side, bytes)
                }
                for side in Side.allCases {
                    var noise = (0..<60).map { _ in next() }
                    if round % 2 == 0 { noise = [20 + next() % 5, 3, 3, 0, next() % 64] + noise }
                    try run.feed(side, noise)
                }
                try run.end()
                if run.layer.counts.tls == 0 { continue }
                for side in Side.allCases where exchange.said[side]?.starts(with: run.probe.stream(side)) != true {
                    Issue.record("\(name) round \(round): wrong plaintext")
                }
            }
        }
    }
}
