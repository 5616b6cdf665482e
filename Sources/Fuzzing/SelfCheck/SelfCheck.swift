package import Contracts
import Journaling
import Oracles

/// Before anything is sent: every property is shown a defect and must catch it, else no pass of this run means anything
/// (exit 5). The specimens are of the shipped agent-chat contract, since their words are.
package enum SelfCheck {
    package struct Outcome: Sendable, Equatable {
        package var caught: [String]
        package var missed: [String]
    }

    /// - Parameter contract: agent-chat.
    package static func run(_ contract: Contract) -> Outcome {
        var outcome = Outcome(caught: [], missed: [])
        for property in PropertyRegistry.all.map({ $0.id }) {
            let isCaught = specimens.contains { $0.property == property && heads(property, $0, contract) }
            if isCaught { outcome.caught.append(property) } else { outcome.missed.append(property) }
        }
        return outcome
    }

    private static func heads(_ property: String, _ specimen: Specimen, _ contract: Contract) -> Bool {
        var judge = Judge(contract: contract)
        for entry in specimen.entries { judge.observe(entry) }
        return judge.conclude(at: Instant(nanoseconds: 100_000_000_000)).findings.contains { $0.property == property }
    }

    private static let greeting = #"{"type":"connected","user_id":"alice","connection_id":"ws_alice_1_0a"}"#
    private static let start =
        #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","request_id":"q1","message":"mwc-abcdefghijkl"}"#
    private static func event(_ type: String, _ more: String = "", run: String = "run_chat_7_1") -> String {
        #"{"type":"\#(type)","user_id":"alice","thread_id":"thread_chat_7_1_0c","run_id":"\#(run)","request_id":"q1"\#(more)}"#
    }
    /// alice's run, its events numbered.
    private static func numbered(_ numbers: [Int]) -> [Specimen.Move] {
        let types = ["agent_started", "agent_thinking", "agent_completed"]
        return [.opens(1, "alice", .intact), .hears(1, greeting), .says(1, start)]
            + zip(types, numbers).map { .hears(1, event($0, #","seq":\#($1)"#)) }
    }
    /// alice's run is over when bob hears something.
    private static func overheard(_ text: String) -> [Specimen.Move] {
        [
            .opens(1, "alice", .intact), .hears(1, greeting), .opens(2, "bob", .intact),
            .hears(2, #"{"type":"connected","user_id":"bob","connection_id":"ws_bob_2_0b"}"#), .says(1, start),
            .hears(1, event("agent_started")), .hears(1, event("agent_completed")), .hears(2, text),
        ]
    }

    /// A run of the sentinel, and how long it takes, in moments.
    private static func run(_ number: Int, _ pause: Int) -> [Specimen.Move] {
        func event(_ type: String) -> String {
            #"{"type":"\#(type)","user_id":"alice","thread_id":"t\#(number)","run_id":"r\#(number)","request_id":"q\#(number)"}"#
        }
        let start = #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","request_id":"q\#(number)","message":"hi"}"#
        let idle = Specimen.Move.knows(.sentinel(user: "alice"))
        return [.says(1, start), .hears(1, event("agent_started"))] + Array(repeating: idle, count: pause)
            + [.hears(1, event("agent_completed"))]
    }

    /// Served at once while alone, and after 3 s when bob is there.
    private static let starving: [Specimen.Move] =
        [.knows(.sentinel(user: "alice")), .opens(1, "alice", .intact), .hears(1, greeting)]
        + (1...3).flatMap { run($0, 0) }
        + [.opens(2, "bob", .intact), .hears(2, #"{"type":"connected","user_id":"bob","connection_id":"c2"}"#)] + run(4, 3_000)

    static let specimens: [Specimen] = [
        Specimen(property: "H1", moves: [.opens(1, "alice", .intact)]),
        Specimen(
            property: "H2",
            moves: [.asks(1, "/ws?a=%0d%0aX-Miswire:%20injected", answer: "X-Miswire: injected")]),
        Specimen(
            property: "E1",
            moves: [.opens(1, "alice", .intact), .hears(1, greeting), .says(1, start), .hears(1, event("agent_started"))]),
        Specimen(
            property: "E2",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting), .says(1, start), .hears(1, event("agent_started")),
                .hears(1, event("tool_executing")), .hears(1, event("agent_completed")),
            ]),
        Specimen(property: "E3", moves: [.opens(1, "alice", .intact), .hears(1, greeting), .says(1, "{")]),
        Specimen(
            property: "E4",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting),
                .says(1, #"{"type":"agent_started","agent_name":"assistant","request_id":"q1"}"#),
                .hears(1, event("agent_started")), .hears(1, event("agent_completed")),
            ]),
        Specimen(
            property: "E5",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting), .says(1, "{"),
                .hears(1, #"{"type":"error","error":"message_processing_error"}"#),
            ]),
        Specimen(property: "I1", moves: overheard(#"{"type":"connected","user_id":"bob","connection_id":"c2","text":"mwc-abcdefghijkl"}"#)),
        Specimen(
            property: "I4",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting),
                .hears(1, #"{"type":"error","error":"connection_error","message":"no: ‹jwt:a1›","timestamp":1}"#),
                .discloses(1, "jwt:a1"),
            ]),
        Specimen(property: "I2", moves: overheard(event("agent_thinking"))),
        Specimen(
            property: "I3",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting), .says(1, start), .hears(1, event("agent_started", run: "run_chat_8_1")),
            ]),
        Specimen(property: "A1", moves: [.opens(1, "alice", .forged)]),
        Specimen(property: "C1", moves: [.opens(1, "alice", .intact), .hearsMasked(1, greeting)]),
        Specimen(property: "D1", moves: numbered([1, 2, 4])),
        Specimen(
            property: "D2",
            moves: numbered([1, 2, 3]) + [
                .leaves(1), .resumes(2, "alice", cursor: "1"), .hears(2, greeting), .hears(2, event("agent_completed", #","seq":3"#)),
            ]),
        Specimen(property: "C2", moves: [.opens(1, "alice", .intact), .hears(1, greeting), .hears(1, #"{"type":"agent_mused"}"#)]),
        Specimen(
            property: "R1",
            moves: [1, 1 << 30].map { .knows(.usage(TargetUsage(memory: $0, sessions: 0, isQuiet: false))) }),
        Specimen(property: "R2", moves: [.knows(.gone("signal 11 (SIGSEGV)"))]),
        Specimen(property: "R3", moves: starving),
        Specimen(
            property: "X1",
            moves: [
                .opens(1, "alice", .intact), .hears(1, greeting),
                .suffers(1, Expectation(what: .closed, codes: [1008], within: .seconds(1))),
            ]),
    ]
}
