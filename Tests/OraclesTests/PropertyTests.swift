import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// What every property must show to be in the registry.
struct PropertyStories: Sendable {
    typealias Story = @Sendable (inout Transcript) -> Void
    /// As the table shows it (looks.md, section 1).
    var words: String
    /// One violation, one finding, headed by it.
    var violated: Story
    var kept: Story
    /// Nil: nothing excuses it; then `unmoved` must fail though a fault acted on that very connection.
    var excused: Story?
    var unmoved: Story?
    /// Judged until 500 ms.
    var undecided: Story

    static let all: [String: PropertyStories] = [
        "H1": greeting, "E1": runs, "E2": parts, "E3": errors, "E4": success, "E5": form, "I1": content, "I2": owners, "I3": bonds,
        "I4": credentials,
        "A1": authentication, "C1": protocol6455, "C2": messages, "D1": delivery, "D2": resume, "X1": stated,
        "H2": ResourceStories.injection, "R1": ResourceStories.resources, "R2": ResourceStories.survival, "R3": ResourceStories.fairness,
    ]

    private static func cut(_ story: inout Transcript, _ session: Int, at ms: Double) {
        story.fault(session, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: ms)
        story.end(session, .server, .reset, by: .fault, at: ms)
        story.end(session, .client, .finish, by: .fault, at: ms)
    }

    private static let delivery = PropertyStories(
        words: "no loss, duplicate, reorder",
        violated: { $0.numbered(1, "alice", [1, 2, 4], at: 0, ends: true) },
        kept: { $0.numbered(1, "alice", [1, 2, 3], at: 0, ends: true) },
        excused: { story in
            story.numbered(1, "alice", [1, 2], at: 0, ends: true)
            story.fault(1, "stall-reads", Influence(.connection, [.deadline]), tap: .serverIn, at: 20)
            story.truncated(1, "alice", at: 30)
            story.numbers(1, "alice", [5], at: 31)
        },
        undecided: { story in
            story.numbered(1, "alice", [1, 2], at: 0, ends: true)
            story.enter(2, "alice", at: 20)
            story.numbers(1, "alice", [4], at: 30)
        })

