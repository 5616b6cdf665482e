import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Rules that name an opcode which is of no message: frames by themselves, one by one.
@Suite struct ControlFrameTests {
    private static let both = Direction.allCases

    private func flow(
        _ kind: String, _ settings: [String: [String]] = [:], _ opcode: Opcode?, _ direction: Direction,
        _ change: @escaping (inout Trigger) -> Void = { _ in }
    ) -> Flow {
        var flow = Flow(kind, settings, direction)
        let rule = Sample.rule(kind, settings) {
            $0.to = direction.destination
            $0.opcode = opcode
            change(&$0)
        }
        flow.net = Net(profile: Sample.profile(rule))
        _ = flow.net.upgraded(1, user: "alice")
        for direction in Direction.allCases { _ = flow.net.take(flow.id, direction) }
        return flow
    }

    @Test(arguments: both, [Opcode.ping, .pong, Opcode(rawValue: 3), Opcode(rawValue: 15)])
    func oneOfThemIsTakenAway(_ direction: Direction, _ opcode: Opcode) {
        var flow = flow("drop", [:], opcode, direction)
        let others = [Opcode.ping, .pong, Opcode(rawValue: 3), Opcode(rawValue: 15)].filter { $0 != opcode }
        let frames = [flow.frame("message")] + others.map { flow.frame("\($0.rawValue)", opcode: $0) }
        flow.send(Sample.joined(frames), flow.frame("gone", opcode: opcode), frames[0])
        #expect(flow.taken() == Sample.joined(frames + [frames[0]]))
        #expect(flow.details.count == 1)
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func aPingIsHeldAndWhatIsBehindItWaits(_ direction: Direction) {
        var flow = flow("delay", ["delay": ["20ms"]], .ping, direction)
        let message = flow.frame("message")
        let ping = flow.frame("p", opcode: .ping)
        flow.send(message, ping, message)
        #expect(flow.taken() == message)
        flow.net.pass(.milliseconds(21))
        #expect(flow.taken() == Sample.joined(ping, message))
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func framesOfThemAreWrittenWrongly(_ direction: Direction) {
        var flow = flow("rsv", ["bits": ["rsv3"]], .ping, direction)
        let ping = flow.frame("p", opcode: .ping)
        flow.send(flow.frame("message"), ping)
        let frames = flow.frames()
        #expect(frames.map(\.rsv) == [0, 1])
        #expect(frames.map { String(buffer: $0.payload) } == ["message", "p"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func messagesAmongConditionsCount(_ direction: Direction) {
        var flow = flow("drop", [:], .ping, direction) { $0.after = .messages(1) }
        let message = flow.frame("message")
        let ping = flow.frame("p", opcode: .ping)
        flow.send(ping, message, ping, message, ping)
        #expect(flow.taken() == Sample.joined(ping, message, ping, message))
        #expect(flow.differences() == [])
    }

    /// It may not overtake the fragments that wait for their end.
    @Test(arguments: both) func amongFragmentsThatWaitItStays(_ direction: Direction) {
        let rules = [
            Sample.rule("drop", id: "f1") { $0.opcode = .ping }, Sample.rule("delay", ["delay": ["1ms"]], id: "f2") { $0.message = .nth(1) },
        ]
        var profile = Sample.profile()
        profile.faults = rules
        var flow = Flow("drop", [:], direction)
        flow.net = Net(profile: profile)
        _ = flow.net.upgraded(1, user: "alice")
        for direction in Direction.allCases { _ = flow.net.take(flow.id, direction) }
        let parts = [flow.frame("a", fin: false), flow.frame("p", opcode: .ping), flow.frame("b", opcode: .continuation)]
        flow.send(parts[0], parts[1], parts[2])
        flow.net.pass(.milliseconds(2))
        let opcodes = flow.frames().map(\.opcode)
        #expect(opcodes.filter { $0 == .ping }.count == 1 && opcodes.filter { $0 != .ping } == [.text, .continuation])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func aCloseIsNotAnswered(_ direction: Direction) {
        var flow = flow("close", ["how": ["no-reply"]], nil, direction)
        let message = flow.frame("message")
        flow.send(message, Sample.frame(CloseBody(code: 1000, reason: "bye").payload, opcode: .close, masked: direction.masked))
        #expect(flow.taken() == message)
        #expect(flow.details == ["the Close 1000 goes nowhere"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func aCloseSaysAnotherCode(_ direction: Direction) {
        var flow = flow("close", ["how": ["other-code"], "code": ["4711"], "reason": ["why"]], nil, direction)
        flow.send(flow.frame("message"), Sample.frame(CloseBody(code: 1000, reason: "bye").payload, opcode: .close, masked: direction.masked))
        let close = flow.frames().last
        #expect(close?.opcode == .close && (close?.maskKey != nil) == direction.masked)
        #expect(close.map { CloseBody($0.payload) } == CloseBody(code: 4711, reason: "why"))
        #expect(flow.details == ["Close 1000 says 4711"])
        #expect(flow.differences() == [])
    }
}
