import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Parts of a run as the contract's automaton has them (contract.md, semantics 9; oracle.md, E2).
@Suite struct PartsTests {
    typealias Story = @Sendable (inout Transcript) -> Void

    /// `+c1` begins the tool call c1, `-c1` ends it, `!` completes the run, `x` ends it by an error; one each millisecond. `+`
    /// and `-` alone name none, `+@t` and `-@t` name the tool only.
    private static func run(_ moves: String, from: Double = 20, _ contract: Contract = AgentChat.contract) -> Judgement {
        judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play(moves, run: "r1", on: 1, "alice", at: from)
        }
    }

    @Test(arguments: [
        "!", "+c1 -c1 !", "+c1 +c2 -c1 -c2 !", "+c1 +c2 -c2 -c1 !", "+c1 -c1 +c2 -c2 !", "+ - !", "+ + - - !", "+@t -@t +@t -@t !",
        "+@t +@t -@t -@t !", "+@s +@t -@s -@t !", "+c1 - !", "+ -c1 !", "x", "+c1 x", "+c1 +c2 -c1 x", "+c1@t -@t !", "+@t -c1@t !",
        "+c1@t +c2@t -c1@t -c2@t !",
    ])
    func healthy(moves: String) {
        let judgement = Self.run(moves)
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
    }

    @Test(arguments: [
        ("+c1 !", "alice's tool gets no tool_completed before agent_completed"),
        ("+c1 +c2 -c1 !", "alice's tool gets no tool_completed before agent_completed"),
        ("+ !", "alice's tool gets no tool_completed before agent_completed"),
        ("-c1 !", "alice's tool ends with tool_completed and never began"),
        ("- !", "alice's tool ends with tool_completed and never began"),
        ("+c1 -c1 -c1 !", "alice's tool ends a second time with tool_completed"),
        ("+@t -@t -@t !", "alice's tool ends a second time with tool_completed"),
        ("+c1 -c2 -c1 !", "alice's tool ends with tool_completed and never began"),
        ("+c1 +c1 -c1 !", "alice's tool begins a second time with tool_executing"),
        ("+c1 -c1 +c1 -c1 !", "alice's tool begins a second time with tool_executing"),
        // B05: the first try of two has no end. B06: one call ends for the other.
        ("+c1 +c2 -c2 !", "alice's tool gets no tool_completed before agent_completed"),
        ("+c1 +c2 -c1 -c1 !", "alice's tool ends a second time with tool_completed"),
    ])
    func violated(moves: String, sentence: String) {
        let judgement = Self.run(moves)
        #expect(judgement.heads == ["E2"])
        #expect(judgement.findings.first?.sentence == sentence)
        #expect(judgement.summary("E2").failed == 1, "one cause is told once")
        #expect(judgement.findings.first?.contractLine != nil && judgement.failed == ["E2"])
    }

    @Test func theBoundOfAPart() {
        let judgement = Self.run("+c1", from: 1_000)
        #expect(judgement.failed == ["E1", "E2"])
        #expect(judgement.heads == ["E1 also E2"], "the run stands still as well, and that heads it")
        let alone = judge(until: 40_000) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1", run: "r1", on: 1, "alice", at: 1_000)
            story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "t1"), at: 20_000)
        }
        #expect(alone.heads == ["E2"])
        #expect(alone.findings.first?.sentence == "alice's tool gets no tool_completed within 30 s")
        #expect(alone.findings.first?.instant == Transcript.instant(31_000))
        #expect(alone.findings.first?.witness.contains { $0.instant == Transcript.instant(1_000) } == true)
    }

    @Test(arguments: [(30_000.0, true), (30_000.001, false)]) func theDueInstantIsInTime(after: Double, isKept: Bool) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1", run: "r1", on: 1, "alice", at: 1_000)
            story.play("-c1 !", run: "r1", on: 1, "alice", at: 1_000 + after)
        }
        #expect(judgement.heads == (isKept ? [] : ["E2"]))
        #expect(judgement.counts("E2") == (isKept ? [1, 1, 0, 0, 0] : [1, 0, 0, 0, 1]))
    }

    /// Our own delay of what the server waits for is not the tool's slowness.
    @Test func theBoundIsCredited() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1", run: "r1", on: 1, "alice", at: 1_000)
            story.fault(1, "delay", Influence(.message, [.deadline]), tap: .serverOut, held: .seconds(5), at: 2_000)
            story.play("-c1 !", run: "r1", on: 1, "alice", at: 35_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// Nobody can tell where a message belongs: nobody is condemned.
    @Test func anUncertainRunIsUndecided() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            for run in ["r1", "r2"] {
                story.send(1, Say.start("alice"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: run, thread: "t1"), at: 11)
                story.play("+c1", run: run, on: 1, "alice", at: 12)
            }
            // Without a key it may be either's end.
            story.event(1, #"{"type":"tool_completed","user_id":"alice","thread_id":"t1","tool_call_id":"c1"}"#, at: 20)
            for run in ["r1", "r2"] { story.play("!", run: run, on: 1, "alice", at: 30) }
        }
        #expect(judgement.heads.allSatisfy { $0 == "C2" }, "it is not as declared, and that is all")
        #expect(judgement.summary("E2").verdict == .inconclusive)
    }

    @Test func aCutExcusesWhatWasOpen() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1 +c2 -c1", run: "r1", on: 1, "alice", at: 20)
            story.cut(1, .reset, [], at: 30)
            story.enter(2, "alice", at: 40)
            // What goes on elsewhere proves nothing.
            story.play("-c2 -c2 +c1 !", run: "r1", on: 2, "alice", at: 50)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E2") == [2, 1, 1, 0, 0])
        #expect(judgement.summary("E2").excuses == ["E2 tools open when f1 cut the connection"])
    }

    /// A completion that we dropped on its way to the client is on Sin.
    @Test func aCompletionDroppedDownstream() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1", run: "r1", on: 1, "alice", at: 20)
            let ended = Say.event("tool_completed", "alice", run: "r1", thread: "t1", more: #","tool_call_id":"c1""#)
            story.event(1, ended, at: 21, out: .some(nil))
            story.fault(1, "drop", Influence(.message, [.delivery]), tap: .clientOut, on: story.last, at: 21)
            story.play("!", run: "r1", on: 1, "alice", at: 22)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// B07: the late tool is a second cause's symptom: the run was over.
    @Test func aToolThatEndsBehindItsRun() {
        let judgement = Self.run("+c1 ! -c1")
        #expect(judgement.heads == ["E1 also E2"])
        #expect(judgement.findings.first?.sentence == "alice's run goes on with tool_completed after its end")
    }

    /// Each of two tabs gets everything.
    @Test func copiesOfPartsMoveNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            for tab in [1, 2] {
                let at = 11 + Double(tab) / 10
                story.event(tab, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: at)
                story.play("+c1 +c2 -c1 -c2 !", run: "r1", on: tab, "alice", at: at + 1)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E2") == [2, 2, 0, 0, 0])
    }

    /// A server that talks to the connection that came last.
    @Test func partsOnSeveralConnections() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.play("+c1", run: "r1", on: 1, "alice", at: 12)
            story.enter(2, "alice", at: 20)
            story.play("-c1 +c2 -c2 !", run: "r1", on: 2, "alice", at: 30)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E2") == [2, 2, 0, 0, 0])
    }

    // MARK: Other contracts

    private static func realtime(_ part: String) -> Contract {
        AgentChat.read(
            """
            {"miswire-contract": 1, "name": "realtime", "wire": {"type": "type"}, "requests": {"create": {"starts": "response"}},
             "events": {"created": {}, "added": {}, "delta": {}, "item_done": {}, "done": {}, "cancelled": {}},
             "runs": {"response": {"key": "id", "states": {"asked": {"created": "active"}, "active": {"done": "done", "delta": "active",
              "cancelled": "leaving"}, "leaving": {"done": "done"}}, "hot": {"active": "10s"}, "parts": {"item": \(part)}}}}
            """)
    }

    private static func say(_ story: inout Transcript, _ words: String) {
        story.open(1, nil, at: 0, state: .absent)
        story.send(1, #"{"type":"create"}"#, at: 1)
        for (index, word) in words.split(separator: " ").enumerated() {
            let pieces = word.split(separator: "/").map(String.init)
            let key = pieces.count > 1 ? #","item":"\#(pieces[1])""# : ""
            let part = pieces.count > 2 ? #","part":\#(pieces[2])"# : ""
            story.event(1, #"{"type":"\#(pieces[0])","id":"r1"\#(key)\#(part)}"#, at: 10 + Double(index))
        }
    }

    @Test(arguments: [
        ("created added/a delta/a item_done/a done", nil),
        ("created added/a added/b delta/a delta/b delta item_done/b item_done/a done", nil),
        ("created delta/a done", "session gets delta outside of any open item"),
        ("created added/a delta/b item_done/a done", "session gets delta outside of any open item"),
        ("created added/a item_done/a delta/a done", "session gets delta outside of any open item"),
        ("created added/a cancelled item_done/a done", nil),
        ("created cancelled added/a item_done/a done", "session's item begins with added while the response is leaving"),
    ])
    func insideAndIn(words: String, sentence: String?) {
        var contract = Self.realtime(#"{"key": "item", "start": "added", "end": "item_done", "in": "active", "before": "done"}"#)
        contract.runs[0].parts[0].inside = [MessageName(isRequest: false, glob: Glob("del*"))]
        let judgement = judge(contract) { Self.say(&$0, words) }
        #expect(judgement.findings.map { $0.sentence.replacing("s1", with: "session") } == (sentence.map { [$0] } ?? []))
        #expect(judgement.failed == (sentence == nil ? [] : ["E2"]))
    }

    @Test(arguments: [
        ("created added/a/0 added/a/1 item_done/a/0 item_done/a/1 done", true), ("created added/a/0 item_done/a/1 done", false),
    ])
    func aCompositeKey(words: String, isKept: Bool) {
        let contract = Self.realtime(#"{"key": "item + part", "start": "added", "end": "item_done", "before": "done"}"#)
        #expect(judge(contract) { Self.say(&$0, words) }.heads == (isKept ? [] : ["E2"]))
    }

    @Test func runsWithoutPartsAreNotAsked() {
        var contract = AgentChat.contract
        contract.runs[0].parts = []
        #expect(PartsPair.missingKey(in: contract) == "runs.run.parts")
        #expect(PartsPair.missingKey(in: AgentChat.echo) == "runs")
    }
}

extension Transcript {
    /// As `PartsTests.run` says.
    mutating func play(_ moves: String, run: String, on session: Int, _ user: String, at ms: Double) {
        for (index, move) in moves.split(separator: " ").enumerated() {
            let at = ms + Double(index)
            let names = move.dropFirst().split(separator: "@", omittingEmptySubsequences: false).map(String.init)
            let call = names.first.flatMap { $0.isEmpty ? nil : #","tool_call_id":"\#($0)""# } ?? ""
            let tool = names.count > 1 ? #","tool_name":"\#(names[1])""# : ""
            switch move.first {
            case "+": event(session, Say.event("tool_executing", user, run: run, thread: "t1", more: call + tool), at: at)
            case "-": event(session, Say.event("tool_completed", user, run: run, thread: "t1", more: call + tool), at: at)
            case "x": event(session, Say.error("agent_execution_error", user: user, more: #","run_id":"\#(run)""#), at: at)
            default: event(session, Say.event("agent_completed", user, run: run, thread: "t1"), at: at)
            }
        }
    }
}