    private static let resume = PropertyStories(
        words: "resume complete",
        violated: { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0, ends: true)
            story.leave(1, at: 30)
            story.resume(2, "alice", "1", at: 40)
            story.numbers(2, "alice", [3], at: 50)
        },
        kept: { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0, ends: true)
            story.leave(1, at: 30)
            story.resume(2, "alice", "1", at: 40)
            story.numbers(2, "alice", [2, 3], at: 50)
        },
        unmoved: { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0, ends: true)
            cut(&story, 1, at: 30)
            story.resume(2, "alice", "1", at: 40)
            story.numbers(2, "alice", [3], at: 50)
        },
        undecided: { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0, ends: true)
            story.leave(1, at: 30)
            story.resume(2, "alice", "1", at: 40)
        })

    private static let greeting = PropertyStories(
        words: "accept first, first frame kept",
        violated: { $0.open(1, "alice", at: 0) },
        kept: { $0.enter(1, "alice", at: 0) },
        excused: { story in
            story.open(1, "alice", at: 0)
            cut(&story, 1, at: 10)
        },
        undecided: { $0.open(1, "alice", at: 0) })

    private static func started(_ story: inout Transcript) {
        story.enter(1, "alice", at: 0)
        story.send(1, Say.start("alice", "q1"), at: 10)
        story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
    }

    private static let runs = PropertyStories(
        words: "a run ends once",
        violated: { started(&$0) },
        kept: { story in
            started(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 12)
        },
        excused: { story in
            started(&story)
            cut(&story, 1, at: 20)
        },
        undecided: { started(&$0) })

    private static func toolUsed(_ story: inout Transcript) {
        started(&story)
        story.event(1, Say.event("tool_executing", "alice", run: "r1", thread: "t1", more: #","tool_call_id":"c1""#), at: 12)
    }

    private static let parts = PropertyStories(
        words: "tools pair and nest",
        violated: { story in
            toolUsed(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 13)
        },
        kept: { story in
            toolUsed(&story)
            story.event(1, Say.event("tool_completed", "alice", run: "r1", thread: "t1", more: #","tool_call_id":"c1""#), at: 13)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 14)
        },
        excused: { story in
            toolUsed(&story)
            cut(&story, 1, at: 20)
        },
        undecided: { toolUsed(&$0) })

    private static func refused(_ story: inout Transcript) {
        story.enter(1, "alice", at: 0)
        story.send(1, "{", at: 10)
    }

    private static let errors = PropertyStories(
        words: "errors reach the requester",
        violated: { refused(&$0) },
        kept: { story in
            refused(&story)
            story.event(1, Say.error("message_processing_error"), at: 20)
        },
        excused: { story in
            refused(&story)
            cut(&story, 1, at: 20)
        },
        undecided: { refused(&$0) })

    private static let success = PropertyStories(
        words: "no success for invalid",
        violated: { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil, "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
        },
        kept: errors.kept,
        excused: errors.excused,
        undecided: { refused(&$0) })

    private static let flow =
        #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","message":"say mwc-aaaaaaaaaaaa"}"#

    private static func recovering(_ story: inout Transcript) {
        story.enter(1, "alice", at: 0)
        story.send(1, "{", at: 10)
        story.event(1, Say.error("message_processing_error"), at: 11)
        story.send(1, flow, at: 20)
    }

    private static let form = PropertyStories(
        words: "error shape, order, recovery",
        violated: { story in
            refused(&story)
            story.event(1, #"{"type":"error","error":"message_processing_error"}"#, at: 20)
        },
        kept: { story in
            recovering(&story)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: nil, at: 21)
        },
        excused: { story in
            recovering(&story)
            cut(&story, 1, at: 30)
        },
        undecided: { recovering(&$0) })

    private static func leak(_ story: inout Transcript) {
        story.event(2, #"{"type":"notice","text":"mwc-abcdefghijkl"}"#, at: 30)
    }

    private static func crowd(_ story: inout Transcript) {
        story.enter(1, "alice", at: 0)
        story.enter(2, "bob", at: 1)
        story.send(1, Say.start("alice", "q1", text: "mwc-abcdefghijkl"), at: 10)
        story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
    }

    private static let content = PropertyStories(
        words: "no foreign content",
        violated: { story in
            crowd(&story)
            leak(&story)
        },
        kept: { story in
            crowd(&story)
            story.event(1, #"{"type":"notice","text":"mwc-abcdefghijkl"}"#, at: 30)
            story.event(2, #"{"type":"notice","text":"mwc-aaaaaaaaaaaa"}"#, at: 30)
        },
        unmoved: { story in
            crowd(&story)
            cut(&story, 2, at: 20)
            leak(&story)
        },
        undecided: { story in
            crowd(&story)
            story.unlifted(2, .toClient, at: 30)
        })

    private static let owners = PropertyStories(
        words: "routing by ownership",
        violated: { story in
            crowd(&story)
            story.event(2, Say.event("agent_thinking", "alice", run: "r1", thread: "t1"), at: 30)
        },
        kept: { crowd(&$0) },
        unmoved: { story in
            crowd(&story)
            story.fault(1, "cross-streams", Influence(.message, [.routing, .delivery, .completion]), tap: .serverOut, at: 20)
            cut(&story, 2, at: 20)
            story.event(2, Say.event("agent_thinking", "alice", run: "r1", thread: "t1"), at: 30)
        },
        undecided: { story in
            crowd(&story)
            story.unlifted(2, .toClient, at: 30)
        })

    private static let bonds = PropertyStories(
        words: "identity consistent",
        violated: { story in
            started(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t2"), at: 12)
        },
        kept: { story in
            started(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 12)
        },
        unmoved: { story in
            started(&story)
            story.fault(1, "mutate", Influence(.message, [.delivery, .success]), tap: .clientOut, at: 12)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t2"), at: 12)
        },
        undecided: { story in
            started(&story)
            story.unlifted(1, .toClient, at: 30)
        })

    private static func disclosed(_ story: inout Transcript) {
        story.event(1, #"{"type":"notice","text":"no good: ‹jwt:a1›"}"#, at: 30)
        story.discloses(1, "jwt:a1", at: 30)
    }

    private static let credentials = PropertyStories(
        words: "no credential in content",
        violated: { story in
            story.bring(1, "alice", tag: "jwt:a1", at: 0)
            disclosed(&story)
        },
        kept: { story in
            story.bring(1, "alice", tag: "jwt:a1", at: 0)
            story.event(1, #"{"type":"notice","text":"no good: ‹jwt:a1›"}"#, at: 30)
        },
        unmoved: { story in
            story.bring(1, "alice", tag: "jwt:a1", at: 0)
            cut(&story, 1, at: 20)
            disclosed(&story)
        },
        undecided: { story in
            story.bring(1, "alice", tag: "jwt:a1", at: 0)
            story.unlifted(1, .toClient, at: 30)
        })

    private static let authentication = PropertyStories(
        words: "authentication fails closed",
        violated: { $0.open(1, "alice", at: 0, state: .forged, faults: ["f1"]) },
        kept: { story in
            story.upgrade(1, "alice", at: 0, state: .forged, faults: ["f1"])
            story.refuse(1, 401, at: 5)
        },
        excused: { story in
            story.open(1, "alice", at: 0, state: .forged, faults: ["f1"])
            cut(&story, 1, at: 10)
        },
        undecided: { $0.open(1, "alice", at: 0, state: .forged, faults: ["f1"]) })

    /// alice forgets to mask a message, and the server takes it.
    private static func unmasked(_ story: inout Transcript, faults: [String] = []) {
        story.enter(1, "alice", at: 0)
        let text = #"{"type":"ping","text":"mwc-abcdefghijkl"}"#
        story.frame(1, .toServer, Frame(opcode: .text, payload: ByteBuffer(string: text)), at: 10, faults: faults)
        story.event(1, #"{"type":"notice","text":"mwc-abcdefghijkl"}"#, at: 20)
    }

    private static let protocol6455 = PropertyStories(
        words: "protocol conformance",
        violated: { unmasked(&$0) },
        kept: { story in
            started(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 12)
            story.close(1, by: .client, 1000, at: 20)
            story.close(1, by: .server, 1000, at: 21)
        },
        excused: nil,
        unmoved: { story in
            story.fault(1, "cut", Influence(.connection, [.ending, .completion]), tap: .serverOut, at: 0)
            unmasked(&story, faults: ["f1"])
        },
        undecided: { story in
            unmasked(&story)
        })

    private static let messages = PropertyStories(
        words: "message contract",
        violated: { story in
            started(&story)
            story.event(1, #"{"type":"agent_mused","user_id":"alice"}"#, at: 12)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 13)
        },
        kept: { story in
            started(&story)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 12)
        },
        excused: nil,
        unmoved: { story in
            story.enter(1, "alice", at: 0)
            story.fault(1, "mutate", Influence(.message, [.completion]), tap: .clientOut, at: 5)
            story.event(1, #"{"type":"connected","user_id":"alice"}"#, at: 10)
        },
        undecided: { story in
            story.enter(1, "alice", at: 0)
            story.unlifted(1, .toClient, at: 10)
            story.event(1, "{", at: 20)
        })

    /// A fault after which the profile expects a close.
    private static func expecting(_ story: inout Transcript) {
        story.enter(1, "alice", at: 0)
        story.fault(
            1, "control", Influence(.connection, [.success]), tap: .serverOut,
            expect: Journaling.Expectation(what: .closed, codes: [1002, 1008], within: .seconds(1)), at: 10)
    }

    private static let stated = PropertyStories(
        words: "stated expectations are met",
        violated: { expecting(&$0) },
        kept: { story in
            expecting(&story)
            story.close(1, by: .server, 1008, at: 500)
        },
        excused: { story in
            expecting(&story)
            cut(&story, 1, at: 20)
        },
        undecided: { expecting(&$0) })
}

/// The contract of the registry itself: whoever adds a property tells these stories of it.
@Suite struct PropertyTests {
    @Test func idsNamesAndSentencesAreUnique() {
        let all = PropertyRegistry.all
        #expect(Set(all.map { $0.id }).count == all.count)
        #expect(Set(all.map { $0.name }).count == all.count)
        #expect(Set(all.map { $0.requirement }).count == all.count)
        #expect(all.allSatisfy { PropertyRegistry.specificity.contains($0.id) }, "each has its rank")
        #expect(Set(PropertyStories.all.keys) == Set(all.map { $0.id }), "stories are told of each, and of no other")
    }

    @Test(arguments: PropertyRegistry.all.map { $0.id })
    func tellsItsStories(id: String) throws {
        let stories = try #require(PropertyStories.all[id], "\(id) has no stories")
        let violated = judge { stories.violated(&$0) }
        #expect(violated.heads == [id], "one cause, one finding: \(violated.sentences)")
        #expect(violated.summary(id).failed == 1 && violated.findings.first?.repeats == 1)
        #expect(violated.summary(id).verdict == .fail && violated.summary(id).name == stories.words)

        let kept = judge { stories.kept(&$0) }
        #expect(kept.summary(id).verdict == .pass, "\(kept.sentences)")
        #expect(kept.failed.isEmpty && kept.summary(id).passed > 0)

        if let excused = stories.excused {
            let judgement = judge { excused(&$0) }
            #expect(judgement.summary(id).verdict == .excused, "\(judgement.counts(id)) \(judgement.sentences)")
            #expect(judgement.summary(id).excuses.first?.hasPrefix("\(id) ") == true)
            #expect(judgement.summary(id).excused <= judgement.faultsActed)
        } else {
            let unmoved = try #require(stories.unmoved, "\(id): neither excused nor unmoved")
            #expect(judge { unmoved(&$0) }.heads == [id])
        }
        let undecided = judge(until: 500) { stories.undecided(&$0) }
        #expect(undecided.summary(id).verdict == .inconclusive, "\(undecided.counts(id)) \(undecided.sentences)")
        #expect(undecided.summary(id).reasons.isEmpty == false)
    }

    /// A key that is missing makes it not applicable, and that is no pass.
    @Test(arguments: PropertyRegistry.all.map { $0.id })
    func withoutItsKeyItIsNotAsked(id: String) throws {
        let type = try #require(PropertyRegistry.all.first { $0.id == id })
        guard let key = type.missingKey(in: nil) else { return }
        #expect(!key.isEmpty)
        let summary = judge(nil) { PropertyStories.all[id]?.violated(&$0) }.summary(id)
        #expect(summary.notApplicable == key && summary.verdict == nil && summary.checked == 0)
        #expect(type.missingKey(in: AgentChat.contract) == nil)
    }

    // MARK: The suite itself

    private func entries(_ story: PropertyStories.Story) -> [Entry] {
        var transcript = Transcript()
        story(&transcript)
        return transcript.entries.sorted { ($0.instant, $0.sequence) < ($1.instant, $1.sequence) }
    }

    /// A planted canary: a judge whose properties pass everything must not get through the suite above.
    @Test(arguments: PropertyRegistry.all.map { $0.id })
    func aJudgeThatPassesEverythingIsNoticed(id: String) throws {
        let stories = try #require(PropertyStories.all[id])
        var stub = Judge(contract: AgentChat.contract, properties: [PassesAll.self])
        var real = Judge(contract: AgentChat.contract)
        for entry in entries(stories.violated) {
            stub.observe(entry)
            real.observe(entry)
        }
        let end = Transcript.instant(100_000)
        #expect(stub.conclude(at: end).heads != [id])
        #expect(stub.conclude(at: end).properties.first?.verdict == .pass, "it does judge, and wrongly")
        #expect(real.conclude(at: end).heads == [id])
    }

    /// A property told of everything says what it says when it is told of what it hears.
    @Test(arguments: PropertyRegistry.all.map { $0.id })
    func nothingElseConcernsIt(id: String) throws {
        let type = try #require(PropertyRegistry.all.first { $0.id == id })
        for seed in 1...12 as ClosedRange<UInt64> {
            var reader = Reader(AgentChat.contract)
            var property = type.init(AgentChat.contract)
            for entry in RandomJournal(seed: seed).entries {
                while reader.fireNext(before: Reader.horizon(of: entry)) {}
                reader.read(entry)
                for reading in reader.drain() where type.hears.isDisjoint(with: reading.kind) {
                    #expect(try property.observe(reading) == nil, "\(id) has something to say on \(reading.kind)")
                }
            }
        }
    }

    @Test func aPropertyThatThrowsIsInconclusiveAlone() throws {
        var judge = Judge(contract: AgentChat.contract, properties: [Throws.self, ErrorReaches.self])
        for entry in entries(try #require(PropertyStories.all["E3"]).violated) { judge.observe(entry) }
        let judgement = judge.conclude(at: Transcript.instant(100_000))
        #expect(judgement.counts("X9") == [1, 0, 0, 1, 0])
        #expect(judgement.heads == ["E3"])
    }
}

private struct PassesAll: Property {
    static let id = "X0"
    static let name = "everything is fine"
    static let requirement = "nothing"
    static let hears = ReadingKinds.all
    static func missingKey(in contract: Contract?) -> String? { nil }
    init(_ contract: Contract?) {}
    func observe(_ reading: Reading) -> Ruling? { .pass }
}

private struct Throws: Property {
    struct Failure: Error {}
    static let id = "X9"
    static let name = "cannot judge"
    static let requirement = "nothing"
    static let hears = ReadingKinds.all
    static func missingKey(in contract: Contract?) -> String? { nil }
    init(_ contract: Contract?) {}
    func observe(_ reading: Reading) throws -> Ruling? { throw Failure() }
}
