import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// `handshake-mutate`: each operation's exact bytes, all others as they came.
@Suite struct HandshakeMutateTests {
    /// What stands in the head, and what stands there afterwards; an empty first text means before the empty line.
    typealias Row = (op: String, settings: [String: [String]], from: String, to: String)

    static let responses: [Row] = [
        ("no-accept", [:], "Sec-WebSocket-Accept: \(AcceptKey.compute(Sample.key))\r\n", ""),
        ("no-upgrade", [:], "Upgrade: websocket\r\n", ""),
        ("two-upgrades", [:], "Upgrade: websocket\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"),
        ("no-connection", [:], "Connection: Upgrade\r\n", ""),
        ("two-connections", [:], "Connection: Upgrade\r\n", "Connection: Upgrade\r\nConnection: Upgrade\r\n"),
        ("unoffered-subprotocol", ["subprotocol": ["soap"]], "", "Sec-WebSocket-Protocol: soap\r\n"),
        ("two-subprotocols", [:], "", "Sec-WebSocket-Protocol: miswire.unoffered, miswire.unoffered.2\r\n"),
        ("unoffered-extension", ["extension": ["x-a; b=1"]], "", "Sec-WebSocket-Extensions: x-a; b=1\r\n"),
        ("obs-fold", [:], "", "X-Miswire: folded\r\n behind a line end\r\n"),
        ("many-fields", ["fields": ["16"]], "", (1...16).map { "X-Miswire-\($0): \($0)\r\n" }.joined()),
        ("long-field", ["size": ["1KiB"]], "", "X-Miswire: \(String(repeating: "m", count: 1024))\r\n"),
    ]

    static let requests: [Row] = [
        ("no-upgrade", [:], "Upgrade: websocket\r\n", ""),
        ("two-upgrades", [:], "Upgrade: websocket\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"),
        ("no-connection", [:], "Connection: Upgrade\r\n", ""),
        ("two-connections", [:], "Connection: Upgrade\r\n", "Connection: Upgrade\r\nConnection: Upgrade\r\n"),
        ("version", [:], "Version: 13\r\n", "Version: 12\r\n"),
        ("version", ["version": ["13, 8"]], "Version: 13\r\n", "Version: 13, 8\r\n"),
        ("no-version", [:], "Sec-WebSocket-Version: 13\r\n", ""),
        ("obs-fold", [:], "", "X-Miswire: folded\r\n behind a line end\r\n"),
        ("many-fields", ["fields": ["16"]], "", (1...16).map { "X-Miswire-\($0): \($0)\r\n" }.joined()),
        ("long-field", ["size": ["1024B"]], "", "X-Miswire: \(String(repeating: "m", count: 1024))\r\n"),
        ("origin-null", [:], "", "Origin: null\r\n"),
        ("origin-foreign", [:], "", "Origin: https://miswire.example\r\n"),
        ("origin-suffix", [:], "", "Origin: https://chat.example.miswire.example\r\n"),
    ]

    private static func net(
        _ settings: [String: [String]], _ more: [String: [String]] = [:], seed: UInt64 = 7
    ) -> Net {
        Net(profile: Sample.profile(Sample.rule("handshake-mutate", settings.merging(more) { $1 })), seed: seed)
    }

    private static func changed(_ head: String, _ row: Row) -> String {
        row.from.isEmpty ? String(head.dropLast()) + row.to + "\r\n" : head.replacing(row.from, with: row.to)
    }

