import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// The seven toxics of toxiproxy (toxiproxy-api.md section 6), observed at the far side in virtual time.
@Suite struct TransportToxicTests {
    static func net(_ rules: FaultRule..., seed: UInt64 = 7, limits: Limits = .standard) -> Net {
        var profile = Sample.profile()
        profile.faults = rules
        return Net(profile: profile, seed: seed, limits: limits)
    }

    /// The session begins untouched; the rule acts from 10 ms on.
    static func later(_ kind: String, _ settings: [String: String] = [:], to side: Side? = .client, id: String = "f1") -> FaultRule {
        Sample.rule(kind, settings.mapValues { [$0] }, id: id) {
            $0.to = side
            $0.after = .time(.milliseconds(10))
        }
    }

    static func begun(_ net: inout Net, extensions: String? = nil) -> SessionID {
        let id = net.upgraded(1, user: "alice", extensions: extensions)
        net.pass(.milliseconds(20))
        _ = net.takeServer(id)
        _ = net.takeClient(id)
        _ = net.commands(id)
        return id
    }

    static func unexplained(_ net: Net) -> [String] {
        var net = net
        return net.differences(.raw) + net.conclude().differences
    }

    static let frames = (0..<3).map { Sample.frame("message \($0)", masked: false) }

    // MARK: latency

    @Test(arguments: [Side.client, .server]) func latencyIsTheSameForEverythingFromTheFirstByteOn(to side: Side) {
        var net = Self.net(Sample.rule("latency", ["latency": ["100ms"]]) { $0.to = side })
        let id = net.upgraded(1)
        func far(_ net: inout Net) -> ByteBuffer { side == .client ? net.takeClient(id) : net.takeServer(id) }
        func near(_ net: inout Net) -> ByteBuffer { side == .client ? net.takeServer(id) : net.takeClient(id) }
        let (before, other) = (far(&net), near(&net))
        #expect(before.readableBytes == 0)
        #expect(other.readableBytes > 0)
        net.pass(.milliseconds(99))
        let early = far(&net)
        #expect(early.readableBytes == 0)
        net.pass(.milliseconds(2))
        let head = far(&net)
        #expect(String(buffer: head) == (side == .client ? Sample.response() : Sample.request()))
        let frames = (0..<3).map { Sample.frame("message \($0)", masked: side == .server) }
        for frame in frames {
            if side == .client { net.server(id, frame) } else { net.client(id, frame) }
            net.pass(.milliseconds(40))
        }
        let first = far(&net)
        #expect(first == frames[0])
        net.pass(.milliseconds(80))
        let rest = far(&net)
        #expect(rest == Sample.joined(frames[1], frames[2]))
        #expect(net.faults(id).map(\.detail) == ["100 ms later"])
        #expect(net.faults(id).map(\.held) == [.milliseconds(100)])
        #expect(net.faults(id).map(\.tap) == [side == .client ? .clientOut : .serverOut])
        #expect(Self.unexplained(net) == [])
    }

