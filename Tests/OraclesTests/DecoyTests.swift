import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// What looks like a defect and is none (fuzzing.md, decoys): silence.
@Suite struct DecoyTests {
    /// W2: bob's connection carried alice's message, so its echo is bob's now; the thread in it is alice's.
    @Test func crossedMessageEchoedToItsNewOwner() {
        let text = Say.start("alice", "q7", text: "say mwc-000000000001")
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, text, at: 10, out: .some(nil), faults: ["f1"])
            let source = story.last
            story.fault(1, "cross-streams", Influence(.message, [.routing]), tap: .serverOut, on: source, at: 10)
            story.cross(2, text, at: 11, source: source, faults: ["f1"])
            story.event(2, Say.event("agent_started", "bob", run: "r1", thread: "tb", request: "q7"), at: 12)
            story.event(2, #"{"type":"agent_completed","user_id":"bob","thread_id":"tb","run_id":"r1","text":"mwc-000000000001"}"#, at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0], "alice's request never reached her server connection")
    }

    /// W2 as the fault does it now: what it takes to bob is declassified, and nobody is blamed wherever it comes again.
    @Test func declassifiedCanariesAreNobodys() {
        let canary = CanaryKey(seed: 1).canary(of: "alice", number: 1).text
        let taken = Canary.declassified(ByteBuffer(string: canary)).map { String(buffer: $0) } ?? ""
        func told(_ text: String) -> [String] {
            judge { story in
                for (session, user) in [(1, "alice"), (2, "bob"), (3, "carol")] { story.enter(session, user, at: 1) }
                story.send(1, Say.start("alice", "q7", text: canary), at: 10, out: .some(nil), faults: ["f1"])
                story.cross(2, Say.start("alice", "q7", text: taken), at: 11, source: story.last, faults: ["f1"])
                story.wholeRun(2, "bob", run: "r1", thread: "tb", request: "q7", at: 12)
                for session in 1...3 { story.event(session, #"{"type":"notice","text":"\#(text)"}"#, at: 20) }
            }.heads
        }
        #expect(told(taken).isEmpty && told(taken.uppercased()).isEmpty && told(Base64URL.encode(Array(taken.utf8))).isEmpty)
        #expect(told(canary).isEmpty, "it never reached a server, so that no server can have leaked it")
    }

    /// W4: ids and times drawn anew, in every alphabet in which a canary could be written, told to all.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func randomIDsAndTimes(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "W4", user: "", connection: 0), direction: nil, message: 0, fault: "")
        let alphabets = [
            "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz234567", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        ]
        func drawn(_ count: Int) -> String {
            let digits = Array(alphabets[dice.below(3)].utf8)
            return String(decoding: (0..<count).map { _ in digits[dice.below(digits.count)] }, as: UTF8.self)
        }
        let key = CanaryKey(seed: seed)
        let judgement = judge { story in
            for (session, user) in [(1, "alice"), (2, "bob")] { story.bring(session, user, tag: "jwt:\(user)", at: 1) }
            for step in 0..<20 {
                let (session, user) = step % 2 == 0 ? (1, "alice") : (2, "bob")
                let at = 10 + 10 * Double(step)
                let canary = key.canary(of: user, number: UInt64(step)).text
                let text = Base64URL.encode(Array(canary.utf8))
                story.send(session, Say.start(user, "q\(step)", text: step % 3 == 0 ? canary : text), at: at)
                let more = #","timestamp":\#(1_757_371_363 + step),"trace":"mwc-\#(drawn(26))","etag":"\#(drawn(64))","text":"\#(text)""#
                let run = "run_\(drawn(20))"
                for type in ["agent_started", "agent_completed"] {
                    story.event(session, Say.event(type, user, run: run, thread: "t\(user)", request: "q\(step)", more: more), at: at + 1)
                }
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("I1").verdict == .pass && judgement.summary("I4").verdict == .pass)
    }

    /// The same words to the other user are found, however they are written.
    @Test func encodedLeaksAreFound() {
        let canary = CanaryKey(seed: 1).canary(of: "alice", number: 1).text
        let forms = [canary, canary.uppercased(), Base64URL.encode(Array("<<\(canary)>>".utf8)), Digest.hex(Array(canary.utf8))]
        for text in forms {
            let judgement = judge { story in
                for (session, user) in [(1, "alice"), (2, "bob")] { story.enter(session, user, at: 1) }
                story.send(1, Say.start("alice", "q1", text: canary), at: 10)
                story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
                story.event(2, #"{"type":"notice","text":"\#(text)"}"#, at: 20)
            }
            #expect(judgement.heads == ["I1"], "\(text)")
        }
    }

    /// The same, refused: the error repeats alice's name on bob's connection, which sent it itself.
    @Test func crossedMessageRefused() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 5)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 6)
            let text = Say.start("alice", "q7", thread: "ta")
            story.send(1, text, at: 20, out: .some(nil), faults: ["f1"])
            story.cross(2, text, at: 21, source: story.last, faults: ["f1"])
            story.event(2, Say.error("authentication_error", user: "alice", request: "q7", more: #","thread_id":"ta""#), at: 22)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A crossed event shows on bob's client only: the server sent it to alice.
    @Test func eventCrossedDownstream() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1", text: "mwc-000000000001"), at: 10)
            let started = Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1", more: #","x":"mwc-000000000001""#)
            story.event(1, started, at: 11, out: .some(nil))
            story.inject(2, started, at: 11)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 12)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// W3: a tool that takes 20 s, and a thought that takes until the very end of the bound.
    @Test func slowWithinContract() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 1_000)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 6_000)
            story.event(1, Say.event("tool_executing", "alice", run: "r1", thread: "ta", more: #","tool_name":"t""#), at: 7_000)
            story.event(1, Say.event("tool_completed", "alice", run: "r1", thread: "ta", more: #","tool_name":"t""#), at: 27_000)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 66_000)
            story.send(1, "{", at: 70_000)
            story.event(1, Say.error("message_processing_error"), at: 71_000)
        }
        #expect(judgement.sentences.isEmpty, "a message at the due instant is in time")
        #expect(judgement.undecided.isEmpty)
        let late = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 70_000)
            story.event(1, Say.error("message_processing_error"), at: 71_000.001)
        }
        #expect(late.heads == ["E3"])
        #expect(late.findings.count == 1, "late is said once")
    }