    private func check(_ net: inout Net, _ id: SessionID, _ row: Row) {
        #expect(net.faults(id).map(\.applied) == [true], "\(row.op)")
        // Frames behind go both ways as they came.
        let frames = [Sample.frame("a", masked: true), Sample.frame("b", masked: false)]
        net.client(id, frames[0])
        net.server(id, frames[1])
        #expect(net.takeServer(id) == frames[0])
        #expect(net.takeClient(id) == frames[1])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: 0..<11) func theResponse(row: Int) {
        let row = Self.responses[row]
        var net = Self.net(row.settings, ["op": [row.op], "in": ["response"]])
        let id = net.upgraded(1)
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        #expect(String(buffer: net.takeClient(id)) == Self.changed(Sample.response(), row))
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: false)])
        check(&net, id, row)
    }

    @Test(arguments: 0..<13) func theRequest(row: Int) {
        let row = Self.requests[row]
        var net = Self.net(row.settings, ["op": [row.op], "in": ["request"]])
        let id = net.upgraded(1)
        #expect(String(buffer: net.takeServer(id)) == Self.changed(Sample.request(), row))
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        check(&net, id, row)
    }

    @Test(arguments: [
        ("origin-absent", ""), ("origin-null", "Origin: null\r\n"), ("origin-foreign", "Origin: https://miswire.example\r\n"),
        ("origin-suffix", "Origin: https://app.example.miswire.example\r\n"),
    ])
    func anOriginThatIsThere(op: String, line: String) {
        var net = Net(profile: Sample.profile(Sample.rule("handshake-mutate", ["op": [op]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request(fields: "Origin: https://app.example\r\n"))
        #expect(String(buffer: net.takeServer(id)) == Sample.request(fields: line))
        #expect(net.conclude().differences == [])
    }

    @Test func wrongAcceptIsOneCharacterOff() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var net = Net(profile: Sample.profile(Sample.rule("handshake-mutate")), seed: seed)
            let id = net.upgraded(1)
            let got = Array(String(buffer: net.takeClient(id)).utf8)
            let sent = Array(Sample.response().utf8)
            #expect(got.count == sent.count)
            let places = got.indices.filter { got[$0] != sent[$0] }
            #expect(places.count == 1 && places.allSatisfy { $0 >= sent.count - 32 })
            #expect(String(buffer: net.takeServer(id)) == Sample.request())
        }
    }

    @Test func aBodyBehindThe101() {
        var net = Net(profile: Sample.profile(Sample.rule("handshake-mutate", ["op": ["body"], "body": ["hello"]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        let greeting = Sample.frame("greeting", masked: false)
        net.server(id, Sample.joined(ByteBuffer(string: Sample.response()), greeting))
        let head = String(Sample.response().dropLast()) + "Content-Length: 5\r\n\r\n"
        #expect(net.takeClient(id) == Sample.joined(ByteBuffer(string: head + "hello"), greeting))
        let raw = net.differences(.raw)
        let (entries, differences) = net.conclude()
        #expect(raw == [] && differences == [])
        let body = entries.compactMap { if case .bytes(let bytes) = $0.body { bytes } else { nil } }
        #expect(body.map(\.provenance.faults) == [["f1"]])
        #expect(body.map(\.wireSize) == [5])
    }

    /// The rungs of the ladder are what the seed says, and all come up.
    @Test func theLadder() {
        var counts: Set<Int> = []
        for seed in 1...60 as ClosedRange<UInt64> {
            var net = Self.net(["op": ["many-fields"], "fields": ["100"], "in": ["response"]], seed: seed)
            let id = net.upgraded(1)
            counts.insert(String(buffer: net.takeClient(id)).components("X-Miswire-"))
            #expect(net.conclude().differences == [])
        }
        #expect(counts == [16, 32, 64, 100])
    }

    @Test func aHeadInPiecesAndAboveOurOwnLimits() {
        var net = Self.net(["op": ["many-fields", "long-field"], "fields": ["4096"], "size": ["1MiB"]])
        let id = net.open(1)
        net.send(.connected, to: id)
        let request = Sample.request(user: "alice", fields: "Authorization: Bearer abcdefghijklmnop\r\n")
        for chunk in Sample.chunks(ByteBuffer(string: request), seed: 3) { net.client(id, chunk) }
        for chunk in Sample.chunks(ByteBuffer(string: Sample.response()), seed: 4) { net.server(id, chunk) }
        #expect(net.faults(id).map(\.applied) == [true, true])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    /// A fault that leaves the credential alone does not make it a bad one (oracle.md, A1).
    @Test func factsOfAnUntouchedCredentialNameNoFault() {
        for (op, isNamed) in [("origin-foreign", false), ("strip", true)] {
            let rule = op == "strip" ? Sample.rule("drop-auth") : Sample.rule("handshake-mutate", ["op": [op]])
            var net = Net(profile: Sample.profile(rule))
            let id = net.open(1)
            net.send(.connected, to: id)
            net.client(id, Sample.request(user: "alice", fields: "Authorization: Bearer abcdefghijklmnop\r\n"))
            let facts = net.conclude().entries.compactMap { if case .facts(let facts) = $0.body { facts } else { nil } }
            #expect(facts.map(\.tap) == [.clientIn, .serverOut])
            #expect(facts.last?.faults == (isNamed ? ["f1"] : []))
            #expect(facts.last?.state == (isNamed ? .absent : .unknown))
        }
    }

    @Test(arguments: [
        ["op": ["version"], "in": ["response"]], ["op": ["body"], "in": ["request"]], ["fields": ["15"]], ["fields": ["4097"]],
        ["size": ["2MiB"]], ["origin": ["a\r\nb: c"]], ["op": ["nonsense"]],
    ])
    func settingsThatMakeNoSense(settings: [String: [String]]) {
        let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
        #expect(throws: SettingsError.self) { try HandshakeMutate(Settings(values)) }
    }
}

extension String {
    /// How often that word stands in it.
    fileprivate func components(_ word: String) -> Int {
        indices.filter { self[$0...].hasPrefix(word) }.count
    }
}