    @Test func anEndWaitsForTheBytesBeforeIt() {
        var net = Self.net(Self.later("latency"))
        let id = Self.begun(&net)
        net.server(id, Self.frames[0])
        net.send(.ended(.server, .finish), to: id)
        net.pass(.milliseconds(99))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(2))
        #expect(net.takeClient(id) == Self.frames[0])
        #expect(net.commands(id) == ["finish client"])
        #expect(Self.unexplained(net) == [])
    }

    /// When a frame leaves is drawn from the seed alone, not from how its bytes came.
    @Test func jitterIsDrawnFromTheSeed() {
        func departures(seed: UInt64, inPieces: Bool) -> [Int64] {
            var net = Self.net(Self.later("latency", ["latency": "100ms", "jitter": "90ms"]), seed: seed)
            let id = Self.begun(&net)
            let begin = net.now
            for frame in (0..<8).map({ Sample.frame("message \($0)", masked: false) }) {
                if !inPieces { net.server(id, frame) } else {
                    for byte in frame.readableBytesView { net.server(id, ByteBuffer(bytes: [byte])) }
                }
            }
            net.pass(.seconds(1))
            #expect(Sample.messages(net.takeClient(id), .toClient) == (0..<8).map { "message \($0)" })
            #expect(Self.unexplained(net) == [])
            return net.sessions[id]?.entries.compactMap { entry in
                guard case .piece(.toClient, .frame, _, in: nil, out: let out?, _) = entry.body else { return nil }
                return begin.duration(to: out).nanoseconds / 1_000_000
            } ?? []
        }
        let first = departures(seed: 3, inPieces: false)
        #expect(first.count == 8 && Set(first).count > 1)
        #expect(first == first.sorted() && (first.last ?? 0) <= 191)
        #expect(departures(seed: 3, inPieces: false) == first)
        #expect(departures(seed: 3, inPieces: true) == first)
        #expect(departures(seed: 4, inPieces: false) != first)
    }

    // MARK: bandwidth

    @Test func bandwidthLetsATenthOfASecondThroughAtATime() {
        var net = Self.net(Self.later("bandwidth", ["rate": "1KB/s"]))
        let id = Self.begun(&net)
        let frame = Sample.frame(String(repeating: "x", count: 496), masked: false)
        net.server(id, frame)
        net.pass(.milliseconds(250))
        #expect(net.sessions[id]?.toClient.readableBytes == 200)
        net.pass(.milliseconds(200))
        #expect(net.sessions[id]?.toClient.readableBytes == 400)
        net.send(.ended(.server, .finish), to: id)
        net.pass(.milliseconds(45))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(10))
        #expect(net.takeClient(id) == frame)
        #expect(net.commands(id) == ["finish client"])
        #expect(Self.unexplained(net) == [])
    }

    @Test func noBandwidthStallsAndClosesNothing() {
        var net = Self.net(Self.later("bandwidth", ["rate": "0"]))
        let id = Self.begun(&net)
        for _ in 0..<9 { net.server(id, Sample.frame(String(repeating: "x", count: 8_192), opcode: .binary, masked: false)) }
        net.send(.ended(.server, .finish), to: id)
        net.pass(.seconds(1000))
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == ["reads server false"])
        net.client(id, Sample.frame("up", masked: true))
        #expect(Sample.messages(net.takeServer(id), .toServer) == ["up"])
        #expect(Self.unexplained(net) == [])
        net.send(.faultsOff, to: id)
        #expect(net.takeClient(id).readableBytes == 9 * 8_196)
        #expect(net.commands(id) == ["reads server true", "finish client"])
        #expect(Self.unexplained(net) == [])
    }

    // MARK: slow_close

    @Test func slowCloseHoldsTheEndOnly() {
        var net = Self.net(Self.later("slow_close", ["delay": "500ms"]))
        let id = Self.begun(&net)
        net.server(id, Self.frames[0])
        #expect(net.takeClient(id) == Self.frames[0])
        #expect(net.faults(id) == [])
        net.send(.ended(.server, .finish), to: id)
        net.pass(.milliseconds(499))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(2))
        #expect(net.commands(id) == ["finish client"])
        #expect(net.faults(id).map(\.detail) == ["the end 500 ms later"])
        #expect(Self.unexplained(net) == [])
    }

    // MARK: timeout

    @Test func timeoutThrowsAwayAndClosesAfterASilence() {
        var net = Self.net(Self.later("timeout", ["timeout": "300ms"]))
        let id = Self.begun(&net)
        for _ in 0..<4 {
            net.server(id, Self.frames[0])
            net.pass(.milliseconds(200))
        }
        #expect(net.commands(id) == [])
        net.client(id, Sample.frame("up", masked: true))
        #expect(Sample.messages(net.takeServer(id), .toServer) == ["up"])
        net.pass(.milliseconds(110))
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == ["close client half", "close server half"])
        let lost = UInt64(4 * Self.frames[0].readableBytes)
        #expect(net.ends(id).first == EndRecord(side: .client, style: .finish, by: .fault, cause: "f1", undelivered: lost))
        #expect(net.faults(id).count == 1)
        #expect(Self.unexplained(net) == [])
    }

    @Test func withoutATimeTheConnectionStays() {
        var net = Self.net(Self.later("timeout"))
        let id = Self.begun(&net)
        net.server(id, Self.frames[0])
        net.send(.ended(.server, .finish), to: id)
        net.pass(.seconds(1000))
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == [])
        #expect(Self.unexplained(net) == [])
        net.send(.faultsOff, to: id)
        #expect(net.commands(id) == ["close client half", "close server half"])
        #expect(Self.unexplained(net) == [])
    }

    /// toxiproxy's `Cleanup`: taken away it closes, also where nothing came that it could throw away.
    @Test func takenAwayItClosesTheConnection() {
        var net = Self.net(Self.later("timeout"))
        let id = Self.begun(&net)
        net.pass(.seconds(10))
        #expect(net.commands(id) == [])
        net.send(.faultsOff, to: id)
        #expect(net.commands(id) == ["close client half", "close server half"])
        #expect(net.ends(id).first?.cause == "f1")
        #expect(Self.unexplained(net) == [])
    }

    @Test func takenAwayBeforeItBeganItClosesNothing() {
        var net = Self.net(Self.later("timeout"))
        let id = net.upgraded(1, user: "alice")
        _ = net.commands(id)
        net.send(.faultsOff, to: id)
        net.server(id, Self.frames[0])
        net.pass(.seconds(1))
        #expect(net.commands(id) == [])
        #expect(Self.unexplained(net) == [])
    }

    // MARK: reset_peer

    @Test func resetPeerWaitsForDataAndThenItsTime() {
        var net = Self.net(Self.later("reset_peer", ["timeout": "200ms"]))
        let id = Self.begun(&net)
        net.pass(.seconds(5))
        #expect(net.commands(id) == [])
        #expect(net.faults(id) == [])
        net.server(id, Self.frames[0])
        net.pass(.milliseconds(199))
        net.server(id, Self.frames[1])
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(2))
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == ["close client reset", "close server reset"])
        #expect(net.ends(id).map(\.by) == [.fault, .fault])
        #expect(Self.unexplained(net) == [])
    }

    @Test func resetPeerActsOnTheHandshakeToo() {
        var net = Self.net(Sample.rule("reset_peer") { $0.to = .server })
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        net.pass(.milliseconds(1))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.commands(id) == ["connect", "close client reset", "close server reset"])
        #expect(Self.unexplained(net) == [])
    }

    // MARK: slicer

    @Test func slicerSendsPiecesOneByOne() {
        var net = Self.net(Self.later("slicer", ["average_size": "100B", "size_variation": "20B", "delay": "5ms"]))
        let id = Self.begun(&net)
        net.sessions[id]?.writes = 0
        let frame = Sample.frame(String(repeating: "x", count: 1_000), masked: false)
        net.server(id, frame)
        var sizes: [Int] = []
        var before = 0
        while before < frame.readableBytes, sizes.count < 100 {
            let size = net.sessions[id]?.toClient.readableBytes ?? 0
            sizes.append(size - before)
            before = size
            net.pass(.milliseconds(5))
        }
        #expect(net.takeClient(id) == frame)
        #expect(sizes.count == net.sessions[id]?.writes)
        #expect(sizes.count >= 8 && sizes.allSatisfy { $0 > 0 && $0 <= 120 })
        #expect(Set(sizes).count > 1)
        #expect(Self.unexplained(net) == [])
    }

    @Test func slicesWithoutADelayAreWritesOfTheirOwn() {
        var net = Self.net(Self.later("slicer", ["average_size": "10B"]))
        let id = Self.begun(&net)
        net.sessions[id]?.writes = 0
        let frame = Sample.frame(String(repeating: "x", count: 20_000), masked: false)
        net.server(id, frame)
        net.pass(.milliseconds(1))
        #expect(net.takeClient(id) == frame)
        #expect(net.sessions[id]?.writes ?? 0 >= 2_000)
        #expect(Self.unexplained(net) == [])
    }

    @Test(arguments: [["average_size": ["0"]], ["size_variation": ["64"]], ["average_size": ["8"], "size_variation": ["9"]]])
    func sizesThatCannotBeAreRefused(_ settings: [String: [String]]) {
        #expect(throws: SettingsError.self) {
            _ = try Slicer(Settings(settings.map { (name: $0.key, values: $0.value) }))
        }
    }

    // MARK: limit_data

    @Test(arguments: [0, 5, 11, 12, 33]) func limitDataLetsSoManyThrough(bytes: Int) {
        var net = Self.net(Self.later("limit_data", ["bytes": "\(bytes)"]))
        let id = Self.begun(&net)
        for frame in Self.frames { net.server(id, frame) }
        let all = Sample.joined(Self.frames)
        #expect(all.readableBytes == 33)
        #expect(net.takeClient(id) == all.getSlice(at: 0, length: min(bytes, 33)))
        #expect(net.commands(id) == ["close client half", "close server half"])
        #expect(net.faults(id).map(\.detail) == ["closed after \(bytes) bytes"])
        #expect(net.ends(id).first?.by == .fault)
        #expect(Self.unexplained(net) == [])
    }

    @Test func limitDataCountsTheHead() {
        var net = Self.net(Sample.rule("limit_data", ["bytes": ["10B"]]) { $0.to = .client })
        let id = net.upgraded(1)
        #expect(String(buffer: net.takeClient(id)) == "HTTP/1.1 1")
        #expect(net.commands(id) == ["connect", "close client half", "close server half"])
        #expect(Self.unexplained(net) == [])
    }
}
