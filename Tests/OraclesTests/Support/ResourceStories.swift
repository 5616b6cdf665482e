import Journaling
import Testing

@testable import Oracles

/// What must be told of H2, R1, R2 and R3.
enum ResourceStories {
    private static func disturb(_ story: inout Transcript, _ session: Int, at ms: Double) {
        story.fault(session, "drop", Influence(.message, [.delivery, .completion]), tap: .clientOut, at: ms)
    }

    private static func inject(_ story: inout Transcript, faulty: Bool = false, answered: Bool = true) {
        story.ask(1, "/ws?next=%0D%0Ax-miswire:%20yes", at: 0)
        if faulty { disturb(&story, 1, at: 1) }
        if answered { story.answer(1, 302, ["Location: /", "X-Miswire: yes"], at: 10) }
    }

    static let injection = PropertyStories(
        words: "no header injection",
        violated: { inject(&$0) },
        kept: { story in
            story.ask(1, "/ws?next=%0D%0Ax-miswire:%20yes", at: 0)
            story.answer(1, 400, ["Location: /?next=%0D%0Ax-miswire:%20yes"], at: 10)
        },
        excused: nil,
        unmoved: { inject(&$0, faulty: true) },
        undecided: { inject(&$0, answered: false) })

    private static func swell(_ story: inout Transcript, faulty: Bool = false) {
        story.checkpoint(0, at: 0)
        story.enter(1, "alice", at: 1)
        if faulty { disturb(&story, 1, at: 2) }
        story.checkpoint(1, peak: 400 << 20, isQuiet: false, at: 10)
    }

    static let resources = PropertyStories(
        words: "bounded resources",
        violated: { swell(&$0) },
        kept: { story in
            for round in 0..<12 { story.checkpoint(round, memory: UInt64(50 + round % 3) << 20, at: Double(round * 100)) }
        },
        excused: nil,
        unmoved: { swell(&$0, faulty: true) },
        undecided: { story in
            for round in 0..<3 { story.checkpoint(round, at: Double(round * 100)) }
        })

    private static func asked(_ story: inout Transcript) {
        story.target(.sentinel(user: "alice"), at: 0)
        story.enter(1, "alice", at: 1)
        story.send(1, Say.start("alice", "q1"), at: 10)
    }

    static let survival = PropertyStories(
        words: "survives and recovers",
        violated: { $0.target(.gone("signal 11 (SIGSEGV)"), at: 10) },
        kept: { story in
            asked(&story)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
        },
        excused: { story in
            asked(&story)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 20)
            story.end(1, .server, .reset, by: .fault, at: 20)
            story.end(1, .client, .finish, by: .fault, at: 20)
        },
        undecided: { asked(&$0) })

    /// Three runs alone, then one beside bob.
    static func waiting(_ story: inout Transcript, alone: Int = 3, beside: Double, faulty: Bool = false) {
        story.target(.sentinel(user: "alice"), at: 0)
        story.enter(1, "alice", at: 1)
        for number in 0..<alone { run(&story, number, at: 10 + Double(number) * 20, took: 10) }
        story.enter(2, "bob", at: 100)
        if faulty { disturb(&story, 2, at: 101) }
        run(&story, 9, at: 110, took: beside)
    }

    static func run(_ story: inout Transcript, _ number: Int, at ms: Double, took: Double) {
        let (run, thread) = ("r\(number)", "t\(number)")
        story.send(1, Say.start("alice", "q\(number)"), at: ms)
        story.event(1, Say.event("agent_started", "alice", run: run, thread: thread, request: "q\(number)"), at: ms + 1)
        story.event(1, Say.event("agent_completed", "alice", run: run, thread: thread), at: ms + took)
    }

    static let fairness = PropertyStories(
        words: "no starvation",
        violated: { waiting(&$0, beside: 3_000) },
        kept: { waiting(&$0, beside: 1_900) },
        excused: nil,
        unmoved: { waiting(&$0, beside: 3_000, faulty: true) },
        undecided: { waiting(&$0, alone: 2, beside: 100) })
}
