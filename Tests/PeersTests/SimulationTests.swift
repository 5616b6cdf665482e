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
    func aCleanServerIsNeverBlamed(_ seeds: ClosedRange<UInt64>) throws {
        for seed in seeds {
            let again = Comment(rawValue: Seeds.again(seed, "aCleanServerIsNeverBlamed"))
            let scenario = Scenario(seed: seed)
            let run = try scenario.run(breaks: true)
            #expect(run.stalled == nil, again)
            #expect(run.judgement.findings.map(\.sentence) == [], again)
            #expect(run.judgement.toolErrors.map(\.sentence) == [], again)
            #expect(try run.judgedAgain(by: Shipped.contract()) == run.judgement, again)
            if Seeds.only != nil { print(scenario.profile, PlanText.print(scenario.plan), String(buffer: run.journal)) }
        }
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

    @Test(arguments: planted) func aPlantedBugIsFoundByItsProperty(_ planted: Planted) throws {
        var found = 0
        for seed in Seeds.list(1...24) {
            let run = try Scenario(seed: seed, profile: planted.profile).run(bugs: [planted.bug])
            let heads = Set(run.judgement.findings.map(\.property))
            found += heads.contains(planted.property) ? 1 : 0
            let again = Comment(rawValue: Seeds.again(seed, "aPlantedBugIsFoundByItsProperty"))
            #expect(heads.isSubset(of: [planted.property]), again)
            #expect(run.judgement.toolErrors == [], again)
        }
        #expect(found > 0)
    }

    @Test func theSameSeedGivesTheSameJournalToTheByte() throws {
        var digests: Set<String> = []
        for seed in UInt64(1)...12 {
            let first = try Scenario(seed: seed).run(breaks: true)
            let second = try Scenario(seed: seed).run(breaks: true)
            #expect(first.digest == second.digest, "seed \(seed)")
            #expect(first.journal == second.journal)
            digests.insert(first.digest)
        }
        #expect(digests.count == 12)
    }

    /// The demo's own plans, in virtual time: every step can be tried, and a clean server passes.
    @Test(arguments: PlanLibrary.names) func theShippedPlansPlay(_ name: String) throws {
        let run = try Scenario(seed: 1, shipped: name).run()
        #expect(run.stalled == nil)
        for step in run.steps {
            if case .cannot(let why) = step.outcome { Issue.record("\(name), step \(step.number): \(why)") }
        }
        #expect(run.judgement.findings.map(\.sentence) == [])
        #expect(run.judgement.toolErrors == [])
        #expect(run.judgement.runs > 10)
        if name != "transparent", name != "interleaved-users" { #expect(run.judgement.faultsActed >= 10) }
    }
}
