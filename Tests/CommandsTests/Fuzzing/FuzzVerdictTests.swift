import Contracts
import Foundation
import Fuzzing
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import Reporting
import Synchronization
import Testing
import Wire

@testable import Commands

@Suite struct FuzzVerdictTests {
    private func reason(_ result: CampaignResult, _ findings: [ReportedFinding] = [], isOpen: Bool = false) -> ExitReason {
        FuzzVerdict.reason(result, findings: findings, isOpen: isOpen, checks: nil)
    }
    private func reported(_ attribution: Attribution) -> ReportedFinding {
        ReportedFinding(finding: Staged.finding(attribution), plan: nil, file: nil, line: nil, replay: nil)
    }

    @Test func worstWinsAndNothingIsNoPass() {
        let firm = reported(.intrinsic(failed: 5, of: 5))
        let flaky = reported(.flaky(failed: 1, of: 5))
        #expect(reason(Staged.result()) == .pass)
        #expect(reason(Staged.result(), [firm, flaky]) == .violations)
        #expect(reason(Staged.result(), [flaky]) == .inconclusive)
        #expect(reason(Staged.result(), isOpen: true) == .inconclusive)
        #expect(reason(Staged.result(.unreachable("no")), []) == .targetUnreachable)
        #expect(reason(Staged.result(.unreachable("no")), [firm]) == .violations)
        #expect(reason(Staged.result(.nothingExercised("no", remedy: ""))) == .nothingExercised)
        #expect(reason(Staged.result(.selfCheckFailed("no")), [firm]) == .selfCheckFailed)
        #expect(reason(Staged.result(.interrupted), [firm]) == .interrupted)
        #expect(reason(Staged.result(executions: 0)) == .nothingExercised)
    }

    @Test func whatALimitCutOffIsNoPass() {
        var result = Staged.result()
        result.progress.floods = 1
        #expect(reason(result) == .inconclusive)
        #expect(
            FuzzVerdict.warnings(result, open: [])
                == ["the target sends without end: 1 case was stopped, and what it sent after that is not judged"])
        #expect(reason(result, [reported(.intrinsic(failed: 5, of: 5))]) == .violations)
    }

    /// The report and standard output are one text but for what is told on the way.
    @Test func bothMachineFormsUseTheSameWords() throws {
        let item = reported(.intrinsic(failed: 5, of: 5))
        var report = RunReport(
            verb: "fuzz", version: "1", seed: 1, contractName: "echo", contractHash: "abcdef", contractFile: "echo.yaml",
            target: "ws://127.0.0.1:1/", judgement: Staged.result().judgement, findings: [item], executions: 3, users: 1,
            stability: nil, took: .seconds(1), exit: .violations, again: "miswire fuzz")
        report.warnings = ["so"]
        let lines = RunLines(time: "t")
        let spoken = ([lines.violation(item)] + lines.closing(report)).map(\.text)
        #expect(NDJSONReport(report, time: "t").lines.map(\.text) == spoken)
        let violation = try JSON.parse(spoken[0])
        #expect(violation["kind"] == .string("violation") && violation["finding"] == .string("I2-7c1e44"))
    }

    @Test func lostEvidenceNeverPasses() {
        var lost = Staged.result()
        lost.judgement.properties = []
        #expect(reason(lost) == .nothingExercised)
        var undecided = Staged.result()
        undecided.judgement.properties[0].passed = 0
        undecided.judgement.properties[0].inconclusive = 3
        #expect(reason(undecided) == .inconclusive)
        undecided.judgement.properties[0].passed = 1
        #expect(reason(undecided) == .pass)
    }

    @Test func whatMakesAPassWorthlessIsSaid() {
        var shaky = Staged.result(.nothingExercised("200 of 200 upgrades were refused with 401", remedy: "give a credential"))
        shaky.progress.stability = 61
        let said = FuzzVerdict.warnings(shaky, open: [Staged.finding(.unattributed)])
        #expect(said.count == 3 && said[0] == "200 of 200 upgrades were refused with 401; give a credential")
        #expect(said[1].hasPrefix("stability is 61.0 %") && said[2].hasPrefix("I2-7c1e44 was seen and not run again"))
    }

    @Test func ourOwnMistakesNameTheirFiles() {
        let result = Staged.result()
        let one = FuzzVerdict.warnings(result, open: [], unbalanced: ["f/self-check-8.plan"])
        #expect(one.count == 1 && one.first?.contains("f/self-check-8.plan; ") == true)
        let three = FuzzVerdict.warnings(result, open: [], unbalanced: ["a", "b", "c"])
        #expect(three.count == 1 && three.first?.contains("a and 2 others; ") == true)
    }
}
