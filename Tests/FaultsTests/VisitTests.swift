import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Connections that faults open beside a session's own: byte for byte at the server, and as sessions of their own.
@Suite struct VisitTests {
    private static let credential = "Authorization: Bearer abcdefghijklmnop\r\n"

    /// Alice, accepted, with a fault that connects once more; what she asked for, as she asked.
    private func net(
        _ kind: String, _ settings: [String: [String]], nth: Int? = nil, to side: Side? = nil
    ) -> (Net, alice: SessionID, request: String) {
        let rule = Sample.rule(kind, settings) {
            $0.message = nth.map { .nth($0) }
            $0.to = side
        }
        var net = Net(profile: Sample.profile(rule))
        let alice = net.open(1)
        net.send(.connected, to: alice)
        let request = Sample.request(path: "/ws?a=b", user: "alice", extensions: "permessage-deflate", fields: Self.credential)
        net.client(alice, request)
        net.server(alice, Sample.response())
        return (net, alice, request)
    }

    private func opened(_ net: Net, _ id: SessionID) -> Opened? {
        net.sessions[id]?.entries.lazy.compactMap { if case .value(.opened(let opened)) = $0.body { opened } else { nil } }.first
    }

    @Test func theRequestIsTheClientsButForItsKey() throws {
        var (net, alice, request) = net("takeover", [:])
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        let head = try RequestHead(net.takeServer(ours))
        let key = try #require(head.value("sec-websocket-key"))
        #expect(key != Sample.key && key.utf8.count == 24)
        #expect(String(buffer: head.bytes) == request.replacing(Sample.key, with: key))
        #expect(opened(net, alice)?.fault == nil)
        #expect(opened(net, ours)?.fault == "f1")
        #expect(net.faults(alice).map(\.detail) == ["a connection of ours as alice: s2"])
        #expect(net.faults(ours).map(\.detail) == ["opened beside s1, with its request and a key of its own"])
        #expect(net.faults(ours).map(\.influence) == [Influence(.connection, [])])
        // It is no partner for crossings.
        #expect(net.sessions[ours]?.label == nil)
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func itAnswersPingAndCloseAndThenEnds() throws {
        var (net, _, _) = net("takeover", [:])
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        _ = net.takeServer(ours)
        net.server(ours, Sample.response())
        net.server(ours, Sample.frame("an event", masked: false))
        #expect(net.takeServer(ours).readableBytes == 0)
        net.server(ours, Sample.frame("are you there", opcode: .ping, masked: false))
        let pong = try #require(Flow.frames(net.takeServer(ours)).first)
        #expect(pong.opcode == .pong && pong.maskKey != nil && String(buffer: pong.payload) == "are you there")
        let going = CloseBody(code: 4001, reason: "replaced").payload
        net.server(ours, Sample.frame(going, opcode: .close, masked: false))
        let close = try #require(Flow.frames(net.takeServer(ours)).first)
        #expect(close.opcode == .close && close.maskKey != nil && close.payload == going)
        #expect(net.commands(ours) == ["connect", "finish server"])
        net.send(.ended(.server, .finish), to: ours)
        #expect(net.sessions[ours]?.machine.isGuestGone == true)
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func itStaysForItsTime() throws {
        var (net, _, _) = net("takeover", ["hold": ["700ms"]])
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        net.pass(.seconds(1))
        net.server(ours, Sample.response())
        _ = net.takeServer(ours)
        net.pass(.milliseconds(699))
        #expect(net.takeServer(ours).readableBytes == 0)
        net.pass(.milliseconds(2))
        let close = try #require(Flow.frames(net.takeServer(ours)).first)
        #expect(close.opcode == .close && CloseBody(close.payload).code == 1000)
        // A server that answers nothing is not waited for: first FIN, then RST.
        net.pass(.seconds(2))
        #expect(net.commands(ours) == ["connect", "finish server"])
        net.pass(.seconds(2))
        #expect(net.commands(ours) == ["close server reset"])
        #expect(net.conclude().differences == [])
    }

    @Test func itLeavesWithItsSession() throws {
        var (net, alice, _) = net("takeover", [:])
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        net.server(ours, Sample.response())
        _ = net.takeServer(ours)
        net.send(.ended(.client, .finish), to: alice)
        net.pass(.seconds(30))
        #expect(net.takeServer(ours).readableBytes == 0)
        #expect(net.conclude().differences == [])
        let said = net.sessions[ours].map { Flow.frames($0.toServer) } ?? []
        #expect(said.map(\.opcode) == [.close])
    }

    @Test func aRefusalEndsIt() {
        var (net, _, _) = net("takeover", [:])
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        net.server(ours, "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno")
        #expect(net.became(ours) == [.refused(status: 409)])
        #expect(net.commands(ours) == ["connect", "finish server"])
        #expect(net.conclude().differences == [])
    }

    @Test func aServerThatIsNotThereEndsIt() {
        var (net, _, _) = net("takeover", [:])
        let ours = SessionID(2)
        net.send(.connectFailed("connection refused"), to: ours)
        #expect(net.sessions[ours]?.machine.isGuestGone == true)
        #expect(net.conclude().differences == [])
    }

    /// The message with the credential comes first, and the last one behind it, each once.
    @Test(arguments: [["one"], ["secret-token", "one", "two"], ["secret-token"]])
    func theLastMessageIsSaidAgain(texts: [String]) {
        var (net, alice, _) = net("takeover", ["at": ["message"], "send": ["last"]], nth: texts.count, to: .server)
        for text in texts { net.client(alice, Sample.frame(text, masked: true)) }
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        _ = net.takeServer(ours)
        net.server(ours, Sample.response())
        let expected = texts.first == "secret-token" && texts.count > 1 ? ["secret-token", texts[texts.count - 1]] : [texts[texts.count - 1]]
        let frames = Flow.frames(net.takeServer(ours))
        #expect(frames.map { String(buffer: $0.payload) } == expected)
        #expect(frames.allSatisfy { $0.maskKey != nil && $0.opcode == .text && $0.fin })
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    /// A rule that acts towards the client still knows what the client said last.
    @Test func theLastMessageIsKnownOnTheWayBackToo() {
        var (net, alice, _) = net("takeover", ["at": ["message"], "send": ["last"]], nth: 1, to: .client)
        net.client(alice, Sample.frame("asked", masked: true))
        net.server(alice, Sample.frame("answered", masked: false))
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        _ = net.takeServer(ours)
        net.server(ours, Sample.response())
        #expect(Flow.frames(net.takeServer(ours)).map { String(buffer: $0.payload) } == ["asked"])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [(15, 15), (16, 16), (17, 16)]) func aSessionOpensSixteenInItsLife(messages: Int, opened: Int) {
        var (net, alice, _) = net("takeover", ["at": ["message"]], to: .server)
        for number in 1...messages { net.client(alice, Sample.frame("\(number)", masked: true)) }
        #expect(net.sessions.count == 1 + opened)
        #expect(net.faults(alice).filter(\.applied).count == opened)
        #expect(net.faults(alice).filter { !$0.applied }.allSatisfy { $0.detail.hasSuffix(": the session has opened 16 already") })
        #expect(net.conclude().differences == [])
    }

    @Test func theBudgetCounts() {
        var scope = Profile.Scope()
        scope.perConnection = 3
        var net = Net(profile: Sample.profile(Sample.rule("takeover", ["at": ["message"]]) { $0.to = .server }, scope: scope))
        let alice = net.upgraded(1, user: "alice")
        for number in 1...9 { net.client(alice, Sample.frame("\(number)", masked: true)) }
        #expect(net.sessions.count == 4)
    }

    @Test func theShellMayHaveNoRoom() {
        let rule = Sample.rule("takeover", ["count": ["3"]])
        var net = Net(profile: Sample.profile(rule))
        net.mostVisits = 1
        let alice = net.upgraded(1, user: "alice")
        #expect(net.faults(alice).map(\.applied) == [true, false, false])
        #expect(net.faults(alice).last?.detail == "a connection of ours as alice: no room")
        #expect(net.conclude().differences == [])
    }

    @Test func aStormOfOursConnectsAndLeaves() {
        var (net, alice, _) = net(
            "reconnect-storm", ["from": ["proxy"], "times": ["3"], "every": ["100ms"], "stay": ["10ms"]], nth: 1, to: .server)
        net.client(alice, Sample.frame("go", masked: true))
        var seen: [Int] = []
        for _ in 0..<4 {
            let ids = net.sessions.keys.sorted().dropFirst()
            for id in ids where net.became(id).isEmpty {
                net.send(.connected, to: id)
                net.server(id, Sample.response())
            }
            seen.append(ids.count)
            net.pass(.milliseconds(100))
        }
        #expect(seen == [1, 2, 3, 3])
        for id in net.sessions.keys.sorted().dropFirst() {
            #expect(Flow.frames(behindHead(net.takeServer(id))).map(\.opcode) == [.close])
        }
        #expect(net.conclude().differences == [])
    }

    private func behindHead(_ bytes: ByteBuffer) -> ByteBuffer {
        var parser = HeadParser(.request)
        parser.feed(bytes)
        _ = parser.next()
        return parser.takeHeld()
    }

    /// The kill switch ends those that are there, and those that were still to come never do.
    @Test func theKillSwitchEndsThem() {
        var (net, alice, _) = net(
            "reconnect-storm", ["from": ["proxy"], "times": ["5"], "every": ["100ms"], "stay": ["30s"]], nth: 1, to: .server)
        net.client(alice, Sample.frame("go", masked: true))
        let ours = SessionID(2)
        net.send(.connected, to: ours)
        net.server(ours, Sample.response())
        for id in [alice, ours] { net.send(.faultsOff, to: id) }
        net.pass(.seconds(1))
        #expect(net.sessions.count == 2)
        #expect(Flow.frames(behindHead(net.takeServer(ours))).map(\.opcode) == [.close])
        #expect(net.faults(alice).filter { !$0.applied }.count == 4)
        #expect(net.conclude().differences == [])
    }
}
