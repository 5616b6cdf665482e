import Journaling
import Testing
import Wire

@testable import Oracles

/// Connections that end, deadlines, excuses, and machines that give us no time.
@Suite struct EndTests {
    @Test func ourCutExcuses() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, "{", at: 12)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.end(1, .server, .reset, by: .fault, at: 13)
            story.end(1, .client, .reset, by: .fault, at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 0, 1, 0, 0])
        #expect(judgement.summary("E1").excuses == ["E1 runs open when f1 cut the connection"])
        #expect(judgement.counts("E3") == [1, 0, 1, 0, 0])
        #expect(judgement.summary("E1").verdict == .excused)
    }

    @Test func runGoesOnAfterOurCut() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.end(1, .server, .reset, by: .fault, at: 13)
            story.enter(2, "alice", at: 20)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 21)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func leaksToOthersAreNotExcusedByACut() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 21)
        }
        #expect(judgement.heads == ["I2"])
    }

    /// The server's Close is how it ended, whatever its client answers (RFC 6455 section 5.5.1).
    @Test(arguments: [UInt16(1011), 1013])
    func aCloseOfTheServerIsItsOwnThoughItIsAnswered(code: UInt16) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.close(1, by: .server, code, at: 12)
            story.close(1, by: .client, code, at: 13)
            story.end(1, .server, at: 14)
            story.end(1, .client, at: 14)
            story.closed(1, at: 15)
        }
        // Who says that it can do no more for now accuses itself of nothing else.
        #expect(judgement.heads == (code == 1011 ? ["E1"] : []))
        #expect(judgement.undecided == (code == 1011 ? [] : ["E1"]))
    }

    @Test func clientThatLeavesIsInconclusive() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.send(1, "{", at: 12)
            story.end(1, .client, .reset, at: 13)
            story.end(1, .server, by: .tool, at: 14)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided == ["E1", "E3", "E4"])
    }

    @Test func cleanCloseOfTheClientEndsRunsWell() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.close(1, by: .client, 1000, at: 12)
            story.close(1, by: .server, 1011, at: 13)
            story.end(1, .server, at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0], "a Close that answers the client's is clean whatever its code")
    }

    @Test(arguments: [(1000, []), (1001, []), (4401, []), (1011, ["E1"]), (nil, ["E1"])] as [(Int?, [String])])
    func serverEndsARun(code: Int?, heads: [String]) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            if let code { story.close(1, by: .server, UInt16(code), at: 12) }
            story.end(1, .server, .reset, at: 13)
        }
        #expect(judgement.heads == heads)
    }

    @Test(arguments: [(1007, []), (1008, []), (4000, []), (1011, ["E3"]), (1001, []), (nil, ["E3"])] as [(Int?, [String])])
    func serverEndsARefusedRequest(code: Int?, heads: [String]) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            if let code { story.close(1, by: .server, UInt16(code), at: 12) }
            story.end(1, .server, at: 13)
        }
        #expect(judgement.heads == heads)
    }

    @Test func aCloseIsNoOutcomeWhereAKindIsDemanded() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 10)
            story.close(1, by: .server, 1008, at: 12)
        }
        #expect(judgement.heads == ["E3"])
        #expect(judgement.findings.first?.found.contains("closes with 1008") == true)
    }

    @Test func connectionMustRecoverAfterAnError() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 10)
            story.event(1, Say.error("connection_error"), at: 11)
            story.end(1, .server, .reset, at: 12)
        }
        #expect(judgement.heads == ["E5"])
        let flow = #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","message":"say mwc-aaaaaaaaaaaa"}"#
        let refused = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.event(1, Say.error("message_processing_error"), at: 11)
            story.send(1, flow, at: 20)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 21)
        }
        #expect(refused.heads == ["E5"])
        let works = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.event(1, Say.error("message_processing_error"), at: 11)
            story.send(1, flow, at: 20)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 21)
        }
        #expect(works.sentences.isEmpty)
        #expect(works.counts("E5") == [2, 2, 0, 0, 0], "the error, and the recovery")
    }

    @Test func heldMessagesAreCredited() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.fault(1, "delay", Influence(.message, [.deadline]), tap: .serverOut, held: .milliseconds(400), at: 500)
            story.event(1, Say.error("message_processing_error"), at: 1_400)
        }
        #expect(judgement.sentences.isEmpty)
        let late = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.fault(1, "delay", Influence(.message, [.deadline]), tap: .serverOut, held: .milliseconds(400), at: 500)
            story.event(1, Say.error("message_processing_error"), at: 1_411)
        }
        #expect(late.heads == ["E3"])
    }

    // MARK: The machine gave us no time

    @Test func starvedMachineAccusesNobody() {
        let judgement = judge { story in
            story.ticks(from: 0, to: 500)
            story.enter(1, "alice", at: 501)
            story.send(1, "{", at: 510)
            // The loop stands still from 600 to 1,400 and ticks again.
            story.tick(at: 600)
            story.tick(at: 1_400)
            story.event(1, Say.error("message_processing_error"), at: 1_600)
            story.ticks(from: 1_700, to: 3_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
        #expect(judgement.summary("E3").reasons.first?.hasPrefix("the machine kept miswire waiting for") == true)
    }

    @Test func stallThatContainsTheDeadlineAccusesNobody() {
        let judgement = judge { story in
            story.ticks(from: 0, to: 1_400)
            story.enter(1, "alice", at: 501)
            story.send(1, "{", at: 510)
            story.event(1, Say.error("message_processing_error"), at: 1_900)
            story.ticks(from: 2_000, to: 3_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.contains("E3"))
    }

    @Test func awakeMachineAccuses() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 1)
            story.ticks(from: 0, to: 3_000)
            story.send(1, "{", at: 510)
        }
        #expect(judgement.heads == ["E3"])
        #expect(judgement.findings.first?.instant == Transcript.instant(1_510))
        let late = judge { story in
            story.enter(1, "alice", at: 1)
            story.ticks(from: 0, to: 3_000)
            story.send(1, "{", at: 510)
            story.event(1, Say.error("message_processing_error"), at: 1_700)
        }
        #expect(late.heads == ["E3"])
        #expect(late.findings.first?.found.contains("late") == true)
    }

    // MARK: What could not be read

    @Test func unreadMessagesObscure() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.unlifted(1, .toClient, at: 11)
            story.event(1, Say.event("agent_completed", "alice", run: "r9", thread: "ta"), at: 12)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
        #expect(judgement.notes.count == 1)
    }

    @Test func illegalFramesObscure() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.bytes(1, .illegal, .toServer, "xxxx", at: 5)
            story.send(1, "{", at: 10)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
    }
}

