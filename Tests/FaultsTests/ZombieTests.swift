import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// A side that is left alone on a transport that stays.
@Suite struct ZombieTests {
    private func net(_ settings: [String: [String]], to side: Side = .server) -> (Net, SessionID) {
        let rule = Sample.rule("zombie", settings) {
            $0.to = side
            $0.message = .nth(1)
        }
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1, user: "alice")
        for direction in Direction.allCases { _ = net.take(id, direction) }
        _ = net.commands(id)
        return (net, id)
    }

    @Test func theServerKeepsItsConnectionWhenTheClientGoes() {
        var (net, id) = net(["hold": ["10s"]])
        let last = Sample.frame("last words", masked: true)
        net.client(id, last)
        #expect(net.takeServer(id) == last)
        net.client(id, Sample.frame("unheard", masked: true))
        net.server(id, Sample.frame("are you there", opcode: .ping, masked: false))
        net.server(id, Sample.frame("event", masked: false))
        #expect(net.takeServer(id).readableBytes == 0 && net.takeClient(id).readableBytes == 0)
        net.send(.ended(.client, .finish), to: id)
        #expect(net.commands(id) == ["close client half"])
        net.server(id, Sample.frame("another", masked: false))
        net.pass(.milliseconds(9_990))
        #expect(net.commands(id) == [])
        net.pass(.milliseconds(20))
        #expect(net.commands(id) == ["close server reset"])
        #expect(net.faults(id).map(\.detail) == ["the server is left alone for 10000 ms"])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func aResetOfTheClientReachesNobody() {
        var (net, id) = net(["hold": ["1s"]])
        net.client(id, Sample.frame("last", masked: true))
        net.send(.ended(.client, .reset), to: id)
        #expect(net.commands(id) == ["close client half"])
        net.pass(.seconds(2))
        #expect(net.commands(id) == ["close server reset"])
        #expect(net.conclude().differences == [])
    }

    @Test func itMayNotEvenBeRead() {
        var (net, id) = net(["reads": ["nothing"], "hold": ["1s"]])
        net.client(id, Sample.frame("last", masked: true))
        #expect(net.commands(id) == ["reads server false"])
        net.pass(.seconds(2))
        #expect(net.commands(id) == ["close client half", "close server reset"])
        #expect(net.conclude().differences == [])
    }

    @Test func theServerMayGiveUp() {
        var (net, id) = net([:])
        net.client(id, Sample.frame("last", masked: true))
        net.server(id, Sample.frame("\u{3}\u{e8}timeout", opcode: .close, masked: false))
        net.send(.ended(.server, .finish), to: id)
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == ["close client half", "close server half"])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func orTheClientIsLeftAlone() {
        var (net, id) = net(["side": ["client"], "hold": ["5s"]], to: .client)
        let last = Sample.frame("last event", masked: false)
        net.server(id, last)
        #expect(net.takeClient(id) == last)
        net.send(.ended(.server, .finish), to: id)
        #expect(net.commands(id) == ["close server half"])
        net.client(id, Sample.frame("hello?", masked: true))
        net.pass(.seconds(6))
        #expect(net.commands(id) == ["close client half"])
        #expect(net.takeServer(id).readableBytes == 0 && net.takeClient(id).readableBytes == 0)
        #expect(net.conclude().differences == [])
    }

    @Test func theKillSwitchEndsIt() {
        var (net, id) = net([:])
        net.client(id, Sample.frame("last", masked: true))
        net.send(.faultsOff, to: id)
        #expect(net.commands(id) == ["close client half", "close server reset"])
        #expect(net.conclude().differences == [])
    }
}
