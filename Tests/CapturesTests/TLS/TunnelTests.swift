import NIOCore
import Testing
import Wire

@testable import Captures

/// What a client says to a forward proxy, and what it says through it.
@Suite struct TunnelTests {
    private typealias Talk = [(side: Side, bytes: [UInt8])]
    static let asks = Array("CONNECT chat.example:443 HTTP/1.1\r\nHost: chat.example:443\r\n\r\n".utf8)
    private static let asksAgain = Array("CONNECT chat.example:443 HTTP/1.1\r\nProxy-Authorization: Basic YWxpY2U6YQ==\r\n\r\n".utf8)
    static let opened = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)

    private static func refused(_ form: String) -> [UInt8] {
        let head = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
        switch form {
        case "none": return Array("\(head)Content-Length: 0\r\n\r\n".utf8)
        case "length": return Array("\(head)Content-Length: 22\r\n\r\nHTTP/1.1 200 OK\r\n\r\nno\n".utf8)
        case "chunked": return Array("\(head)Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nno\r\n0\r\nA: b\r\n\r\n".utf8)
        default: return Array("\(head)\r\nno, and goodbye".utf8)
        }
    }

    private static func stream(_ talk: Talk, _ side: Side) -> [UInt8] { talk.filter { $0.side == side }.flatMap(\.bytes) }

    private func run(_ talk: Talk, keys: KeyLog, size: Int = .max) throws -> TLSRun {
        var run = try TLSRun(keys)
        for (side, bytes) in talk {
            var rest = bytes[...]
            while !rest.isEmpty {
                try run.feed(side, rest.prefix(size))
                rest = rest.dropFirst(size)
            }
        }
        try run.end()
        return run
    }

    /// The heads as they are, and what the exchange said behind them.
    private func check(_ run: TLSRun, _ heads: Talk, _ exchange: TLSExchange, _ what: String = "") {
        for side in Side.allCases where run.probe.stream(side) != Self.stream(heads, side) + (exchange.said[side] ?? []) {
            Issue.record("\(what) \(side): \(run.probe.stream(side).count) bytes, \(run.probe.notes)")
        }
        let isWhole = run.probe.gapCount(.client) + run.probe.gapCount(.server) == 0 && run.probe.isEnded(.client) && run.probe.isEnded(.server)
        if !isWhole || !run.probe.notes.isEmpty || run.probe.events.last != .gone { Issue.record("\(what): \(run.probe.notes)") }
        if run.layer.counts != TLSLayer.Counts(tls: 1, opened: 1, closed: 0) { Issue.record("\(what): \(run.layer.counts)") }
        if run.layer.shared.held != 0 { Issue.record("\(what): \(run.layer.shared.held) bytes are still held") }
    }

    @Test(arguments: ["12-resumed", "12-aes128-sha", "13-retry", "13-update", "13-aes_256_gcm_sha384"], [Int.max, 1, 7]) func whatWasSaidThroughItComesOut(_ name: String, _ size: Int) throws {
        let exchange = try TLSExchange.read(name)
        let heads: Talk = [(.client, Self.asks), (.server, Self.opened)]
        check(try run(heads + exchange.flights, keys: exchange.keyLog, size: size), heads, exchange)
    }

    @Test(arguments: ["none", "length", "chunked"], [Int.max, 1]) func aRefusalAndAnotherTry(_ form: String, _ size: Int) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [
            (.client, Self.asks), (.server, Self.refused(form)), (.client, Array("\r\n".utf8) + Self.asksAgain),
            (.server, Self.refused(form)), (.client, Self.asksAgain), (.server, Array("HTTP/1.1 102 Processing\r\n\r\n".utf8) + Self.opened),
        ]
        check(try run(heads + exchange.flights, keys: exchange.keyLog, size: size), heads, exchange)
        // As a capture may tell it: all of one side before anything of the other.
        for first in Side.allCases {
            var run = try TLSRun(exchange.keyLog)
            for side in [first, first.other] { try run.feed(side, Self.stream(heads + exchange.flights, side)) }
            try run.end()
            check(run, heads, exchange, "\(first) first")
        }
    }

    @Test func everyCutGivesTheSame() throws {
        let exchange = try TLSExchange.read("12-resumed")
        let heads: Talk = [
            (.client, Self.asks), (.server, Self.refused("length")), (.client, Self.asksAgain), (.server, Self.opened),
        ]
        let talk = heads + exchange.flights
        for (index, part) in talk.prefix(6).enumerated() {
            for cut in stride(from: 1, to: part.bytes.count, by: index < 4 ? 1 : 3) {
                var run = try TLSRun(exchange.keyLog)
                for (other, whole) in talk.enumerated() {
                    if other == index {
                        try run.feed(part.side, part.bytes.prefix(cut))
                        try run.feed(part.side, part.bytes.dropFirst(cut))
                    } else {
                        try run.feed(whole.side, whole.bytes)
                    }
                }
                try run.end()
                check(run, heads, exchange, "part \(index) cut at \(cut)")
            }
        }
    }

    /// The two sides as captures tell them: each in its own order, and no order between them.
    @Test func anyOrderOfTheSidesGivesTheSame() throws {
        let heads: Talk = [
            (.client, Self.asks), (.server, Self.refused("chunked")), (.client, Self.asksAgain), (.server, Self.opened),
        ]
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, count)
        }
        for name in ["12-resumed", "13-aes_128_gcm_sha256"] {
            let exchange = try TLSExchange.read(name)
            for round in 0..<150 {
                var run = try TLSRun(exchange.keyLog)
                var rest: [Side: ArraySlice<UInt8>] = [:]
                for side in Side.allCases { rest[side] = Self.stream(heads + exchange.flights, side)[...] }
                while let side = Side.allCases.filter({ rest[$0]?.isEmpty == false }).pick(below) {
                    let piece = rest[side]?.prefix(1 + below([8, 90, 900][round % 3])) ?? []
                    rest[side]?.removeFirst(piece.count)
                    try run.feed(side, piece)
                }
                try run.end()
                check(run, heads, exchange, "\(name) round \(round)")
            }
        }
    }

    /// One read with the head and what is behind it: a client that does not wait, a proxy that says both at once.
    @Test func headsMayStandInOneReadWithWhatFollows() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [(.client, Self.asks), (.server, Self.opened)]
        let (hello, answer) = (exchange.flights[0], exchange.flights[1])
        try #require(hello.side == .client && answer.side == .server)
        let talk: Talk = [(.client, Self.asks + hello.bytes), (.server, Self.opened + answer.bytes)] + exchange.flights.dropFirst(2)
        check(try run(talk, keys: exchange.keyLog), heads, exchange)
        let early: Talk = [(.client, Self.asks), hello, (.server, Self.opened)] + exchange.flights.dropFirst()
        check(try run(early, keys: exchange.keyLog), heads, exchange)
    }

    @Test func secretsMayComeLater() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [(.client, Self.asks), (.server, Self.opened)]
        var run = try TLSRun(KeyLog())
        for (side, bytes) in heads + exchange.flights { try run.feed(side, bytes) }
        for side in Side.allCases { #expect(run.probe.stream(side) == Self.stream(heads, side)) }
        try run.layer.add(secrets: ByteBuffer(string: exchange.keys), place: "late")
        try run.end()
        check(run, heads, exchange)
    }

    @Test func withoutKeysItIsSaidAsOutside() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [(.client, Self.asks), (.server, Self.opened)]
        let run = try run(heads + exchange.flights, keys: KeyLog())
        #expect(run.probe.notes.count == 1 && run.probe.notes.first?.contains("there is no key log") == true)
        for side in Side.allCases {
            #expect(run.probe.stream(side) == Self.stream(heads, side) && run.probe.gapCount(side) == 1 && run.probe.isEnded(side))
        }
    }

    /// A tunnel that is no TLS, no tunnel at all, or something that only begins like one.
    @Test(arguments: [Int.max, 1]) func everythingElsePassesUntouched(_ size: Int) throws {
        let upgrade = Array("GET /ws HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\n\r\n".utf8)
        let talks: [Talk] = [
            [(.client, Self.asks), (.server, Self.opened), (.client, upgrade), (.server, Array("HTTP/1.1 101 Yes\r\n\r\n".utf8)), (.client, [0x81, 0])],
            [(.client, Self.asks + upgrade), (.server, Self.opened + Array("HTTP/1.1 101 Yes\r\n\r\n".utf8))],
            [(.client, Self.asks), (.server, Self.opened), (.server, Array("220 mail ready\r\n".utf8)), (.client, Array("EHLO x\r\n".utf8))],
            [(.client, Self.asks), (.server, Self.refused("close")), (.client, upgrade)],
            [(.client, Self.asks), (.server, Self.refused("none")), (.client, upgrade), (.server, Self.opened)],
            [(.client, Self.asks), (.server, Array("HTTP/1.1 101 Yes\r\n\r\n".utf8)), (.client, [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
            [(.client, Self.asks), (.server, Array("SSH-2.0-x\r\n".utf8)), (.client, Self.asks)],
            [(.client, Array("CONNECT\u{0}".utf8)), (.server, Array("HTTP/1.1 200 OK\r\n\r\n".utf8))],
            [(.client, Array("CONNECT 1\r\nnothing of HTTP".utf8)), (.server, Self.opened)],
            [(.client, Array("CONNECT a:1 HTTP/1.1\nHost: a\n\n".utf8)), (.server, Self.opened), (.client, [0x16, 3, 1])],
            [(.client, Array("CONNEC".utf8))], [(.client, Self.asks)], [(.server, Self.opened)], [(.client, Self.asks), (.server, Array("HTTP/1.".utf8))],
        ]
        for (index, talk) in talks.enumerated() {
            let run = try run(talk, keys: KeyLog(), size: size)
            for side in Side.allCases {
                #expect(run.probe.stream(side) == Self.stream(talk, side), "talk \(index)")
                #expect(run.probe.isEnded(side))
            }
            #expect(run.probe.notes == [] && run.layer.counts.tls == 0 && run.layer.shared.held == 0)
            #expect(run.probe.events.last == .gone)
        }
    }

    /// As deep as there may be tunnels, and one deeper.
    @Test(arguments: 1...5) func tunnelsWithinTunnels(depth: Int) throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads = (0..<depth).flatMap { _ -> Talk in [(.client, Self.asks), (.server, Self.opened)] }
        for size in [Int.max, 1] {
            let run = try run(heads + exchange.flights, keys: exchange.keyLog, size: size)
            if depth <= 4 { check(run, heads, exchange) } else {
                #expect(run.layer.counts.tls == 0)
                for side in Side.allCases { #expect(run.probe.stream(side) == Self.stream(heads + exchange.flights, side)) }
            }
        }
        // All of the client's at once: nothing of it is known before the server has said all of its own.
        var late = try TLSRun(exchange.keyLog)
        for side in Side.allCases { try late.feed(side, Self.stream(heads + exchange.flights, side)) }
        try late.end()
        if depth <= 4 { check(late, heads, exchange) } else { #expect(late.layer.counts.tls == 0) }
    }

    /// Heads, hellos, rests, gaps and ends in orders that make no sense: no byte is lost or turned round, nothing stays held.
    @Test func nonsenseIsPassedOnWhole() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let words = [
            Self.asks, Self.opened, Self.refused("none"), Self.refused("length"), Self.refused("chunked"), Self.refused("close"), [0x0d, 0x0a],
            Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), Array("CONN".utf8), Array("HTTP/1.1 2".utf8), [0x16], [0x16, 3, 1, 0],
            Array("GET / HTTP/1.1\r\n\r\n".utf8), exchange.flights[0].bytes, exchange.flights[1].bytes, [0],
        ]
        var state: UInt64 = 0x2545_F491_4F6C_DD1D
        func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var (plain, open) = (0, 0)
        for round in 0..<1_000 {
            var run = try TLSRun(exchange.keyLog, isWhole: round % 5 > 0)
            var fed: [Side: [UInt8]] = [.client: [], .server: []]
            var gaps = 0
            if round % 2 == 0 {
                for (side, bytes) in [(Side.client, Self.asks), (.server, Self.opened)].prefix(1 + below(2)) {
                    fed[side, default: []] += bytes
                    try run.feed(side, bytes)
                }
            }
            for _ in 0..<below(9) {
                let side = Side.allCases[below(2)]
                if below(12) == 0 {
                    gaps += 1
                    try run.layer.gap(7, from: side, count: UInt64(below(30)), at: 5)
                } else {
                    let word = words[below(words.count)]
                    fed[side, default: []] += word
                    try run.feed(side, word)
                }
            }
            if below(3) == 0 { try run.layer.gone(7, at: 9) } else { try run.end() }
            if run.layer.shared.held != 0 || run.probe.events.last != .gone { Issue.record("round \(round): not over") }
            guard run.layer.counts.tls == 0 else {
                open += 1
                if Side.allCases.contains(where: { fed[$0]?.starts(with: run.probe.stream($0)) != true }) { Issue.record("round \(round): other bytes") }
                continue
            }
            plain += 1
            if Side.allCases.contains(where: { fed[$0] != run.probe.stream($0) }) { Issue.record("round \(round): bytes are lost") }
            if run.probe.gapCount(.client) + run.probe.gapCount(.server) != gaps { Issue.record("round \(round): gaps are lost") }
        }
        #expect(plain > 100 && open > 50, "\(plain) \(open)")
    }

    @Test func cutAnywhere() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [
            (.client, Self.asks), (.server, Self.refused("chunked")), (.client, Self.asksAgain), (.server, Self.opened),
        ]
        let talk = heads + exchange.flights
        for (index, part) in talk.enumerated() {
            for count in stride(from: 0, to: part.bytes.count, by: index < 4 ? 1 : 7) {
                var run = try TLSRun(exchange.keyLog)
                for (side, bytes) in talk.prefix(index) { try run.feed(side, bytes) }
                try run.feed(part.side, part.bytes.prefix(count))
                try run.layer.gone(7, at: 9)
                for side in Side.allCases {
                    let whole = Self.stream(heads, side) + (exchange.said[side] ?? [])
                    let isPlain = run.layer.counts.tls == 0
                    let fed = Self.stream(talk.prefix(index) + [(part.side, Array(part.bytes.prefix(count)))], side)
                    if isPlain ? run.probe.stream(side) != fed : !whole.starts(with: run.probe.stream(side)) {
                        Issue.record("part \(index) cut at \(count): wrong bytes of the \(side)")
                    }
                }
                if run.probe.events.last != .gone || run.layer.shared.held != 0 { Issue.record("part \(index) cut at \(count): not over") }
            }
        }
    }

    /// A gap within each part in turn: never bytes of the wrong kind, and never silence about what is closed.
    @Test func gapsAnywhere() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let heads: Talk = [
            (.client, Self.asks), (.server, Self.refused("length")), (.client, Self.asksAgain), (.server, Self.opened),
        ]
        let talk = heads + exchange.flights
        for (index, part) in talk.enumerated() {
            for start in stride(from: 0, to: part.bytes.count, by: index < 4 ? 5 : 41) {
                for length in Set([1, 8, part.bytes.count - start]) where start + length <= part.bytes.count {
                    for isKnown in [true, false] {
                        var run = try TLSRun(exchange.keyLog)
                        for (other, whole) in talk.enumerated() {
                            if other != index { try run.feed(whole.side, whole.bytes) } else {
                                try run.feed(part.side, part.bytes.prefix(start))
                                try run.layer.gap(7, from: part.side, count: isKnown ? UInt64(length) : 0, at: 2_000)
                                try run.feed(part.side, part.bytes.dropFirst(start + length))
                            }
                        }
                        try run.end()
                        let what = "part \(index), \(length) bytes from \(start) missing"
                        if run.layer.shared.held != 0 || run.probe.events.last != .gone { Issue.record("\(what): not over") }
                        if run.probe.gapCount(part.side) == 0 { Issue.record("\(what): no gap") }
                        if run.layer.counts.tls > 0, run.layer.counts.closed == 0, index != 1 { Issue.record("\(what): all is well") }
                    }
                }
            }
        }
        // Of the body of a refusal nothing is needed.
        var run = try TLSRun(exchange.keyLog)
        for (index, (side, bytes)) in talk.enumerated() {
            if index == 1 {
                try run.feed(side, bytes.dropLast(10))
                try run.layer.gap(7, from: side, count: 10, at: 9)
            } else {
                try run.feed(side, bytes)
            }
        }
        try run.end()
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 1, closed: 0))
        #expect(run.probe.stream(.client) == Self.stream(heads, .client) + (exchange.said[.client] ?? []))
    }

    /// The answer is missing, and what the client says next shows that it was a yes.
    @Test func anAnswerThatIsMissingIsNoPlainText() throws {
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        var run = try TLSRun(exchange.keyLog)
        try run.feed(.client, Self.asks)
        try run.layer.gap(7, from: .server, count: UInt64(Self.opened.count), at: 9)
        for (side, bytes) in exchange.flights { try run.feed(side, bytes) }
        try run.end()
        #expect(run.layer.counts == TLSLayer.Counts(tls: 1, opened: 0, closed: 1))
        #expect(run.probe.stream(.client) == Self.asks && run.probe.stream(.server) == [])
        #expect(run.probe.notes.count == 1 && run.probe.notes.first?.contains("the server's hello is not in the capture") == true)
    }

    @Test func whatWaitsForAnAnswerIsBounded() throws {
        var bounds = TLSLayer.Bounds()
        for (held, all) in [(10_000, 1 << 20), (1 << 20, 10_000)] {
            (bounds.held, bounds.heldInAll) = (held, all)
            var run = try TLSRun(KeyLog(), bounds: bounds)
            try run.feed(.client, Self.asks)
            let piece = [UInt8](repeating: 0x16, count: 700)
            for _ in 0..<13 { try run.feed(.client, piece) }
            #expect(run.probe.stream(.client) == Self.asks && run.probe.notes == [])
            for _ in 0..<13 { try run.feed(.client, piece) }
            #expect(run.probe.stream(.client).count == Self.asks.count + 26 * 700)
            try run.feed(.server, Self.opened)
            try run.end()
            #expect(run.probe.notes.count == 1 && run.probe.notes.first?.hasPrefix("tunnel of 10.0.0.7:50412 through 10.0.0.9:443: more bytes waited") == true)
            #expect(run.probe.stream(.server) == Self.opened && run.layer.shared.held == 0)
        }
        // A head without an end is no head.
        var endless = try TLSRun(KeyLog())
        try endless.feed(.client, Array("CONNECT a:1 HTTP/1.1\r\n".utf8))
        for _ in 0..<100 { try endless.feed(.client, Array("A: \(String(repeating: "b", count: 1_000))\r\n".utf8)) }
        #expect(endless.layer.shared.held == 0)
        try endless.end()
        #expect(endless.probe.stream(.client).count == 22 + 100 * 1_005)
    }
}

extension Array {
    /// One of them; nil when there is none.
    fileprivate func pick(_ below: (Int) -> Int) -> Element? { isEmpty ? nil : self[below(count)] }
}