@Suite struct HandshakeTests {
    @Test func dataBeforeThe101() {
        let judgement = judge(nil) { story in
            story.upgrade(1, nil, at: 0, state: .absent)
            story.event(1, "hello", at: 1)
            story.accept(1, at: 2)
        }
        #expect(judgement.heads == ["H1"])
        #expect(judgement.findings.first?.sentence == "the server sends a data frame before its 101")
    }

    @Test func bytesThatAreNoStatusLine() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            story.bytes(1, .preamble, .toClient, "hello", at: 1)
        }
        #expect(judgement.heads == ["H1"])
    }

    /// A head that is too long for us, or whose end never came, is no defect of this kind.
    @Test(arguments: ["H", "HTTP/1.1 101 Switching Proto", "HTTP/1.1 101 Switching Protocols\r\nX-Big: xxxx"])
    func aHeadThatNeverBecameWhole(bytes: String) {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            story.bytes(1, .preamble, .toClient, bytes, at: 1)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func opaqueRelayIsNotJudged() {
        let judgement = judge { story in
            story.opaque(1, at: 0)
            story.bytes(1, .opaque, .toClient, "220 smtp", at: 1)
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("H1") == [0, 0, 0, 0, 0])
    }

    @Test func otherPathsAreNotThisContracts() {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, path: "/metrics")
            story.send(1, "{", at: 10)
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("E3") == [0, 0, 0, 0, 0])
    }

    @Test func delayedAcceptDownstreamIsOurs() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            story.accept(1, at: 5)
            story.fault(1, "accept-delay", Influence(.handshake, [.greetingDeadline]), tap: .clientOut, held: .seconds(5), at: 5)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 1_900)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("H1") == [1, 1, 0, 0, 0])
    }

    @Test func credentialInTheFirstMessage() {
        let judgement = judge { story in
            story.open(1, nil, at: 0, state: .absent, path: "/ws/late")
            story.facts(1, "alice", at: 5_000, state: .intact)
            story.send(1, #"{"type":"auth","token":"x"}"#, at: 5_000)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 5_001)
            story.send(1, Say.start("alice", "q1"), at: 5_010)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 5_011)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("H1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("I2")[1] == 6)
        #expect(judgement.counts("A1") == [0, 0, 0, 0, 0])
    }
}

@Suite struct AuthTests {
    @Test(arguments: [
        ("refused 401", []), ("close 4403", []), ("error then close", []), ("success", ["A1"]), ("drop", ["A1"]),
        ("close 1011", ["A1"]), ("error alone", ["A1"]), ("hang", ["A1"]), ("refused 302", ["A1"]),
        ("refused 400", []), ("refused 503", []),
    ]) func outcomes(_ how: String, _ heads: [String]) {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, state: .corrupt, faults: ["f1"], accepted: !how.hasPrefix("refused"))
            switch how {
            case "refused 401": story.refuse(1, 401, at: 5)
            case "refused 302": story.refuse(1, 302, at: 5)
            case "refused 400": story.refuse(1, 400, at: 5)
            case "refused 503": story.refuse(1, 503, at: 5)
            case "close 4403": story.close(1, by: .server, 4403, at: 5)
            case "close 1011": story.close(1, by: .server, 1011, at: 5)
            case "drop": story.end(1, .server, at: 5)
            case "error then close", "error alone":
                story.event(1, Say.error("authentication_error"), at: 5)
                if how == "error then close" { story.close(1, by: .server, 1000, at: 6) }
            case "success":
                story.send(1, Say.start("alice", "q1"), at: 5)
                story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 6)
            default: break
            }
        }
        #expect(judgement.heads == heads)
        #expect(judgement.summary("A1").checked == 1)
        #expect(judgement.failed == heads, "nothing else is owed to a bad credential")
    }

    @Test func swappedCredentialSpeaksForTheOther() {
        let judgement = judge { story in
            story.open(1, "bob", at: 0, state: .intact, faults: ["f1"])
            story.event(1, #"{"type":"connected","user_id":"bob","connection_id":"ws_1"}"#, at: 1)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("A1") == [0, 0, 0, 0, 0])
    }

    @Test func whatNothingCanJudgeIsNotJudged() {
        let judgement = judge { story in story.open(1, "alice", at: 0, state: .unknown) }
        #expect(judgement.counts("A1") == [0, 0, 0, 0, 0])
        let spoilt = judge { story in story.open(1, "alice", at: 0, state: .unknown, faults: ["f1"]) }
        #expect(spoilt.heads == ["A1"])
    }
}
