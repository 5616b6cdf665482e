import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Cuts of everybody at once, again and again.
@Suite struct StormTests {
    private func net(_ settings: [String: [String]], users: Int = 3, _ change: (inout Trigger) -> Void = { _ in }) -> (Net, [SessionID]) {
        let rule = Sample.rule("reconnect-storm", settings) {
            $0.to = .server
            $0.match = Sample.pattern("go", "now")
            change(&$0)
        }
        var net = Net(profile: Sample.profile(rule))
        let ids = (1...users).map { net.upgraded(UInt32($0), user: "user\($0)") }
        for id in ids {
            _ = net.takeServer(id)
            _ = net.takeClient(id)
            _ = net.commands(id)
        }
        return (net, ids)
    }

    private let go = Sample.frame(#"{"go":"now"}"#, masked: true)

    @Test func oneMessageCutsAll() {
        var (net, ids) = net(["times": ["1"]])
        net.client(ids[1], go)
        // It goes before all is cut.
        #expect(net.takeServer(ids[1]) == go)
        for id in ids {
            #expect(net.commands(id) == ["close client reset", "close server reset"], "\(id)")
            #expect(net.faults(id).last?.detail == "reset, 1 of 1")
            #expect(net.ends(id).map(\.by) == [.fault, .fault])
        }
        #expect(net.faults(ids[1]).first?.detail == "begins a storm: 1 cuts, 500 ms apart")
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func whoComesMeanwhileIsCutAtTheNext() {
        var (net, ids) = net(["times": ["3"], "every": ["100ms"]], users: 1)
        net.client(ids[0], go)
        net.pass(.milliseconds(40))
        let second = net.upgraded(2, user: "user1")
        _ = net.commands(second)
        net.pass(.milliseconds(50))
        #expect(net.commands(second) == [])
        net.pass(.milliseconds(11))
        #expect(net.commands(second) == ["close client reset", "close server reset"])
        #expect(net.faults(second).map(\.detail) == ["reset, 2 of 3"])
        let third = net.upgraded(3, user: "user1")
        net.pass(.milliseconds(150))
        #expect(net.faults(third).map(\.detail) == ["reset, 3 of 3"])
        let fourth = net.upgraded(4, user: "user1")
        net.pass(.seconds(5))
        #expect(net.faults(fourth) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func whomTheRuleLeavesOutStays() {
        var (net, ids) = net(["times": ["1"]]) { $0.user = .init("user1") }
        net.client(ids[0], go)
        #expect(net.commands(ids[0]) == ["close client reset", "close server reset"])
        #expect(net.commands(ids[1]) == [] && net.commands(ids[2]) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func withACloseBothAreToldBetweenMessages() throws {
        var (net, ids) = net(["times": ["1"], "style": ["close"]], users: 2)
        // In the middle of a message of the server there is no place for one.
        let half = Sample.frame("begun", fin: false, masked: false)
        net.server(ids[1], half)
        net.client(ids[0], go)
        let told = Flow.frames(net.takeClient(ids[0]))
        #expect(told.map(\.opcode) == [.close] && told.map { CloseBody($0.payload).code } == [1012])
        let server = Flow.frames(net.takeServer(ids[0])).suffix(1)
        #expect(server.map { CloseBody($0.payload).code } == [1001] && server.allSatisfy { $0.maskKey != nil })
        #expect(net.takeClient(ids[1]) == half)
        for id in ids { #expect(net.commands(id) == ["close client half", "close server half"]) }
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func halfEndsBothWithoutAClose() {
        var (net, ids) = net(["times": ["1"], "style": ["half"]], users: 1)
        net.client(ids[0], go)
        #expect(net.commands(ids[0]) == ["finish client", "finish server"])
        #expect(net.takeClient(ids[0]).readableBytes == 0)
        #expect(net.conclude().differences == [])
    }

    @Test func oneAtATime() {
        var (net, ids) = net(["times": ["2"], "every": ["10s"]], users: 2)
        net.client(ids[0], go)
        let third = net.upgraded(3, user: "user3")
        net.client(third, go)
        #expect(net.faults(third) == [])
        net.pass(.seconds(11))
        #expect(net.faults(third).map(\.detail) == ["reset, 2 of 2"])
        let fourth = net.upgraded(4, user: "user4")
        net.client(fourth, go)
        #expect(net.faults(fourth).map(\.detail) == ["begins a storm: 2 cuts, 10000 ms apart", "reset, 1 of 2"])
        #expect(net.conclude().differences == [])
    }

    @Test func theKillSwitchStopsIt() {
        var (net, ids) = net(["times": ["5"], "every": ["50ms"]], users: 1)
        net.client(ids[0], go)
        let second = net.upgraded(2, user: "user1")
        net.send(.faultsOff, to: second)
        net.pass(.seconds(2))
        #expect(net.faults(second) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func eachCutIsOfTheBudget() {
        var scope = Profile.Scope()
        scope.total = 3
        let rule = Sample.rule("reconnect-storm", ["times": ["1"]]) { $0.to = .server }
        var net = Net(profile: Sample.profile(rule, scope: scope))
        let ids = (1...5).map { net.upgraded(UInt32($0), user: "user\($0)") }
        net.client(ids[0], Sample.frame("x", masked: true))
        #expect(ids.filter { id in net.faults(id).contains { $0.detail == "reset, 1 of 1" } }.count == 2)
        #expect(net.conclude().differences == [])
    }
}
