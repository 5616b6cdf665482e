import Oracles
import Plans
import Testing

@testable import Fuzzing

@Suite struct ConfirmLedgerTests {
    private static func outcome(_ property: String, _ fingerprint: String, steps: Int = 3) -> FuzzFinding {
        var finding = ScriptedRunner.finding(property, fingerprint)
        finding.attribution = .intrinsic(failed: 5, of: 5)
        var plan = Plan()
        plan.steps = (0..<steps).map { Plan.Step(number: $0 + 1, user: "alice", verb: .pauseReading) }
        return FuzzFinding(finding: finding, plan: plan, name: CaseName(1), executions: 1)
    }
    private static func seen(_ property: String, _ fingerprint: String, times: Int = 1) -> Finding {
        var finding = ScriptedRunner.finding(property, fingerprint)
        finding.repeats = times
        return finding
    }

    @Test func aFindingIsConfirmedOnceAndCounted() {
        var ledger = FindingLedger()
        let finding = Self.seen("E3", "aaaaaa", times: 3)
        #expect(ledger.see(finding) == .confirm)
        #expect(ledger.see(finding) == .known)
        #expect(ledger.confirming == 1)
        ledger.settle(finding, .finding(Self.outcome("E3", "aaaaaa")))
        #expect(ledger.confirming == 0)
        #expect(ledger.see(Self.seen("E3", "aaaaaa")) == .known)
        #expect(ledger.findings.map(\.finding.id) == ["E3-aaaaaa"])
        #expect(ledger.findings.map(\.finding.repeats) == [7])
        #expect(ledger.flaky.isEmpty)
    }

    @Test func worstComesFirst() {
        var ledger = FindingLedger()
        for (property, print) in [("R1", "1"), ("C1", "2"), ("E1", "3"), ("I2", "4"), ("D1", "5"), ("A1", "6"), ("H1", "7"), ("I1", "8")] {
            let finding = Self.seen(property, print)
            #expect(ledger.see(finding) == .confirm)
            ledger.settle(finding, .finding(Self.outcome(property, print)))
        }
        #expect(ledger.findings.map(\.finding.property) == ["I1", "I2", "A1", "H1", "E1", "D1", "C1", "R1"])
    }

    @Test func whatSlippedIsAnAlias() {
        var ledger = FindingLedger()
        let first = Self.seen("E3", "aaaaaa", times: 2)
        let second = Self.seen("I2", "bbbbbb")
        #expect(ledger.see(first) == .confirm)
        ledger.settle(first, .slipped(second, Self.outcome("I2", "bbbbbb")))
        #expect(ledger.see(first) == .known)
        #expect(ledger.see(second) == .known)
        #expect(ledger.findings.map(\.finding.id) == ["I2-bbbbbb"])
        #expect(ledger.findings.map(\.finding.repeats) == [5])
        #expect(ledger.seen("E3-aaaaaa") == ledger.seen("I2-bbbbbb"))
        // And back again: it stays one.
        ledger.settle(second, .slipped(first, Self.outcome("E3", "aaaaaa")))
        #expect(ledger.findings.map(\.finding.id) == ["I2-bbbbbb"])
    }

    @Test func theSmallerPlanIsKept() {
        var ledger = FindingLedger()
        let finding = Self.seen("I2", "bbbbbb")
        ledger.settle(finding, .finding(Self.outcome("I2", "bbbbbb", steps: 6)))
        ledger.settle(Self.seen("E3", "aaaaaa"), .slipped(finding, Self.outcome("I2", "bbbbbb", steps: 9)))
        #expect(ledger.findings.map(\.plan.steps.count) == [6])
        ledger.settle(Self.seen("E1", "cccccc"), .slipped(finding, Self.outcome("I2", "bbbbbb", steps: 4)))
        #expect(ledger.findings.map(\.plan.steps.count) == [4])
    }

    @Test func whatIsConfirmedInVainIsQuarantined() {
        var ledger = FindingLedger()
        let finding = Self.seen("E3", "aaaaaa")
        func fail() { ledger.settle(finding, .flaky(Self.outcome("E3", "aaaaaa"))) }
        #expect(ledger.see(finding) == .confirm)
        fail()
        #expect(ledger.see(finding) == .confirm)
        fail()
        #expect(ledger.see(finding) == .quarantined)
        #expect(ledger.flaky.map(\.finding.repeats) == [3])
        // Seen twice as often as then, it gets its last chance.
        #expect(ledger.see(finding) == .confirm)
        fail()
        for _ in 0..<50 { #expect(ledger.see(finding) == .quarantined) }
        #expect(ledger.findings.isEmpty)
    }

    @Test func whatWasFlakyAndIsConfirmedIsAFinding() {
        var ledger = FindingLedger()
        let finding = Self.seen("E3", "aaaaaa")
        _ = ledger.see(finding)
        ledger.settle(finding, .flaky(Self.outcome("E3", "aaaaaa")))
        _ = ledger.see(finding)
        ledger.settle(finding, .finding(Self.outcome("E3", "aaaaaa")))
        #expect(ledger.flaky.isEmpty)
        #expect(ledger.findings.count == 1)
    }

    @Test func anAttemptGivenUpMayBeMadeAgain() {
        var ledger = FindingLedger()
        let finding = Self.seen("E3", "aaaaaa")
        #expect(ledger.see(finding) == .confirm)
        ledger.giveUp(finding)
        #expect(ledger.see(finding) == .confirm)
    }
}
