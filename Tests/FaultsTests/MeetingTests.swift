import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What waits for other sessions: messages at a barrier, and upgrades of late users.
@Suite struct MeetingTests {
    private func barrier(
        _ settings: [String: [String]], users: [String], to side: Side = .server, limits: Limits = .standard
    ) -> (Net, [SessionID]) {
        let rule = Sample.rule("barrier", settings) {
            $0.to = side
            $0.message = .nth(2)
        }
        var net = Net(profile: Sample.profile(rule), limits: limits)
        let ids = users.enumerated().map { net.upgraded(UInt32($0.offset + 1), user: $0.element) }
        for id in ids { for direction in Direction.allCases { _ = net.take(id, direction) } }
        return (net, ids)
    }

    @Test func allGoWhenTheLastHasCome() {
        var (net, ids) = barrier(["users": ["3"]], users: ["a", "b", "c"])
        let first = Sample.frame("first", masked: true)
        let second = Sample.frame("second", masked: true)
        for id in ids { net.client(id, first) }
        for id in ids.dropLast() {
            net.client(id, second)
            #expect(net.takeServer(id) == first)
        }
        net.pass(.milliseconds(300))
        // What is behind it waits as well; the other direction does not.
        net.client(ids[0], first)
        net.server(ids[0], Sample.frame("event", masked: false))
        #expect(net.takeServer(ids[0]).readableBytes == 0 && net.takeClient(ids[0]).readableBytes > 0)
        net.client(ids[2], second)
        #expect(net.takeServer(ids[0]) == Sample.joined(second, first))
        #expect(net.takeServer(ids[1]) == second)
        #expect(net.takeServer(ids[2]) == Sample.joined(first, second))
        #expect(ids.map { net.faults($0).map(\.detail) } == [["held 300 ms: 3 users are there"], ["held 300 ms: 3 users are there"], ["held 0 ms: 3 users are there"]])
        #expect(net.faults(ids[0]).allSatisfy { $0.held >= .milliseconds(300) && $0.applied })
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    /// Only the frame that makes it a whole message waits.
    @Test func theLastFrameWaits() {
        var (net, ids) = barrier(["users": ["2"]], users: ["a", "b"])
        let parts = [
            Sample.frame("one ", fin: false, masked: true), Sample.frame("two ", opcode: .continuation, fin: false, masked: true),
            Sample.frame("three", opcode: .continuation, masked: true),
        ]
        for id in ids { net.client(id, Sample.frame("first", masked: true)) }
        for id in ids { _ = net.takeServer(id) }
        for part in parts { net.client(ids[0], part) }
        #expect(net.takeServer(ids[0]) == Sample.joined(parts[0], parts[1]))
        net.client(ids[1], Sample.frame("second", masked: true))
        #expect(net.takeServer(ids[0]) == parts[2])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func whoComesTooLateBeginsAnew() {
        var (net, ids) = barrier(["within": ["100ms"]], users: ["a", "b", "c"])
        let message = Sample.frame("x", masked: true)
        for id in ids.dropLast() { net.client(id, message) }
        net.client(ids[0], message)
        net.pass(.milliseconds(101))
        #expect(net.takeServer(ids[0]) == Sample.joined(message, message))
        #expect(net.faults(ids[0]).map(\.detail) == ["held 100 ms: nobody else came in time"])
        net.client(ids[1], message)
        #expect(net.takeServer(ids[1]) == message)
        net.client(ids[2], message)
        net.client(ids[2], message)
        #expect(net.takeServer(ids[1]) == message)
        #expect(net.faults(ids[1]).map(\.detail) == ["held 0 ms: 2 users are there"])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: ["users", "sessions"]) func aUserCountsOnceUnlessSessionsDo(of: String) {
        var (net, ids) = barrier(["of": [of]], users: ["a", "a", "b"])
        let message = Sample.frame("x", masked: true)
        for id in ids { net.client(id, message) }
        net.client(ids[0], message)
        net.client(ids[1], message)
        if of == "sessions" {
            #expect(net.faults(ids[1]).map(\.detail) == ["held 0 ms: 2 sessions are there"])
        } else {
            #expect(net.faults(ids[1]).map { ($0.applied ? "" : "not ") + $0.detail } == ["not a waits there already"])
            #expect(net.takeServer(ids[0]) == message)
            net.client(ids[2], message)
            #expect(net.takeServer(ids[0]) == message)
        }
        #expect(net.conclude().differences == [])
    }

    /// The session that left is not waited for.
    @Test func whoLeavesDoesNotCount() {
        var (net, ids) = barrier([:], users: ["a", "b", "c"])
        let message = Sample.frame("x", masked: true)
        for id in ids { net.client(id, message) }
        net.client(ids[0], message)
        net.send(.ended(.server, .reset), to: ids[0])
        net.client(ids[1], message)
        #expect(net.takeServer(ids[1]) == message)
        #expect(net.faults(ids[0]).map(\.detail) == ["held 0 ms: the connection ended"])
        #expect(net.conclude().differences == [])
    }

    @Test func moreThanMayBeHeldGoesOn() {
        var limits = Limits.standard
        limits.heldBytes = 4_000
        var (net, ids) = barrier([:], users: ["a", "b"], limits: limits)
        let message = Sample.frame("x", masked: true)
        net.client(ids[0], message)
        net.client(ids[0], message)
        let large = Sample.frame(String(repeating: "y", count: 5_000), masked: true)
        net.client(ids[0], large)
        #expect(net.takeServer(ids[0]) == Sample.joined(message, message, large))
        #expect(net.limits(ids[0]) == ["L10"])
        #expect(net.faults(ids[0]).map(\.detail) == ["held 0 ms: more than 4000 bytes held"])
        #expect(net.conclude().differences == [])
    }

    @Test func theKillSwitchLetsAllGo() {
        var (net, ids) = barrier([:], users: ["a", "b"])
        let message = Sample.frame("x", masked: true)
        net.client(ids[0], message)
        net.client(ids[0], message)
        net.send(.faultsOff, to: ids[0])
        #expect(net.takeServer(ids[0]) == Sample.joined(message, message))
        #expect(net.faults(ids[0]).map(\.detail) == ["held 0 ms: the fault was taken away"])
        #expect(net.conclude().differences == [])
    }

    // MARK: Late users

    private func late(_ settings: [String: [String]], contract: Contract? = nil) -> Net {
        Net(profile: Sample.profile(Sample.rule("late-user", settings) { $0.user = .init("bob") }), contract: contract)
    }

    private func ask(_ net: inout Net, _ number: UInt32, _ user: String) -> SessionID {
        let id = net.open(number)
        net.send(.connected, to: id)
        net.client(id, Sample.request(user: user))
        return id
    }

    @Test func anUpgradeWaitsForOtherUsers() {
        var net = late(["awaits": ["users"], "users": ["2"]])
        let bob = ask(&net, 1, "bob")
        #expect(net.takeServer(bob).readableBytes == 0)
        // Another connection of one and the same user is nobody else.
        for number in [2, 3] as [UInt32] { _ = net.upgraded(number, user: "alice") }
        #expect(net.takeServer(bob).readableBytes == 0)
        net.pass(.seconds(1))
        _ = net.upgraded(4, user: "carol")
        #expect(String(buffer: net.takeServer(bob)) == Sample.request(user: "bob"))
        #expect(net.faults(bob).map(\.detail) == ["held 1000 ms: 2 others are connected"])
        net.server(bob, Sample.response())
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func whoIsThereAlreadyIsNotWaitedFor() {
        var net = late(["awaits": ["users"], "stage": ["upgrade-response"]])
        _ = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        #expect(String(buffer: net.takeClient(bob)) == Sample.response())
        #expect(net.faults(bob).map(\.detail) == ["held 0 ms: 1 others are connected"])
        #expect(net.conclude().differences == [])
    }

    @Test func whoLeftIsNotThere() {
        var net = late(["awaits": ["users"], "most": ["2s"]])
        let alice = net.upgraded(1, user: "alice")
        net.send(.closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)), to: alice)
        net.sessions[alice] = nil
        let bob = ask(&net, 2, "bob")
        net.pass(.milliseconds(1_999))
        #expect(net.takeServer(bob).readableBytes == 0)
        net.pass(.milliseconds(2))
        #expect(String(buffer: net.takeServer(bob)) == Sample.request(user: "bob"))
        #expect(net.faults(bob).map(\.detail) == ["held 2000 ms: nobody else came in time"])
        #expect(net.conclude().differences == [])
    }

    /// Runs as the contract has them, of sessions that no rule concerns.
    @Test func anUpgradeWaitsForARunOfAnother() throws {
        var contract = Contract(name: "t")
        contract.wire.type = try Path("type")
        var request = MessageRule(name: "ask", match: nil, shape: nil, line: 0)
        request.starts = "run"
        contract.requests = [request]
        var net = late([:], contract: contract)
        let alice = net.upgraded(1, user: "alice")
        let bob = ask(&net, 2, "bob")
        net.client(alice, Sample.frame(#"{"type":"other"}"#, masked: true))
        #expect(net.takeServer(bob).readableBytes == 0)
        net.client(alice, Sample.frame(#"{"type":"ask"}"#, masked: true))
        #expect(String(buffer: net.takeServer(bob)) == Sample.request(user: "bob"))
        #expect(net.faults(bob).map(\.detail) == ["held 0 ms: a run of another user is open"])
        net.server(bob, Sample.response())
        #expect(net.conclude().differences == [])
    }
}
