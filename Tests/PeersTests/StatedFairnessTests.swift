import Journaling
import Oracles
import Peers
import Profiles
import ReferenceBackend
import Testing

/// What shipped profiles expect: the reference server does it, and one that lets bad credentials in does not.
@Suite struct StatedFairnessTests {
    @Test(arguments: ["lost-credential", "forged-credential"]) func whatProfilesExpect(name: String) async throws {
        let (clean, buggy) = try await Workshop.run(lane: name.count) {
            var clean = (passed: 0, wrong: [String]())
            var buggy = (failed: 0, sentences: Set<String>())
            for seed in Seeds.list(1...20) {
                let run = try Scenario(seed: seed, profile: name).run()
                clean.passed += run.judgement.properties.first { $0.id == "X1" }?.passed ?? 0
                clean.wrong += run.judgement.findings.map { "seed \(seed): \($0.property): \($0.sentence)" }
                // Clients of a silent server leave before two seconds are over.
                let bad = try Scenario(seed: seed, profile: name).run(bugs: [.badTokenSilence], patience: .milliseconds(300))
                buggy.failed += bad.judgement.properties.first { $0.id == "X1" }?.failed ?? 0
                for finding in bad.judgement.findings where finding.property == "X1" || finding.also.contains("X1") {
                    buggy.sentences.insert(finding.property)
                }
            }
            return (clean, buggy)
        }
        #expect(clean.wrong == [])
        #expect(clean.passed > 0, "the expectation was met, not merely left open")
        #expect(buggy.failed > 0, "nothing noticed the bad credential that got in")
        #expect(!buggy.sentences.isEmpty)
    }
}
