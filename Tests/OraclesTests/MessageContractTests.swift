import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// C2: what the server says is declared; who would be accused here for less would be accused wrongly.
@Suite struct MessageContractTests {
    private static func contract(_ wire: String) -> Contract {
        AgentChat.with(#"{"wire": {"paths": ["/ws", "/ws/**"], "type": "type"\#(wire)}}"#)
    }

    // MARK: What is found

    @Test func theValueThatDoesNotFitIsShown() throws {
        let judgement = judge { story in
            story.open(1, "alice", at: 0)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":4711}"#, at: 10)
        }
        let finding = try #require(judgement.findings.first)
        #expect(judgement.heads == ["C2"])
        #expect(finding.sentence == "alice's connected is not as declared: connection_id must be <text>")
        #expect(finding.found == "connection_id: 4711 at 0.010")
        #expect(finding.caret == Finding.Caret(text: "4711", label: "must be <text>"))
        #expect(finding.witness.contains { $0.ref == finding.offending })
    }

    @Test func whatIsMissingIsSaid() throws {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.event(1, #"{"type":"connected","user_id":"alice"}"#, at: 10)
        }
        let finding = try #require(judgement.findings.first)
        #expect(finding.found == "connection_id: nothing at 0.010" && finding.caret == nil)
    }

    @Test func whatCannotBeReadIsFound() {
        for text in ["", "hello", #"{"type":"connected""#] {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.event(1, text, at: 10)
            }
            #expect(judgement.heads == ["C2"], "\(text)")
        }
    }

    /// One cause is one finding, however often; what differs is another.
    @Test func findingsAreJoinedByTypeAndPlace() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            for number in 0..<5 {
                story.event(1, #"{"type":"connected","user_id":"alice","n":\#(number)}"#, at: 10 + Double(number))
            }
            story.event(1, #"{"type":"mused"}"#, at: 20)
        }
        #expect(judgement.heads == ["C2", "C2"] && judgement.findings.first?.repeats == 5)
    }

