import Testing
import Wire

@testable import Oracles

/// Bounds on a machine whose processors others take: errors are due 1 s after a broken request.
@Suite struct CrowdTests {
    /// Ticks every 100 ms; of each span `crowded` milliseconds were taken by others until `end`, and none afterwards.
    private func story(
        crowded: Double, until end: Double, _ tell: (inout Transcript) -> Void
    ) -> Judgement {
        judge { story in
            story.tick(at: 0)
            story.tick(at: 1)
            story.enter(1, "alice", at: 2)
            story.send(1, "{", at: 10)
            for step in 1...9 { story.tick(at: Double(step) * 100, crowded: crowded) }
            for step in 10...60 where Double(step) * 100 <= end { story.tick(at: Double(step) * 100, crowded: crowded) }
            tell(&story)
        }
    }

    @Test func aLateAnswerAccusesNobody() {
        let judgement = story(crowded: 60, until: 1_400) { story in
            story.event(1, Say.error("message_processing_error"), at: 1_450)
            story.ticks(from: 1_500, to: 4_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("E3").failed == 0)
    }

    @Test func silenceThatOutlastsTheCrowdIsFound() {
        let judgement = story(crowded: 60, until: 1_400) { story in story.ticks(from: 1_500, to: 6_000) }
        #expect(judgement.heads == ["E3"])
    }

    @Test func whoLeavesWhileCreditRunsProvesNothing() {
        let judgement = story(crowded: 60, until: 1_300) { story in
            story.close(1, by: .client, 1000, at: 1_350)
            story.ticks(from: 1_400, to: 6_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("E3").inconclusive == 1)
    }

    /// Nothing was lost, the bound was over, and only the proof of it was still to come.
    @Test func whoLeavesAfterTheBoundWaitedLongEnough() {
        let judgement = story(crowded: 0, until: 1_100) { story in
            story.close(1, by: .client, 1000, at: 1_150)
            story.ticks(from: 1_200, to: 3_000)
        }
        #expect(judgement.heads == ["E3"])
    }

    /// An answer that we kept waiting for comes in its turn, and is not taken for that of a younger request.
    @Test func aLateAnswerIsNotTakenForAYoungerOnes() {
        let judgement = judge { story in
            story.tick(at: 0)
            story.enter(1, "alice", at: 2)
            story.send(1, "{", at: 10)
            // Nobody looked for two seconds.
            story.ticks(from: 2_000, to: 2_500)
            story.send(1, Say.start("alice", "q1"), at: 2_510)
            story.event(1, Say.error("message_processing_error"), at: 2_520)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 2_530)
            story.ticks(from: 2_600, to: 6_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.summary("E3").inconclusive == 1)
    }
}
