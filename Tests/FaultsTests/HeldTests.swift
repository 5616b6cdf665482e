import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What faults hold is bounded, in one session and in all (trust.md L10), and what waits for a place that never comes did
/// not act.
@Suite struct HeldTests {
    @Test func allSessionsTogetherAreBounded() {
        var limits = Limits.standard
        limits.heldBytesTotal = 10_000
        var net = Net(profile: Sample.profile(Sample.rule("delay", ["delay": ["10s"]]) { $0.to = .server }), limits: limits)
        let ids = (1...4).map { net.upgraded(UInt32($0), user: "user\($0)") }
        for id in ids { _ = net.takeServer(id) }
        let message = Sample.frame(String(repeating: "x", count: 2_800), masked: true)
        for id in ids.prefix(3) { net.client(id, message) }
        #expect(ids.prefix(3).allSatisfy { net.takeServer($0).readableBytes == 0 })
        // The fourth has no room: its own oldest go on early.
        net.client(ids[3], message)
        #expect(net.takeServer(ids[3]) == message)
        #expect(net.limits(ids[3]) == ["L10"])
        // Another's end makes room again.
        net.send(.ended(.server, .reset), to: ids[0])
        net.client(ids[3], message)
        #expect(net.takeServer(ids[3]).readableBytes == 0)
        net.pass(.seconds(11))
        #expect(ids.dropFirst().allSatisfy { net.takeServer($0) == message })
        #expect(net.configuration.held.now == 0)
        #expect(net.conclude().differences == [])
    }

    /// A long line keeps nobody waiting: what it took first arrives early, and an entry says so.
    @Test(arguments: ["latency", "coalesce"]) func aLongLineLetsTheOldestGo(kind: String) {
        var limits = Limits.standard
        limits.heldBytes = 20_000
        let settings = kind == "latency" ? ["latency": ["10s"]] : ["time": ["10s"], "size": ["1MiB"]]
        var net = Net(profile: Sample.profile(Sample.rule(kind, settings) { $0.to = .client; $0.after = .time(.milliseconds(1)) }), limits: limits)
        let id = net.upgraded(1, user: "alice")
        _ = net.takeClient(id)
        net.pass(.milliseconds(2))
        let frames = (0..<6).map { Sample.frame(String(repeating: "\($0)", count: 5_000), masked: false) }
        for frame in frames { net.server(id, frame) }
        let early = net.takeClient(id)
        var all = Sample.joined(frames)
        #expect(early.readableBytes >= 5_000 && all.readSlice(length: early.readableBytes) == early)
        #expect(net.limits(id).contains("L10"))
        #expect(!net.commands(id).contains("reads server false"))
        net.pass(.seconds(11))
        #expect(net.takeClient(id) == all)
        #expect(net.conclude().differences == [])
    }

    @Test func whatFindsNoPlaceDidNotAct() {
        let rule = Sample.rule("inject", ["payload": ["ours"], "side": ["client"]]) {
            $0.to = .server
            $0.message = .nth(1)
        }
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1, user: "alice")
        _ = net.takeClient(id)
        let begun = Sample.frame("begun", fin: false, masked: false)
        net.server(id, begun)
        net.client(id, Sample.frame("go", masked: true))
        #expect(net.faults(id) == [])
        net.send(.ended(.server, .reset), to: id)
        #expect(net.takeClient(id) == begun)
        #expect(net.conclude().differences == [])
        #expect(net.faults(id).map(\.applied) == [false])
        #expect(net.faults(id).map(\.detail) == ["4 bytes of ours to client: no place between two messages came"])
    }

    @Test func aCrossingThatFindsNoPlaceIsToldWhereItWentMissing() {
        let rule = Sample.rule("cross-streams", ["mode": ["leak"]]) {
            $0.to = .client
            $0.user = .init("alice")
        }
        var net = Net(profile: Sample.profile(rule))
        let alice = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        net.server(bob, Sample.frame("begun", fin: false, masked: false))
        net.server(alice, Sample.frame("hers", masked: false))
        net.send(.ended(.server, .reset), to: bob)
        #expect(net.conclude().differences == [])
        #expect(net.faults(bob).map(\.detail) == ["a message of alice: no place between two messages came"])
        #expect(net.faults(bob).map(\.applied) == [false] && net.faults(bob).map(\.partner) == ["alice"])
    }

    @Test func aLeakIsACopy() {
        let rule = Sample.rule("cross-streams", ["mode": ["leak"]]) {
            $0.to = .client
            $0.user = .init("alice")
        }
        var net = Net(profile: Sample.profile(rule))
        let alice = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        for id in [alice, bob] { _ = net.takeClient(id) }
        let frame = Sample.frame("hers", masked: false)
        net.server(alice, frame)
        #expect(net.takeClient(alice) == frame && net.takeClient(bob) == frame)
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [0, 1, 131_071, 131_072, 131_073, 393_216, 5_000_001]) func aBombIsZerosToTheByte(size: Int) throws {
        let fault = try #require(try FaultRegistry.make("deflate", Settings([("how", ["bomb"]), ("size", ["\(max(1, size))B"])])))
        var message = Message(
            direction: .toClient, opcode: .text, payload: ByteBuffer(string: "x"), ordinal: 1,
            entry: EntryRef(session: SessionID(1), ordinal: 1))
        message.isCompressed = true
        var dice = Dice(DiceKey(seed: 1, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "")
        var copy = fault
        let scene = Scene(session: SessionID(1), user: nil, path: "", now: .zero, accepted: true)
        guard case .effects(let effects, _) = copy.act(on: .message(message), in: scene, dice: &dice),
            case .frames(let frames, _, _)? = effects.first, let frame = Flow.frames(frames[0]).first
        else { return #expect(Bool(false), "it did not act") }
        let plain = try DeflateParameters().inflater(.toClient).inflate(frame.payload)
        #expect(plain.readableBytes == max(1, size) && plain.readableBytesView.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [0, 1, 7, 1_000_000, .max] as [Int64]) func spreadsStayWithinTheirBounds(width: Int64) {
        var dice = Dice(DiceKey(seed: 3, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "spread")
        for middle in [0, 5, 1_000, .max] as [Int64] {
            for _ in 0..<200 {
                let drawn = dice.around(.nanoseconds(middle), by: .nanoseconds(width)).nanoseconds
                let low = middle.subtractingReportingOverflow(width)
                let high = middle.addingReportingOverflow(width)
                #expect(drawn >= (low.overflow ? 0 : max(0, low.partialValue)) && drawn <= (high.overflow ? .max : high.partialValue))
            }
        }
    }
}