    /// Our fault took it from the client; the server said it all the same.
    @Test func whatWeDroppedWasSaid() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.event(1, #"{"type":"mused"}"#, at: 10, out: .some(nil))
        }
        #expect(judgement.heads == ["C2"])
    }

    @Test func binaryIsFoundWhereItIsRefused() {
        func told(_ wire: String) -> [String] {
            judge(Self.contract(wire)) { story in
                story.enter(1, "alice", at: 0)
                story.frame(1, .toClient, Frame(opcode: .binary, payload: ByteBuffer(bytes: [1, 2, 3])), at: 10)
            }.heads
        }
        #expect(told("").isEmpty && told(#", "binary": "reject""#) == ["C2"] && told(#", "binary": "decode""#) == ["C2"])
    }

    // MARK: What is not

    /// A wrongly shaped error is E5 and nothing else (semantics 2).
    @Test func theFormOfErrorsIsAskedElsewhere() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.event(1, #"{"type":"error","error":"message_processing_error"}"#, at: 11)
        }
        #expect(judgement.heads == ["E5"] && judgement.counts("C2") == [1, 1, 0, 0, 0])
    }

    @Test func whatIsNotDeclaredMayBeNoted() {
        let judgement = judge(Self.contract(#", "unknown": "note""#)) { story in
            story.enter(1, "alice", at: 0)
            story.event(1, #"{"type":"mused"}"#, at: 10)
        }
        #expect(judgement.findings.isEmpty && judgement.notes.contains("mused is declared nowhere"))
        #expect(judgement.counts("C2") == [1, 1, 0, 0, 0])
    }

    /// What our faults do to a message, or make up, is no word of the server.
    @Test func whatWeMadeOfItIsNotTheServers() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.inject(1, #"{"type":"mused"}"#, at: 10)
            story.inject(1, "{", at: 11)
        }
        #expect(judgement.findings.isEmpty && judgement.counts("C2") == [1, 1, 0, 0, 0])
    }

    @Test func halfAMessageBeforeACutIsNone() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toClient, Frame(fin: false, opcode: .text, payload: ByteBuffer(string: #"{"type":"#)), at: 10)
            story.cut(1, .reset, [], at: 11)
        }
        #expect(judgement.findings.isEmpty)
    }

    /// A crossed request is answered on the connection that it reached.
    @Test func crossedMessagesAreAnswered() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10, out: .some(nil))
            story.cross(2, Say.start("alice", "q1"), at: 10, source: story.last, faults: ["f1"])
            story.event(2, Say.error("authentication_error", user: "alice"), at: 11)
            story.ticks(from: 12, to: 9_000)
        }
        #expect(judgement.summary("C2").failed == 0)
    }

    /// NaN, or a member twice: who reads it in his way may find it as declared.
    @Test func whatOnlySomeParsersReadIsLeftOpen() {
        let texts = [
            #"{"type":"connected","user_id":"alice","connection_id":"c","connection_id":7}"#, #"{"type":"mused","type":"notice"}"#,
        ]
        for text in texts {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.event(1, text, at: 10)
            }
            #expect(judgement.findings.isEmpty, "\(text)")
        }
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.event(1, #"{"type":"mused","type":"mused","x":NaN}"#, at: 10)
        }
        #expect(judgement.undecided == ["C2"])
    }

    /// A secret that was cut out may have been of the declared form.
    @Test func whatWasCutOutAccusesNobody() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "events": {"token": {"shape": {"value": "re:[a-z]+"}}}}
            """#)
        let judgement = judge(contract) { story in
            story.open(1, "alice", at: 0)
            story.event(1, #"{"type":"token","value":"‹secret:0a›"}"#, at: 10)
        }
        #expect(judgement.findings.isEmpty && judgement.summary("C2").failed == 0)
    }

    /// Behind an illegal frame of the client nothing is owed.
    @Test func whoeverBrokeTheProtocolMayHearAnything() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toServer, Frame(opcode: .text, payload: ByteBuffer(string: "{}")), at: 10, faults: ["f1"])
            story.event(1, "Bad Request", at: 11)
        }
        #expect(judgement.summary("C2").failed == 0)
    }

    @Test func whatTheContractDoesNotSpeakOfIsNotAsked() {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, path: "/metrics")
            story.event(1, "cpu 7", at: 10)
        }
        #expect(judgement.findings.isEmpty && judgement.summary("C2").checked == 0)
    }
}

/// An answer comes once.
@Suite struct AnsweredTwiceTests {
    private static let contract = AgentChat.read(
        """
        {"miswire-contract": 1, "name": "rpc", "wire": {"type": "type"},
         "requests": {"call": {"answer": ["result", "error"], "within": "2s"}, "ask": {"answer": "told", "within": "never"}, "tell": {}},
         "events": {"result": {}, "told": {}, "news": {}, "error": {}}, "link": ["id"], "errors": {"event": "error"}}
        """)

    private func told(_ tell: @escaping @Sendable (inout Transcript) -> Void) -> [String] {
        judge(Self.contract) { story in
            story.open(1, "alice", at: 0)
            tell(&story)
            story.ticks(from: 100, to: 9_000)
        }.sentences.map { String($0.dropFirst(10)) }
    }

    @Test func theSecondIsFound() {
        let twice = told { story in
            story.send(1, #"{"type":"call","id":1}"#, at: 10)
            story.event(1, #"{"type":"result","id":1}"#, at: 11)
            story.event(1, #"{"type":"result","id":1}"#, at: 12)
            story.event(1, #"{"type":"result","id":1}"#, at: 13)
        }
        #expect(twice == ["alice's call is answered twice, the second time by result"], "said once")
        let refused = told { story in
            story.send(1, #"{"type":"call","id":1}"#, at: 10)
            story.event(1, #"{"type":"error","id":1}"#, at: 11)
            story.event(1, #"{"type":"result","id":1}"#, at: 12)
        }
        #expect(refused.count == 1)
    }

    @Test func anIdMayBeUsedAgain() {
        let again = told { story in
            for at in [10.0, 20, 30] {
                story.send(1, #"{"type":"call","id":1}"#, at: at)
                story.event(1, #"{"type":"result","id":1}"#, at: at + 1)
            }
            // By something that the contract leaves open, which the server answers so.
            story.send(1, #"{"type":"tell","id":1}"#, at: 40)
            story.event(1, #"{"type":"result","id":1}"#, at: 41)
        }
        #expect(again.isEmpty)
    }

    @Test func whatNamesNobodyIsNotCounted() {
        let unnamed = told { story in
            story.send(1, #"{"type":"call"}"#, at: 10)
            story.event(1, #"{"type":"result"}"#, at: 11)
            story.event(1, #"{"type":"result"}"#, at: 12)
            story.send(1, #"{"type":"call","id":1}"#, at: 20)
            // An error without a name may be anybody's; the answer comes later.
            story.event(1, #"{"type":"error"}"#, at: 21)
            story.event(1, #"{"type":"result","id":1}"#, at: 22)
        }
        #expect(unnamed.isEmpty)
    }

    /// One that may be answered at any time, or never.
    @Test func whatMayTakeForEverIsNeverMissed() {
        let judgement = judge(Self.contract) { story in
            story.open(1, "alice", at: 0)
            story.send(1, #"{"type":"ask","id":1}"#, at: 10)
            story.send(1, #"{"type":"ask","id":2}"#, at: 10)
            story.event(1, #"{"type":"told","id":2}"#, at: 20_000)
            story.ticks(from: 20_001, to: 30_000)
            story.end(1, .server, at: 40_000)
        }
        #expect(judgement.findings.allSatisfy { $0.property != "E1" } && judgement.counts("E1") == [1, 1, 0, 0, 0])
        let twice = told { story in
            story.send(1, #"{"type":"ask","id":1}"#, at: 10)
            story.event(1, #"{"type":"told","id":1}"#, at: 20)
            story.event(1, #"{"type":"told","id":1}"#, at: 21)
        }
        #expect(twice.count == 1)
    }
}
