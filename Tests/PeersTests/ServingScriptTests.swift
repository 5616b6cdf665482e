import Journaling
import NIOCore
import Plans
import Testing
import Wire

@testable import Peers

/// What a client under test can be blamed for when the recording lacks a part.
@Suite struct ServingScriptTests {
    private func said(_ number: Int, _ payload: String?) -> Said {
        Said(
            number: number, at: Instant(nanoseconds: Int64(number) * 10), order: number, opcode: .text,
            payload: payload.map { ByteBuffer(string: $0) }, value: nil, name: nil)
    }

    private func script(_ requests: [String?], _ change: (inout Talk) -> Void = { _ in }) -> ServingScript {
        var talk = Talk(session: SessionID(1), opened: .zero)
        talk.answer = .accepted(subprotocol: nil)
        talk.requests = requests.enumerated().map { said($0 + 1, $1) }
        change(&talk)
        var script = ServingScript(talk)
        script.connection = 1
        script.conclude(at: Instant(nanoseconds: 100), opened: .zero)
        return script
    }

    @Test func whatAClientDoesNotSayIsMissing() {
        let result = script(["a", "b"]).result
        #expect(result.missing == 2 && result.differences.count == 2 && !result.isUndecided)
    }

    @Test func behindTheServersGapNothingIsMissing() {
        let result = script(["a", "b", "c"]) { $0.tornToClient = Instant(nanoseconds: 15) }.result
        #expect(result.missing == 1 && result.undecided == 2 && result.isTorn && result.differences.map(\.number) == [1])
    }

    @Test func whatIsNotHeldIsNeitherSaidNorMissed() {
        let script = script([nil, "b"]) { $0.answers = [said(1, "x"), said(2, nil)] }
        #expect(script.result.missing == 1 && script.result.undecided == 2)
        #expect(script.items.count == 3)
    }
}
