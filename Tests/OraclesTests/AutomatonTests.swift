import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// The run automaton of oracle.md, row by row: what is not listed is a violation that names the edge (E1).
@Suite struct AutomatonTests {
    /// What happens to alice's run r1 after its request, one word a move: event names, `error KIND`, `close CODE`, `drop`,
    /// `leave CODE` (her Close first).
    private static func run(_ moves: [String], _ contract: Contract = AgentChat.contract, asks: Bool = true) -> Judgement {
        judge(contract) { story in
            story.enter(1, "alice", at: 0)
            if asks { story.send(1, Say.start("alice", "q1"), at: 10) }
            for (index, move) in moves.enumerated() {
                let words = move.split(separator: " ").map(String.init)
                let at = 20 + Double(index)
                switch words[0] {
                case "error":
                    story.event(1, Say.error(words[1], user: "alice", more: #","run_id":"r1""#), at: at)
                case "refused": story.event(1, Say.error(words[1], user: "alice", request: "q1"), at: at)
                case "close": story.close(1, by: .server, UInt16(words[1]) ?? 0, at: at)
                case "leave":
                    story.close(1, by: .client, 1000, at: at)
                    story.close(1, by: .server, UInt16(words[1]) ?? 0, at: at + 0.5)
                case "drop": story.end(1, .server, .finish, at: at)
                default: story.event(1, Say.event(words[0], "alice", run: "r1", thread: "t1", request: asks ? "q1" : nil), at: at)
                }
            }
        }
    }

    @Test(arguments: [
        ["agent_started", "agent_completed"],
        ["agent_started", "agent_thinking", "partial_result", "agent_thinking", "final_report", "agent_completed"],
        ["refused agent_execution_error"], ["agent_started", "error agent_execution_error"],
        // A kind that ends no run leaves it where it is.
        ["agent_started", "error connection_error", "agent_completed"],
        ["agent_started", "close 1000"], ["agent_started", "close 1001"], ["agent_started", "close 4401"], ["close 1000"],
        ["agent_started", "leave 1011"], ["leave 1011"],
    ])
    func listed(moves: [String]) { #expect(Self.run(moves).sentences.isEmpty) }

    @Test(arguments: [
        (["agent_started", "agent_started"], "alice's run is running and gets agent_started"),
        (["agent_thinking"], "alice gets agent_thinking that nobody asked for"),
        (["agent_completed"], "alice gets agent_completed that nobody asked for"),
        (["agent_started", "agent_completed", "agent_completed"], "alice's run goes on with agent_completed after its end"),
        (["agent_started", "agent_completed", "agent_thinking"], "alice's run goes on with agent_thinking after its end"),
        (["agent_started", "agent_completed", "error agent_execution_error"], "alice's run goes on with error after its end"),
        (["agent_started", "error agent_execution_error", "agent_completed"], "alice's run goes on with agent_completed after its end"),
        (["agent_started"], "alice's run gets no agent_completed or error within 60 s"),
        ([], "alice's run gets no agent_started or error within 5 s"),
        (["agent_started", "close 1011"], "alice's run is left open: the server closes with 1011"),
        (["close 1011"], "alice's run is left open: the server closes with 1011"),
        (["agent_started", "drop"], "alice's run is left open: the server ends the connection without a close"),
    ])
    func unlisted(moves: [String], sentence: String) {
        let judgement = Self.run(moves)
        #expect(judgement.findings.contains { $0.property == "E1" && $0.sentence == sentence }, "\(judgement.sentences)")
        #expect(judgement.findings.allSatisfy { $0.property == "E1" || $0.property == "C1" })
    }

    /// A server that starts runs by itself.
    @Test func unasked() {
        var contract = AgentChat.contract
        contract.runs[0].unasked = true
        #expect(Self.run(["agent_started", "agent_thinking", "agent_completed"], contract, asks: false).sentences.isEmpty)
        #expect(Self.run(["agent_thinking"], contract, asks: false).heads == ["E1"])
        #expect(Self.run(["agent_started"], contract, asks: false).sentences.first?.contains("gets no agent_completed") == true)
        #expect(Self.run(["agent_started", "agent_completed"], asks: false).heads == ["E1"], "where nobody may")
    }

    /// `never`: open, without a bound.
    @Test func openForEver() {
        var contract = AgentChat.contract
        contract.runs[0].hot = [("asked", .seconds(5)), ("running", nil)]
        #expect(Self.run(["agent_started"], contract).sentences.isEmpty)
        #expect(Self.run(["agent_started", "close 1011"], contract).heads == ["E1"])
        contract.runs[0].hot = [("asked", .seconds(5))]
        #expect(Self.run(["agent_started", "close 1011"], contract).sentences.isEmpty, "a state that need not be left")
    }

    /// A key is free again when a request starts a run that takes it.
    @Test func aKeyThatIsTakenAgain() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            for index in 0..<2 {
                let at = 100 * Double(index + 1)
                story.send(1, Say.start("alice", "q\(index)"), at: at)
                story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q\(index)", at: at + 1)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E2") == [2, 2, 0, 0, 0])
    }

    /// The client's own word is an edge as well, and may come before the first event.
    @Test(arguments: [true, false]) func requestsMoveRuns(begins: Bool) {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "subscriptions", "wire": {"type": "type"}, "link": ["id"],
             "requests": {"subscribe": {"starts": "operation"}, "stop": {}},
             "events": {"next": {}, "complete": {}},
             "runs": {"operation": {"key": "id", "scope": "connection",
               "states": {"open": {"next": "open", "complete": "done", "request stop": "leaving"}, "leaving": {"next": "leaving", "complete": "done"}},
               "hot": {"open": "5s"}}}}
            """#)
        func story(_ stops: Bool) -> Judgement {
            judge(contract) { story in
                story.open(1, nil, at: 0, state: .absent)
                story.send(1, #"{"type":"subscribe","id":"a"}"#, at: 10)
                if begins { story.event(1, #"{"type":"next","id":"a"}"#, at: 11) }
                if stops { story.send(1, #"{"type":"stop","id":"a"}"#, at: 12) }
            }
        }
        #expect(story(true).sentences.isEmpty)
        #expect(story(false).heads == ["E1"])
    }
}