    /// W5: two runs of one user, their events mixed, without request ids.
    @Test func eventsOfDifferentRunsMixed() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.send(1, Say.start("alice"), at: 11)
            for (at, run, type) in [
                (12.0, "r2", "agent_started"), (13, "r1", "agent_started"), (14, "r1", "agent_thinking"),
                (15, "r2", "agent_thinking"), (16, "r2", "agent_completed"), (17, "r1", "agent_completed"),
            ] {
                story.event(1, Say.event(type, "alice", run: run, thread: "ta"), at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0])
    }

    /// W6: a gateway refuses with 403 where the server would close with 4401; both are correct.
    @Test func gatewayRefuses() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0, state: .forged, faults: ["f1"])
            story.refuse(1, 403, at: 20)
            story.open(2, "alice", at: 30, state: .expired)
            story.close(2, by: .server, 4401, at: 40)
            story.upgrade(3, nil, at: 50, state: .absent)
            story.refuse(3, 401, at: 60)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("A1") == [3, 3, 0, 0, 0])
        #expect(judgement.summary("H1").checked == 0, "no greeting is owed to a bad credential")
    }

    /// W7: a restart as a fault of ours: connections go, nobody is there for a while, and the client goes on where it was,
    /// at a server that has kept everything, or that has lost everything and says so.
    @Test(arguments: [true, false]) func restartByUs(isDurable: Bool) {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.numbered(2, "bob", [1, 2, 3], thread: "tb", at: 1, ends: true)
            for session in 1...2 { story.isCut(session, at: 20 + Double(session)) }
            story.upgrade(3, "alice", at: 30)
            story.fault(3, "down", Influence(.openOperations, [.ending, .success, .completion, .delivery]), tap: .clientIn, at: 30)
            story.end(3, .client, .reset, by: .fault, at: 31)
            story.closed(3, at: 31)
            story.resume(4, "alice", "3", at: 500)
            story.resume(5, "bob", "3", at: 501)
            if isDurable {
                story.numbers(4, "alice", [4], at: 510)
                story.number(4, "alice", 5, type: "agent_completed", at: 511)
            } else {
                story.truncated(4, "alice", thread: nil, at: 510)
                story.truncated(5, "bob", thread: nil, at: 510)
            }
            story.send(5, Say.start("bob", "qr7"), at: 520)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                story.number(5, "bob", index + 1, type: type, thread: "tb2", run: "r7", at: 521 + Double(index))
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("E1").verdict == .excused, "what was under way when we cut it")
        #expect(judgement.summary("D2").verdict == .pass && judgement.summary("D1").verdict == .pass)
    }

    /// W8: our own profile drops the events on their way to the client.
    @Test func eventsDroppedByUs() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            for (at, type) in [(11.0, "agent_started"), (12, "agent_thinking"), (13, "agent_completed")] {
                story.event(1, Say.event(type, "alice", run: "r1", thread: "ta", request: "q1"), at: at, out: .some(nil))
                story.fault(1, "drop", Influence(.message, [.delivery]), tap: .clientOut, on: story.last, at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.faultsActed == 3)
    }

    /// A request that we dropped never reached the server: nothing is owed.
    @Test func requestDroppedByUs() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10, out: .some(nil), faults: ["f1"])
            story.send(1, Say.start("alice", "q1"), at: 20, out: .some(nil), faults: ["f1"])
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("E3") == [0, 0, 0, 0, 0] && judgement.runs == 0)
    }

    /// Two users count their requests alike; each gets its own.
    @Test func equalRequestIDsOfTwoUsers() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q-1"), at: 10)
            story.send(2, Say.start(nil, "q-1"), at: 11)
            story.event(2, Say.error("authentication_error", user: "bob", request: "q-1"), at: 12)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q-1", at: 13)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// What only some parsers take may be taken or refused.
    @Test(arguments: [
        #"{"type":"agent_started","user_id":"alice","agent_name":"assistant","x":NaN}"#,
        #"{"type":"agent_started","user_id":"alice","user_id":"alice","agent_name":"assistant"}"#,
    ])
    func toleratedIsNoMustReject(text: String) {
        let silent = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, text, at: 10)
        }
        #expect(silent.sentences.isEmpty)
        let taken = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, text, at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 11)
        }
        #expect(taken.sentences.isEmpty)
        let refused = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, text, at: 10)
            story.event(1, Say.error("message_processing_error"), at: 11)
        }
        #expect(refused.sentences.isEmpty)
    }
}
