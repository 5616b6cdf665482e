import Journaling
import Testing
import Wire

@testable import Oracles

/// R1 and R3: what is a leak, a bomb or starvation, and what only looks like it.
@Suite struct ResourceTests {
    private func edges(_ judgement: Judgement, _ id: String) -> [String] {
        judgement.findings.filter { $0.property == id }.map(\.sentence)
    }

    /// Rounds of two sessions each, a checkpoint behind each, and one when all have rested.
    private func soak(
        rounds: Int = 12, rest: Double = 2_500, _ usage: (Int) -> (memory: UInt64, descriptors: Int, threads: Int)
    ) -> Judgement {
        judge { story in
            for round in 0..<rounds {
                let ms = Double(round) * 200
                for session in 1...2 {
                    let id = round * 2 + session
                    story.enter(id, "alice", at: ms)
                    story.closed(id, at: ms + 20)
                }
                let (memory, descriptors, threads) = usage(round)
                story.checkpoint(2 * (round + 1), memory: memory, descriptors: descriptors, threads: threads, at: ms + 100)
            }
            let (memory, descriptors, threads) = usage(rounds - 1)
            story.checkpoint(2 * rounds, memory: memory, descriptors: descriptors, threads: threads, at: Double(rounds) * 200 + rest)
        }
    }

    @Test func whatStaysIsNamed() {
        #expect(edges(soak { (50 << 20, 20 + 2 * $0, 4) }, "R1") == ["the target keeps more and more descriptors, and nobody is connected"])
        #expect(edges(soak { (50 << 20, 20, 4 + $0) }, "R1") == ["the target keeps more and more threads, and nobody is connected"])
        let memory = edges(soak { (UInt64(50 + 40 * $0) << 20, 20, 4) }, "R1")
        #expect(memory.contains("the target keeps more and more memory, and nobody is connected"), "\(memory)")
    }

    @Test func whatOnlyLooksLikeALeakIsNone() {
        let stories: [(String, (Int) -> (memory: UInt64, descriptors: Int, threads: Int))] = [
            ("a pool that fills", { (50 << 20, 20 + min($0, 5), 4 + min($0, 5)) }),
            ("a collector that has its time", { (UInt64(50 + 40 * ($0 % 4)) << 20, 20, 4) }),
            ("an allocator that warms up", { (UInt64(50 + 10 * $0) << 20, 20, 4) }),
            ("a few that linger", { (50 << 20, 20 + $0 % 3, 4) }),
            ("nothing at all", { _ in (50 << 20, 20, 4) }),
        ]
        for (why, usage) in stories {
            let judgement = soak(usage)
            #expect(judgement.failed.isEmpty, "\(why): \(judgement.sentences)")
            #expect(judgement.summary("R1").verdict == .pass, "\(why)")
        }
    }

    @Test func aServerMayTakeAMomentToLetGo() {
        #expect(soak(rest: 500) { (50 << 20, 20 + 2 * $0, 4) }.failed.isEmpty)
    }

    /// Runs that were open may go on for as long as the contract gives them, and hold what they need.
    @Test func workThatGoesOnIsNoLeak() {
        let judgement = judge { story in
            for round in 0..<12 {
                let ms = Double(round) * 200
                story.enter(round + 1, "alice", at: ms)
                story.send(round + 1, Say.start("alice", "q\(round)"), at: ms + 1)
                story.end(round + 1, .client, at: ms + 10)
                story.closed(round + 1, at: ms + 20)
                story.checkpoint(round + 1, descriptors: 20 + round, at: ms + 100)
            }
            story.checkpoint(12, descriptors: 31, at: 6_000)
        }
        #expect(judgement.failed.isEmpty, "\(judgement.sentences)")
    }

    @Test func whatWasSentMayBeHeldSixteenTimes() {
        func judged(_ megabytes: UInt64) -> Judgement {
            judge { story in
                story.checkpoint(0, at: 0)
                story.enter(1, "alice", at: 1)
                let words = String(repeating: "x", count: 1 << 20)
                story.send(1, #"{"type":"invalid_type","text":"\#(words)"}"#, at: 10)
                story.event(1, Say.error("message_processing_error"), at: 11)
                story.checkpoint(1, memory: (50 + megabytes) << 20, isQuiet: false, at: 20)
            }
        }
        #expect(edges(judged(270), "R1").isEmpty)
        #expect(edges(judged(280), "R1") == ["the target takes 280 MiB of memory for 1 MiB that it was sent"])
    }

    @Test func aMachineWithoutAProcessorToSpareProvesNoStarvation() {
        let judgement = judge { story in
            story.tick(at: 0)
            ResourceStories.waiting(&story, beside: 3_000)
            for ms in stride(from: 200.0, through: 3_400, by: 100) { story.tick(at: ms, crowded: 99) }
        }
        #expect(edges(judgement, "R3").isEmpty)
        #expect(judgement.summary("R3").verdict == .inconclusive, "\(judgement.counts("R3"))")
    }

    @Test func aSlowServerIsSlowForEverybody() {
        let judgement = judge { story in
            story.target(.sentinel(user: "alice"), at: 0)
            story.enter(1, "alice", at: 1)
            for number in 0..<3 { ResourceStories.run(&story, number, at: 10 + Double(number) * 1_000, took: 500) }
            story.enter(2, "bob", at: 3_100)
            ResourceStories.run(&story, 9, at: 3_200, took: 4_000)
        }
        #expect(judgement.failed.isEmpty && judgement.summary("R3").verdict == .pass)
    }
}
