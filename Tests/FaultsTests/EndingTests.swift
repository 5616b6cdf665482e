import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Ends, back-pressure, and what the whole proxy asks of a session.
@Suite struct EndingTests {
    @Test func halfCloseGoesBothWays() {
        var net = Net()
        let id = net.upgraded(1)
        _ = net.commands(id)
        net.send(.ended(.client, .finish), to: id)
        #expect(net.commands(id) == ["finish server"])
        _ = net.takeClient(id)
        let late = Sample.frame("late", masked: false)
        net.server(id, late)
        #expect(net.takeClient(id) == late)
        net.send(.ended(.server, .finish), to: id)
        #expect(net.commands(id) == ["finish client"])
        #expect(net.ends(id).map(\.side) == [.client, .server])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: Side.allCases) func resetIsHandedOn(side: Side) {
        var net = Net()
        let id = net.upgraded(1)
        _ = net.commands(id)
        net.sessions[id]?.gone.insert(side)
        net.send(.ended(side, .reset), to: id)
        #expect(net.commands(id) == ["close \(side.other.rawValue) reset"])
        #expect(net.ends(id).map(\.style) == [.reset, .reset])
        #expect(net.conclude().differences == [])
    }

    /// The machine stood still while a hold ran out, and the sockets went in the meantime: behind their counts nothing leaves.
    @Test(arguments: ["upgrade-request", "upgrade-response"]) func whatFallsDueWithTheEndOfTheSocketsIsLost(stage: String) {
        let rule = Sample.rule("accept-delay", ["stage": [stage], "delay": ["20ms"]])
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1)
        let before = (net.takeServer(id), net.takeClient(id))
        #expect(before.0.readableBytes == 0 || before.1.readableBytes == 0)
        net.now = net.now.advanced(by: .seconds(1))
        net.sessions[id]?.gone = [.client, .server]
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        #expect(net.takeServer(id).readableBytes == 0 && net.takeClient(id).readableBytes == 0)
        #expect(entries.contains { if case .ended(let end) = $0.body { end.undelivered > 0 } else { false } })
    }

    /// A reset at any moment leaves a journal that explains everything (trust.md R12).
    @Test(arguments: Side.allCases) func resetsAtEveryMoment(side: Side) {
        let events = 12
        for stop in 0..<events {
            for profile in TransparencyTests.profiles {
                var net = Net(profile: profile)
                let id = net.open(1)
                let steps: [(inout Net) -> Void] = [
                    { $0.client(id, "GET /ws HT") },
                    { $0.send(.connected, to: id) },
                    { $0.client(id, String(Sample.request().dropFirst(10))) },
                    { $0.client(id, Sample.frame("part", fin: false, masked: true)) },
                    { $0.server(id, Sample.response()) },
                    { $0.server(id, Sample.frame("{}", masked: false)) },
                    { $0.client(id, Sample.frame("ping", opcode: .ping, masked: true)) },
                    { $0.client(id, ByteBuffer(bytes: [0x80, 0x84, 1, 2])) },
                    { $0.server(id, Sample.frame("half", fin: false, masked: false)) },
                    { $0.server(id, ByteBuffer(bytes: [0x81])) },
                    { $0.client(id, ByteBuffer(bytes: [3, 4, 5])) },
                    { $0.send(.undelivered(side.other, 3), to: id) },
                ]
                for step in steps.prefix(stop) { step(&net) }
                net.sessions[id]?.gone.insert(side)
                net.send(.ended(side, .reset), to: id)
                for step in steps.dropFirst(stop) { step(&net) }
                #expect(net.conclude().differences == [], "reset by the \(side) after \(stop) events")
            }
        }
    }

    @Test func backPressure() {
        var net = Net()
        let id = net.upgraded(1)
        _ = net.commands(id)
        net.send(.writable(.client, false), to: id)
        net.send(.writable(.client, false), to: id)
        net.send(.writable(.server, false), to: id)
        net.send(.writable(.client, true), to: id)
        #expect(net.commands(id) == ["reads server false", "reads client false", "reads server true"])
    }

    /// The journal says when a side is not read and when it is again, each once, whatever the reasons between.
    @Test func heldReadsAreTold() {
        var net = Net()
        let id = net.upgraded(1)
        _ = net.commands(id)
        net.send(.writable(.client, false), to: id)
        net.send(.recorder(isBehind: true), to: id)
        net.send(.recorder(isBehind: true), to: id)
        net.send(.writable(.client, true), to: id)
        net.send(.recorder(isBehind: false), to: id)
        net.send(.writable(.server, false), to: id)
        net.send(.writable(.server, true), to: id)
        #expect(
            net.holds(id) == [
                HoldRecord(side: .server, isHeld: true, cause: .full),
                HoldRecord(side: .client, isHeld: true, cause: .recorder),
                HoldRecord(side: .client, isHeld: false, cause: .recorder),
                HoldRecord(side: .server, isHeld: false, cause: .recorder),
                HoldRecord(side: .client, isHeld: true, cause: .full),
                HoldRecord(side: .client, isHeld: false, cause: .full),
            ])
        #expect(
            net.commands(id) == [
                "reads server false", "reads client false", "reads client true", "reads server true",
                "reads client false", "reads client true",
            ])
        #expect(net.conclude().differences == [])
    }

    /// What waits for the upstream is told too; nothing is once the session is over, and nothing where nobody judges.
    @Test func heldReadsOfAnOpeningAreTold() {
        var limits = Limits.standard
        limits.pendingHigh = 100
        limits.pendingLow = 50
        var net = Net(limits: limits)
        let id = net.open(1)
        net.client(id, Sample.request() + String(repeating: "x", count: 200))
        net.send(.connected, to: id)
        #expect(
            net.holds(id) == [
                HoldRecord(side: .client, isHeld: true, cause: .dialling),
                HoldRecord(side: .client, isHeld: false, cause: .dialling),
            ])
        var unjudged = Net(record: false)
        let other = unjudged.upgraded(1)
        unjudged.send(.writable(.client, false), to: other)
        #expect(unjudged.holds(other) == [])
    }

    /// A recorder that is behind before the upstream is there keeps its socket unread from the first moment.
    @Test func aHoldBeforeTheSocketHoldsForIt() {
        var net = Net()
        let id = net.open(1)
        net.client(id, Sample.request())
        net.send(.recorder(isBehind: true), to: id)
        _ = net.commands(id)
        net.send(.connected, to: id)
        #expect(net.commands(id) == ["reads server false"])
    }

    @Test func drainEndsOnlyWhatHasNotBegun() {
        var net = Net()
        let idle = net.open(1)
        let busy = net.upgraded(2)
        _ = net.commands(busy)
        net.send(.drain, to: idle)
        net.send(.drain, to: busy)
        #expect(net.commands(idle) == ["connect", "close client half", "close server reset"])
        #expect(net.commands(busy) == [])
        #expect(net.ends(idle).first?.by == .tool)
    }

    @Test func switchingFaultsOffReleasesWhatIsHeld() {
        var net = Net(profile: Sample.profile(Sample.rule("accept-delay", ["delay": ["10s"]])))
        let id = net.upgraded(1)
        #expect(net.takeClient(id).readableBytes == 0)
        net.send(.faultsOff, to: id)
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        #expect(net.conclude().differences == [])
    }

    @Test func switchingFaultsOffLetsUndecidedFramesGo() {
        var net = Net(profile: Sample.profile(Sample.rule("drop")))
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        let first = Sample.frame("a", fin: false, masked: true)
        net.client(id, first)
        #expect(net.takeServer(id).readableBytes == 0)
        net.send(.faultsOff, to: id)
        #expect(net.takeServer(id) == first)
        let rest = Sample.frame("b", opcode: .continuation, masked: true)
        net.client(id, rest)
        #expect(net.takeServer(id) == rest)
        #expect(net.faults(id).isEmpty)
        #expect(net.conclude().differences == [])
    }

    /// L4: what is too large to lift passes as it came, and says so.
    @Test func largeMessagesPassUnlifted() {
        var limits = Limits.standard
        limits.messageBytes = 1_000
        limits.messageFragments = 4
        let profile = Sample.profile(Sample.rule("drop"))
        let sizes = [(999, true), (1_000, true), (1_001, false)]
        for (size, isLifted) in sizes {
            var net = Net(profile: profile, limits: limits)
            let id = net.upgraded(1)
            _ = net.takeServer(id)
            let frame = Sample.frame(String(repeating: "x", count: size), masked: true)
            for chunk in Sample.chunks(frame, seed: 3) { net.client(id, chunk) }
            #expect(net.takeServer(id) == (isLifted ? ByteBuffer() : frame))
            #expect(net.limits(id).isEmpty == isLifted)
            #expect(net.conclude().differences == [])
        }
        var net = Net(profile: profile, limits: limits)
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        var frames = [Sample.frame("a", fin: false, masked: true)]
        for _ in 0..<5 { frames.append(Sample.frame("b", opcode: .continuation, fin: false, masked: true)) }
        frames.append(Sample.frame("c", opcode: .continuation, masked: true))
        for frame in frames { net.client(id, frame) }
        #expect(net.takeServer(id) == Sample.joined(frames))
        #expect(net.limits(id) == ["L4"])
        #expect(net.conclude().differences == [])
    }

    /// A message of empty fragments without end: no more of them wait than may, and all of them go on.
    @Test func emptyFragmentsAreNotHoarded() throws {
        var limits = Limits.standard
        limits.messageFragments = 500
        var net = Net(profile: Sample.profile(Sample.rule("drop")), limits: limits)
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        var sent = Sample.frame("a", fin: false, masked: true)
        net.client(id, sent)
        let empty = Sample.frame("", opcode: .continuation, fin: false, masked: true)
        for _ in 0..<5_000 {
            net.client(id, empty)
            sent.writeImmutableBuffer(empty)
            #expect(try #require(net.sessions[id]?.machine.toServer.work).pending.count <= 500)
        }
        #expect(net.takeServer(id) == sent)
        #expect(net.limits(id) == ["L4"])
        #expect(net.conclude().differences == [])
    }

    /// A frame of two bytes that waits costs two words, not the read of a socket that it came in (trust.md T20).
    @Test func whatWaitsKeepsNoReadAlive() {
        var waiting = WaitingFrames()
        for index in 0..<1_000 {
            var read = ByteBuffer()
            read.reserveCapacity(64 << 10)
            read.writeBytes([index == 500 ? 0x89 : 0x00, 0x00])
            waiting.append(read, arrived: Instant(nanoseconds: Int64(index)))
        }
        #expect(waiting.count == 1_000 && waiting.size == 2_000)
        #expect(waiting.frames.map(\.arrived.nanoseconds) == Array(0..<1_000))
        #expect(waiting.frames.filter(\.isAside).count == 1)
        #expect(waiting.message.readableBytes == 1_998)
        #expect(waiting.frames.dropFirst().allSatisfy { $0.wire.readableBytes == 2 && $0.wire.storageCapacity <= 64 << 10 })
        var outbox = Outbox()
        var read = ByteBuffer()
        read.reserveCapacity(64 << 10)
        read.writeBytes([0x00, 0x00])
        outbox.append(.bytes(read, .whole(.frame, arrived: .zero)), release: .zero)
        guard case .bytes(let kept, _)? = outbox.first?.item else { return #expect(Bool(false)) }
        #expect(kept.readableBytes == 2 && kept.storageCapacity < 100 && outbox.bytes > 2)
    }

    /// L10: more than may be held goes on early, in order.
    @Test func heldBytesAreBounded() {
        var limits = Limits.standard
        limits.heldBytes = 4_000
        var net = Net(profile: Sample.profile(Sample.rule("accept-delay", ["delay": ["10s"]])), limits: limits)
        let id = net.upgraded(1)
        let frames = (0..<10).map { Sample.frame("\($0)" + String(repeating: "y", count: 600), masked: false) }
        for frame in frames { net.server(id, frame) }
        #expect(net.limits(id).contains("L10"))
        #expect(net.takeClient(id).readableBytes > 0)
        net.pass(.seconds(11))
        let (_, differences) = net.conclude()
        #expect(differences == [])
    }
}
