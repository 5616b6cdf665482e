import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Staging: nobody sends canaries, and words that only one user said are told to another.
@Suite struct LearntWordsTests {
    private static let word = "9f86d081-884c-7d65-9a2f-eaa0c55ad015"

    private static func says(_ session: Int, _ user: String, _ text: String, at ms: Double) -> (inout Transcript) -> Void {
        { story in
            story.send(session, Say.start(user, "q\(session)", text: text), at: ms)
            story.wholeRun(session, user, run: "r\(session)-\(ms)", thread: "t\(session)", request: "q\(session)", at: ms + 1)
        }
    }
    private static func hears(_ session: Int, _ text: String, _ type: String = "notice", at ms: Double) -> (inout Transcript) -> Void {
        { $0.event(session, #"{"type":"\#(type)","text":"\#(text)"}"#, at: ms) }
    }

    private func judged(_ moves: [(inout Transcript) -> Void], by contract: Contract = AgentChat.contract) -> Judgement {
        judge(contract) { story in
            for (index, user) in ["alice", "bob", "carol"].enumerated() { story.enter(index + 1, user, at: Double(index)) }
            for move in moves { move(&story) }
        }
    }

    private func isSilent(_ judgement: Judgement) -> Bool {
        judgement.findings.isEmpty && judgement.summary("I1").inconclusive == 0
    }

    @Test func suspectedAndNoMore() {
        let judgement = judged([
            Self.says(1, "alice", "my key is \(Self.word), keep it", at: 10), Self.hears(2, "for you: \(Self.word)", at: 50),
        ])
        #expect(judgement.findings.isEmpty, "it proves nothing")
        #expect(judgement.summary("I1").verdict == .inconclusive)
        let reason = judgement.summary("I1").reasons.first ?? ""
        #expect(reason.hasPrefix("suspected: 9f86d0…15 (36 bytes), which alice alone had said, came to bob alone in notice at "))
        #expect(!reason.contains(Self.word))
    }

    /// Whatever explains it.
    @Test(arguments: 0..<12) func explained(story: Int) {
        let said = Self.says(1, "alice", "see \(Self.word)", at: 10)
        let leak = Self.hears(2, Self.word, at: 50)
        let moves: [(inout Transcript) -> Void] =
            switch story {
            case 0: [said, Self.hears(1, Self.word, at: 50)]
            case 1: [said, Self.says(2, "bob", Self.word, at: 30), leak]
            case 2: [said, leak, Self.says(2, "bob", Self.word, at: 70)]
            case 3: [said, leak, Self.hears(3, Self.word, at: 60)]
            case 4: [Self.hears(2, Self.word, at: 5), said, leak]
            case 5: [Self.hears(1, Self.word, at: 5), said, leak]
            case 6: [said, leak, Self.says(3, "carol", Self.word, at: 70)]
            // There are canaries: they tell.
            case 7: [said, leak, Self.says(3, "carol", "mwc-abcdefghijkl", at: 70)]
            // A fault of ours had it in hand.
            case 8: [{ $0.send(1, Say.start("alice", "q1", text: Self.word), at: 10, faults: ["f1"]) }, Self.wholeRun, leak]
            // What bob said nobody could read.
            case 9: [said, { $0.unlifted(2, .toServer, at: 40) }, leak]
            // Names, dates and versions are drawn by nobody.
            case 10: [
                Self.says(1, "alice", "gpt-4o-2024-08-06 thread_chat_1757371363786_12_abcdef", at: 10),
                Self.hears(2, "gpt-4o-2024-08-06 thread_chat_1757371363786_12_abcdef", at: 50),
            ]
            // By design, as it seems.
            default: (0..<6).flatMap { number -> [(inout Transcript) -> Void] in
                let word = "\(number)a1b2c3d4e5f6a7b8"
                return [Self.says(1, "alice", word, at: 10 + 10 * Double(number)), Self.hears(2, word, at: 100 + Double(number))]
            }
            }
        let judgement = judged(moves)
        #expect(judgement.findings.filter { $0.property == "I1" }.isEmpty)
        #expect(!judgement.summary("I1").reasons.contains { $0.hasPrefix("suspected") }, "\(judgement.summary("I1").reasons)")
        if story == 11 { #expect(judgement.notes.contains { $0.contains("`sharing`") }) }
    }

    private static func wholeRun(_ story: inout Transcript) {
        story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
    }

    /// Without a name, somebody else may be the same.
    @Test func whoHasNoNameMayComeAgain() {
        let judgement = judge { story in
            for session in 1...2 { story.open(session, nil, at: 0, state: .unknown) }
            story.send(1, #"{"type":"cancel","run_id":"\#(Self.word)"}"#, at: 10)
            story.event(2, #"{"type":"notice","text":"\#(Self.word)"}"#, at: 50)
        }
        #expect(!judgement.summary("I1").reasons.contains { $0.hasPrefix("suspected") })
    }

    @Test func declaredBroadcast() {
        let contract = AgentChat.with(#"{"sharing": {"broadcast": ["partial_result"]}}"#)
        let text = #"{"type":"partial_result","user_id":"bob","thread_id":"t2","run_id":"r2","text":"\#(Self.word)"}"#
        let judgement = judged([Self.says(1, "alice", Self.word, at: 10), { $0.event(2, text, at: 50) }], by: contract)
        #expect(!judgement.summary("I1").reasons.contains { $0.hasPrefix("suspected") })
    }

    /// Users who talk with a server that repeats what each said, and tells all the same constants: never a word about it.
    @Test(arguments: 1...60 as ClosedRange<UInt64>) func healthyTalkIsSilent(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "learnt", user: "", connection: 0), direction: nil, message: 0, fault: "")
        let digits = Array("0123456789abcdefABCDEFxyz".utf8)
        func word() -> String { String(decoding: (0..<24).map { _ in digits[dice.below(digits.count)] }, as: UTF8.self) }
        let constants = (0..<3).map { _ in word() }
        var own: [[String]] = [[], [], []]
        var moves: [(inout Transcript) -> Void] = []
        for step in 0..<60 {
            let at = 10 + 10 * Double(step)
            let user = dice.below(3)
            switch dice.below(4) {
            case 0, 1:
                own[user].append(word())
                moves.append(Self.says(user + 1, ["alice", "bob", "carol"][user], own[user][own[user].count - 1], at: at))
            case 2: if let mine = own[user].last { moves.append(Self.hears(user + 1, "\(mine) and \(word())", at: at)) }
            default: for all in 1...3 { moves.append(Self.hears(all, constants[dice.below(3)], at: at)) }
            }
        }
        #expect(isSilent(judged(moves)))
    }

    @Test func memoryIsBounded() {
        var words = LearntWords(capacity: 100)
        let aliases = Aliases(capacity: 10)
        for number in 0..<10_000 {
            words.said(["word-\(number)"], by: .named("alice"), isOwn: true)
            words.told(["word-\(number)"], to: .named("bob"), isShared: false, type: "t\(number % 50)", at: .zero, aliases)
        }
        #expect(words.left(aliases).suspicions.count <= 64)
        words.turnOff()
        #expect(words.isEmpty && words.left(aliases).suspicions.isEmpty)
    }

    @Test func whatLooksDrawn() {
        #expect(LearntWords.all(in: "id=\(Self.word); x") == [Self.word])
        let none = [
            "2026-11-22T23:42:09.123Z", "agent_started_with_tools_2", "aaaa1111aaaa1111aaaa1111", "x1y2z3", "gpt-4o-2024-08-06",
            "‹jwt:a1›",
        ]
        for text in none { #expect(LearntWords.all(in: text).isEmpty, "\(text)") }
        #expect(LearntWords.all(in: .object([.init(key: "a", value: [.string(Self.word), 1, .null])])) == [Self.word])
    }
}
