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
        #"f5 drop to client message every 11 match "{ type: [agent_thinking, partial_result], a[0]: <text> }""#,
        #"f6 drop after "{ type: error }""#,
        "f4 cut style reset message first 10 opcode text expect closed 1008 4401 within 5s",
    ])
    func aRuleGoesThroughItsLineUnchanged(_ line: String) throws {
        let text = "miswire plan 1\n---\nuser alice credential header\nfaults\n\(line)\n"
        let fault = try #require(try PlanText.parse(text).faults.first)
        let again = Plan.FaultLine(rule: try fault.rule())
        #expect(PlanText.print(try PlanText.parse(text)).contains("\nfaults\n" + line + "\n"))
        #expect(again.words == fault.words)
    }

    @Test(arguments: ["{", "}", "[a", "{ a }", "{ a: b, a: c }", "a, b", "{ a: [b }", "", "\"x", "{ a: {{ } }", "[,]"])
    func brokenPatternsAreRefused(_ text: String) { #expect(FlowText.document(text) == nil) }

    @Test func deepPatternsAreRefused() {
        #expect(FlowText.document(String(repeating: "[", count: 100_000)) == nil)
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
