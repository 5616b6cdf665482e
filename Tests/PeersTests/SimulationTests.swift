import Contracts
import Journaling
import Oracles
import Peers
import Plans
import ReferenceBackend
import Testing

/// Whole sessions in virtual time: the machines that the sockets drive, under a thousand seeds.
@Suite struct SimulationTests {
    static let parts: [ClosedRange<UInt64>] = (0..<10).map { ($0 * 100 + 1)...($0 * 100 + 100) }

    /// A server without defects is never blamed, whatever the network, the profile and the users do; nothing is lost
    /// without a reason; and the journal judged again gives the same verdicts.
    @Test(arguments: Seeds.only.map { [$0...$0] } ?? parts)
    func aCleanServerIsNeverBlamed(_ seeds: ClosedRange<UInt64>) async throws {
        let wrong = try await Workshop.run(lane: Int(seeds.upperBound / 100)) {
            try seeds.flatMap { seed in
                try Self.wrong(seed).map { "\($0); \(Seeds.again(seed, "aCleanServerIsNeverBlamed"))" }
            }
        }
        #expect(wrong == [])
    }

    /// Everything that a clean server's run under this seed must not show.
    private static func wrong(_ seed: UInt64) throws -> [String] {
        let scenario = Scenario(seed: seed)
        let run = try scenario.run(breaks: true)
        var wrong = [run.stalled].compactMap { $0 }
        wrong += run.judgement.findings.map { "\($0.property): \($0.sentence)" }
        wrong += run.judgement.toolErrors.map { "tool error: \($0.sentence)" }
        if try run.judgedAgain(by: Shipped.contract()) != run.judgement { wrong.append("live and offline differ") }
        if seed % 10 == 0 || Seeds.only != nil { wrong += try Omission(run).wrong(by: Shipped.contract()) }
        if Seeds.only != nil { print(scenario.profile, PlanText.print(scenario.plan), String(buffer: run.journal)) }
        return wrong
    }

    /// Each planted bug and the property that names it (fuzzing.md), with the profile that brings it out.
    struct Planted: Sendable, CustomTestStringConvertible {
        var bug: BackendBug
        var property: String
        var profile = "transparent"
        var testDescription: String { "\(bug.rawValue) is found by \(property)" }
    }
    static let planted: [Planted] = [
        Planted(bug: .lostGreetingDuringAccept, property: "H1", profile: "delayed-accept"),
        Planted(bug: .greetingDroppedBehind101, property: "H1"),
        Planted(bug: .completionMissingAfterToolError, property: "E1"),
        Planted(bug: .malformedSwallowed, property: "E3"),
        Planted(bug: .successWithoutUser, property: "E4"),
        Planted(bug: .errorToLastConnected, property: "I2"),
        Planted(bug: .foreignThreadAccepted, property: "I2"),
        Planted(bug: .badTokenSilence, property: "A1"),
        Planted(bug: .bareError, property: "E5"),
    ]

    @Test(arguments: planted) func aPlantedBugIsFoundByItsProperty(_ planted: Planted) async throws {
        let lane = Self.planted.firstIndex { $0.bug == planted.bug } ?? 0
        let (found, wrong) = try await Workshop.run(lane: lane) {
            var found = 0
            var wrong: [String] = []
            for seed in Seeds.list(1...24) {
                let run = try Scenario(seed: seed, profile: planted.profile).run(bugs: [planted.bug])
                found += run.judgement.findings.contains { $0.property == planted.property } ? 1 : 0
                let others = run.judgement.findings.filter { $0.property != planted.property }.map(\.sentence)
                wrong += (others + run.judgement.toolErrors.map(\.sentence)).map {
                    "\($0); \(Seeds.again(seed, "aPlantedBugIsFoundByItsProperty"))"
                }
            }
            return (found, wrong)
        }
        #expect(wrong == [])
        #expect(found > 0)
    }

    @Test func theSameSeedGivesTheSameJournalToTheByte() async throws {
        let seeds: [UInt64] = Array(1...12)
        let runs = try await Workshop.run(lane: 0) {
            try seeds.map { seed in
                (try Scenario(seed: seed).run(breaks: true), try Scenario(seed: seed).run(breaks: true))
            }
        }
        for (seed, (first, second)) in zip(seeds, runs) {
            #expect(first.journal == second.journal, "seed \(seed)")
            #expect(first.digest == second.digest, "seed \(seed)")
        }
        #expect(Set(runs.map(\.0.digest)).count == seeds.count)
    }

    /// The demo's own plans, in virtual time: every step can be tried, and a clean server passes.
    @Test(arguments: PlanLibrary.names) func theShippedPlansPlay(_ name: String) async throws {
        let run = try await Workshop.run(lane: 1) { try Scenario(seed: 1, shipped: name).run() }
        #expect(run.stalled == nil)
        for step in run.steps {
            if case .cannot(let why) = step.outcome { Issue.record("\(name), step \(step.number): \(why)") }
        }
        #expect(run.judgement.findings.map(\.sentence) == [])
        #expect(run.judgement.toolErrors == [])
        #expect(run.judgement.runs > 10)
        if name != "transparent", name != "interleaved-users" {
            #expect(run.judgement.faultsActed >= (name == "flaky-network" ? 4 : 10))
        }
        if name == "flaky-network" { #expect(run.judgement.properties.first { $0.id == "D2" }?.passed == 4) }
    }
}
