import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Transport faults that toxiproxy does not have, several at once, beside message faults, and when none is there.
@Suite struct TransportShapingTests {
    typealias Toxics = TransportToxicTests

    @Test func halfCloseLeavesTheWayBackOpen() {
        var net = Toxics.net(Toxics.later("half-close", ["delay": "300ms"], to: .server))
        let id = Toxics.begun(&net)
        let up = Sample.frame("up", masked: true)
        net.client(id, up)
        net.pass(.milliseconds(310))
        #expect(net.commands(id) == ["finish server"])
        net.client(id, up)
        net.server(id, Toxics.frames[0])
        #expect(net.takeServer(id) == up)
        #expect(net.takeClient(id) == Toxics.frames[0])
        #expect(net.ends(id).map(\.by) == [.fault])
        #expect(Toxics.unexplained(net) == [])
        #expect(net.conclude().differences == [])
        #expect(net.ends(id).contains { $0.side == .server && $0.undelivered == UInt64(up.readableBytes) })
    }

    @Test func stalledReadsAreAHoldOfOneSide() {
        var net = Toxics.net(
            Toxics.later("stall-reads", ["time": "2s"], to: .client, id: "a"),
            Toxics.later("stall-reads", ["time": "3s"], to: .server, id: "b"))
        let id = Toxics.begun(&net)
        #expect(net.holds(id) == [
            HoldRecord(side: .client, isHeld: true, cause: .fault), HoldRecord(side: .server, isHeld: true, cause: .fault),
        ])
        net.pass(.milliseconds(1_950))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(100))
        #expect(net.commands(id) == ["reads server true"])
        net.pass(.seconds(1))
        #expect(net.commands(id) == ["reads client true"])
        #expect(Set(net.faults(id).map(\.held)) == [.seconds(2), .seconds(3)])
        #expect(Toxics.unexplained(net) == [])
    }

    @Test func aBlackholeTellsNobody() {
        var net = Toxics.net(Toxics.later("blackhole", to: .server))
        let id = Toxics.begun(&net)
        #expect(net.holds(id) == [HoldRecord(side: .client, isHeld: true, cause: .fault)])
        net.client(id, Sample.frame("lost", masked: true))
        net.send(.ended(.client, .finish), to: id)
        net.server(id, Toxics.frames[0])
        net.pass(.seconds(1000))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.takeClient(id) == Toxics.frames[0])
        #expect(net.commands(id) == [])
        #expect(net.faults(id).count == 1)
        #expect(Toxics.unexplained(net) == [])
    }

    /// What ends by itself lets the sender be read again, and where something was lost the connection ends.
    @Test(arguments: [true, false]) func aBlackholeEnds(hasSwallowed: Bool) {
        var rule = Toxics.later("blackhole", to: .server)
        rule.when.until = .time(.seconds(1))
        var net = Toxics.net(rule)
        let id = Toxics.begun(&net)
        let up = Sample.frame("up", masked: true)
        if hasSwallowed { net.client(id, up) }
        net.pass(.seconds(1))
        let commands = net.commands(id)
        #expect(commands.contains("close server half") == hasSwallowed)
        #expect(commands.contains("reads client true") || hasSwallowed)
        net.client(id, up)
        #expect(net.takeServer(id) == (hasSwallowed ? ByteBuffer() : up))
        #expect(Toxics.unexplained(net) == [])
    }

    @Test func chopSendsBytesOneByOne() {
        var net = Toxics.net(Toxics.later("chop"))
        let id = Toxics.begun(&net)
        net.sessions[id]?.writes = 0
        net.server(id, Sample.joined(Toxics.frames))
        #expect(net.takeClient(id) == Sample.joined(Toxics.frames))
        #expect(net.sessions[id]?.writes == 33)
        #expect(Toxics.unexplained(net) == [])
    }

    /// A megabyte is no list of a million writes at one instant.
    @Test func choppingTakesTurns() {
        var net = Toxics.net(Toxics.later("chop"))
        let id = Toxics.begun(&net)
        net.sessions[id]?.writes = 0
        let frame = Sample.frame(String(repeating: "x", count: 1 << 17), opcode: .binary, masked: false)
        net.server(id, frame)
        #expect(net.sessions[id]?.writes ?? 0 <= 1_024)
        #expect(net.commands(id) == ["reads server false"])
        net.pass(.seconds(1))
        #expect(net.takeClient(id) == frame)
        #expect(Toxics.unexplained(net) == [])
    }

    @Test func coalesceGathersForATimeOrASize() {
        var net = Toxics.net(Toxics.later("coalesce", ["time": "50ms", "size": "30B"]))
        let id = Toxics.begun(&net)
        net.sessions[id]?.writes = 0
        net.server(id, Toxics.frames[0])
        net.pass(.milliseconds(30))
        net.server(id, Toxics.frames[1])
        #expect(net.sessions[id]?.writes == 0)
        net.pass(.milliseconds(30))
        #expect(net.takeClient(id) == Sample.joined(Toxics.frames[0], Toxics.frames[1]))
        for frame in Toxics.frames { net.server(id, frame) }
        #expect(net.takeClient(id) == Sample.joined(Toxics.frames))
        #expect(net.sessions[id]?.writes == 2)
        net.server(id, Toxics.frames[0])
        net.send(.ended(.server, .finish), to: id)
        #expect(net.takeClient(id) == Toxics.frames[0])
        #expect(net.commands(id) == ["finish client"])
        #expect(Toxics.unexplained(net) == [])
    }

    @Test func downResetsAtOnce() {
        var net = Toxics.net(Sample.rule("down"))
        let id = net.open(1)
        #expect(net.commands(id) == ["close client reset", "close server half"])
        #expect(net.faults(id).map(\.kind) == ["down"])
        #expect(Toxics.unexplained(net) == [])
    }

    // MARK: Several

    /// What is counted before the line is late is counted when it comes, and what is counted behind it when it leaves.
    @Test(arguments: [true, false]) func rulesActInTheirOrder(limitFirst: Bool) {
        let limit = Toxics.later("limit_data", ["bytes": "15B"], id: "limit")
        let latency = Toxics.later("latency", ["latency": "100ms"], id: "latency")
        var net = limitFirst ? Toxics.net(limit, latency) : Toxics.net(latency, limit)
        let id = Toxics.begun(&net)
        for frame in Toxics.frames { net.server(id, frame) }
        let told = net.faults(id).map(\.id)
        #expect(told == (limitFirst ? ["latency", "limit"] : ["latency"]))
        net.pass(.milliseconds(99))
        #expect(net.commands(id) == [])
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(Toxics.unexplained(net) == [])
        net.pass(.milliseconds(2))
        #expect(net.takeClient(id) == Sample.joined(Toxics.frames).getSlice(at: 0, length: 15))
        #expect(net.commands(id) == ["close client half", "close server half"])
        #expect(net.faults(id).count == 2)
        #expect(Toxics.unexplained(net) == [])
    }

    static let lossless: [(kind: String, settings: [String: String])] = [
        ("latency", ["latency": "30ms", "jitter": "20ms"]), ("bandwidth", ["rate": "900KB/s"]), ("slow_close", [:]),
        ("slicer", ["average_size": "700B", "size_variation": "300B", "delay": "20us"]), ("chop", ["delay": "1us"]),
        ("coalesce", ["time": "7ms", "size": "3KiB"]), ("stall-reads", ["time": "10ms"]),
    ]

    /// Any two of them, one to each side or both to one: the very bytes come out, in order, and the end behind them.
    @Test(arguments: 0..<7, 0..<7) func bytesAreTheSame(first: Int, second: Int) {
        for sameSide in [true, false] {
            let (one, two) = (Self.lossless[first], Self.lossless[second])
            var net = Toxics.net(
                Toxics.later(one.kind, one.settings, to: .client, id: "a"),
                Toxics.later(two.kind, two.settings, to: sameSide ? .client : .server, id: "b"))
            let id = Toxics.begun(&net)
            let seed = UInt64(first * 7 + second + 1)
            let up = Sample.traffic(masked: true, seed: seed).getSlice(at: 0, length: 9_000) ?? ByteBuffer()
            let down = Sample.traffic(masked: false, seed: seed + 50).getSlice(at: 0, length: 9_000) ?? ByteBuffer()
            for chunk in Sample.chunks(up, seed: seed) {
                net.client(id, chunk)
                net.pass(.milliseconds(1))
            }
            for chunk in Sample.chunks(down, seed: seed) {
                net.server(id, chunk)
                net.pass(.milliseconds(1))
            }
            #expect(Toxics.unexplained(net) == [])
            net.send(.ended(.client, .finish), to: id)
            net.send(.ended(.server, .finish), to: id)
            #expect(net.sessions[id]?.commands.contains("finish client") == false || net.sessions[id]?.toClient == down)
            for _ in 0..<40 { net.pass(.milliseconds(100)) }
            #expect(net.takeServer(id) == up)
            #expect(net.takeClient(id) == down)
            #expect(net.commands(id).filter { $0.hasPrefix("finish") }.sorted() == ["finish client", "finish server"])
            #expect(Toxics.unexplained(net) == [])
        }
    }

    @Test(arguments: lossless.indices) func messageFaultsActBeforeThem(row: Int) {
        let (kind, settings) = Self.lossless[row]
        var drop = Sample.rule("drop", id: "d") { $0.message = .every(3) }
        drop.when.to = .client
        var mutate = Sample.rule("json-mutate", ["op": ["extra"]], id: "m") { $0.message = .every(2) }
        mutate.when.to = .client
        var net = Toxics.net(Toxics.later(kind, settings), drop, mutate)
        let id = Toxics.begun(&net)
        for number in 1...8 { net.server(id, Sample.frame("{\"n\":\(number)}", masked: false)) }
        #expect(Toxics.unexplained(net) == [])
        for _ in 0..<20 { net.pass(.milliseconds(100)) }
        let got = Sample.messages(net.takeClient(id), .toClient)
        #expect(got.filter { !$0.contains("unexpected") } == [1, 5, 7].map { "{\"n\":\($0)}" })
        #expect(got.count == 6)
        #expect(Toxics.unexplained(net) == [])
    }

    @Test func aCutComesBehindWhatIsUnderWay() {
        let cut = Sample.rule("cut", id: "c") {
            $0.message = .nth(2)
            $0.to = .client
        }
        var net = Toxics.net(Toxics.later("latency"), cut)
        let id = Toxics.begun(&net)
        for frame in Toxics.frames { net.server(id, frame) }
        net.pass(.milliseconds(90))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(20))
        #expect(net.takeClient(id) == Sample.joined(Toxics.frames[0], Toxics.frames[1]))
        #expect(net.commands(id) == ["close client reset", "close server reset"])
        #expect(Toxics.unexplained(net) == [])
    }

    // MARK: Who and when

    @Test func aShareOfTheConnectionsIsTheSameEachTime() {
        func shaped() -> [Bool] {
            var net = Toxics.net(
                Sample.rule("latency") {
                    $0.to = .client
                    $0.connection = .share(0.5)
                })
            return (1...200).map { number in
                let id = net.upgraded(UInt32(number), user: "user")
                return net.takeClient(id).readableBytes == 0
            }
        }
        let first = shaped()
        #expect((60...140).contains(first.count { $0 }))
        #expect(shaped() == first)
    }

    @Test func itIsForItsUserAndPath() {
        var net = Toxics.net(
            Sample.rule("latency") {
                $0.user = Glob("alice")
                $0.path = Glob("/ws")
            })
        let alice = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        #expect(net.takeClient(alice).readableBytes == 0 && net.takeServer(alice).readableBytes == 0)
        #expect(net.takeClient(bob).readableBytes > 0 && net.takeServer(bob).readableBytes > 0)
    }

    /// What asks for a message can hold for no bytes; a profile with it is refused before.
    @Test func itKnowsNoMessages() {
        let conditions: [(inout Trigger) -> Void] = [
            { $0.message = .nth(1) }, { $0.opcode = .text }, { $0.match = Sample.pattern("a", "b") }, { $0.duringRun = true },
            { $0.after = .messages(0) }, { $0.until = .messages(9) },
        ]
        for condition in conditions {
            var net = Toxics.net(Sample.rule("latency", [:], condition))
            let id = net.upgraded(1)
            #expect(net.takeClient(id).readableBytes > 0)
            #expect(net.faults(id) == [])
        }
    }

    /// Opaque connections have bytes too.
    @Test func bytesThatAreNoFramesAreShaped() {
        var net = Toxics.net(Sample.rule("latency"))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(net.takeServer(id).readableBytes == 0)
        net.pass(.milliseconds(110))
        #expect(String(buffer: net.takeServer(id)) == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(Toxics.unexplained(net) == [])
    }

    // MARK: Lanes

    private func isFast(_ net: Net, _ id: SessionID, from side: Side) -> Bool {
        var machine = net.sessions[id]?.machine
        return machine?.keepsNothing(from: side) == true
    }

    @Test func whereNoneActsTheFastLaneStays() {
        var rule = Toxics.later("latency", ["latency": "50ms"])
        rule.when.until = .time(.milliseconds(500))
        var net = Toxics.net(rule)
        let id = net.upgraded(1)
        #expect(isFast(net, id, from: .server) && isFast(net, id, from: .client))
        net.pass(.milliseconds(20))
        #expect(!isFast(net, id, from: .server) && isFast(net, id, from: .client))
        net.server(id, Toxics.frames[0])
        net.pass(.milliseconds(600))
        net.server(id, Toxics.frames[1])
        #expect(isFast(net, id, from: .server))
        #expect(net.takeClient(id).readableBytes == Sample.response().utf8.count + 22)
        #expect(Toxics.unexplained(net) == [])
        var other = Toxics.net(Sample.rule("latency") { $0.connection = .nth(9) })
        let otherID = other.upgraded(1)
        #expect(isFast(other, otherID, from: .server) && isFast(other, otherID, from: .client))
    }

    /// It begins in the middle of a frame, and ends in the middle of another one.
    @Test(arguments: lossless.indices) func itMayBeginAndEndAnywhere(row: Int) {
        let (kind, settings) = Self.lossless[row]
        let long = Sample.frame(String(repeating: "x", count: 300), masked: false)
        for cut in [1, 2, 3, 4, 5, 100, 303] {
            var rule = Toxics.later(kind, settings)
            rule.when.until = .time(.milliseconds(60))
            var net = Toxics.net(rule)
            let id = net.upgraded(1)
            _ = net.takeClient(id)
            var rest = Sample.joined(Toxics.frames[0], long, long, Toxics.frames[1], long)
            let all = rest
            net.server(id, rest.readSlice(length: 11 + cut) ?? ByteBuffer())
            net.pass(.milliseconds(20))
            net.server(id, rest.readSlice(length: 304 + 20) ?? ByteBuffer())
            #expect(Toxics.unexplained(net) == [], "\(cut)")
            net.pass(.milliseconds(60))
            net.server(id, rest)
            net.pass(.milliseconds(60))
            #expect(net.takeClient(id) == all)
            #expect(Toxics.unexplained(net) == [], "\(cut)")
        }
    }

    /// More than trust.md allows to be held: the oldest arrive early, and the source does not wait.
    @Test func whatIsHeldIsBounded() {
        var limits = Limits.standard
        limits.heldBytes = 40_000
        var net = Toxics.net(Toxics.later("latency", ["latency": "10s"]), limits: limits)
        let id = Toxics.begun(&net)
        let frame = Sample.frame(String(repeating: "x", count: 9_996), opcode: .binary, masked: false)
        for _ in 0..<3 { net.server(id, frame) }
        #expect(net.commands(id) == [])
        net.pass(.seconds(1))
        net.server(id, frame)
        #expect(net.commands(id) == [])
        #expect(net.limits(id) == ["L10"])
        #expect(net.takeClient(id) == frame)
        net.pass(.seconds(11))
        #expect(net.takeClient(id).readableBytes == 3 * frame.readableBytes)
        #expect(Toxics.unexplained(net) == [])
    }
}
