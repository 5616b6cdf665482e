import Contracts
import Faults
import Testing
import Wire

@testable import Plans

@Suite struct FaultLineTests {
    @Test(arguments: [
        "f1 accept-delay stage upgrade-response delay 400ms user alice connection nth 1",
        "f2 drop-auth in header,query how strip connection every 3 expect refused within 2s",
        "f3 drop path /ws/** to server message share 2.5% after 3 until 10s during run expect nothing lost",
        "f4 cut style reset message first 10 opcode text expect closed 1008 4401 within 5s",
    ])
    func aRuleGoesThroughItsLineUnchanged(_ line: String) throws {
        let text = "miswire plan 1\n---\nuser alice credential header\nfaults\n\(line)\n"
        let fault = try #require(try PlanText.parse(text).faults.first)
        let again = Plan.FaultLine(rule: try fault.rule())
        #expect(([again.id, again.kind] + again.words).joined(separator: " ") == line)
    }

    @Test func everyShippedFaultStandsInALine() throws {
        for kind in FaultRegistry.all {
            let rule = FaultRule(id: "x", kind: kind.name, settings: Settings(), when: Trigger())
            let line = Plan.FaultLine(rule: rule)
            guard (try? kind.init(Settings())) != nil else { continue }
            #expect(try line.rule().kind == kind.name)
        }
    }
}
