import Journaling
import Testing
import Wire

@testable import Oracles

/// A1 behind the handshake: credentials that end, and Origins that a profile says are to be refused.
@Suite struct AuthenticationTests {
    private func edges(_ judgement: Judgement) -> [String] { judgement.findings.filter { $0.property == "A1" }.map(\.sentence) }
    private static let served = "the server goes on serving alice after the credential has expired"

    /// alice, with a credential for two seconds.
    private func story(_ contract: String? = nil, until end: Double = 20_000, _ rest: (inout Transcript) -> Void) -> Judgement {
        judge(contract.map(AgentChat.with) ?? AgentChat.contract, until: end) { story in
            story.ask(1, "/ws?token=x", at: 0)
            story.credential(1, "alice", lasts: .seconds(2), at: 0)
            story.accept(1, at: 1)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 2)
            rest(&story)
        }
    }

    private func run(_ story: inout Transcript, at ms: Double) {
        story.send(1, Say.start("alice", "q1"), at: ms)
        story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: ms + 1)
    }

    @Test func whoGoesOnBehindTheGraceIsNamed() {
        let judgement = story { run(&$0, at: 8_000) }
        #expect(edges(judgement) == [Self.served])
        #expect(judgement.findings.first?.expected == "no event of the application later than 5 s after its end")
    }

    @Test func theGraceIsTheServers() {
        #expect(edges(story { run(&$0, at: 6_500) }) == [])
        #expect(edges(story(#"{"auth": {"revoked": "never"}}"#) { run(&$0, at: 15_000) }) == [])
        #expect(edges(story(#"{"auth": {"revoked": "1s"}}"#) { run(&$0, at: 6_500) }) == [Self.served])
    }

    @Test func endingOrBeingSilentIsRight() {
        let closed = story { story in
            story.close(1, by: .server, 4401, at: 2_100)
            story.closed(1, at: 2_200)
        }
        #expect(closed.failed.isEmpty && closed.counts("A1") == [1, 1, 0, 0, 0])
        let silent = story { $0.closed(1, at: 15_000) }
        #expect(silent.failed.isEmpty && silent.counts("A1") == [1, 1, 0, 0, 0])
        let refused = story { story in
            story.send(1, Say.start("alice", "q1"), at: 9_000)
            story.event(1, Say.error("authentication_error", user: "alice", request: "q1"), at: 9_001)
        }
        #expect(edges(refused) == [], "an error is no application event")
        // Nobody was asked before it ended.
        #expect(story { $0.closed(1, at: 1_000) }.counts("A1") == [0, 0, 0, 0, 0])
    }

    @Test func aNewerCredentialTakesItsPlace() {
        let renewed = story { story in
            story.send(1, #"{"type":"auth","token":"x"}"#, at: 1_000)
            story.credential(1, "alice", lasts: .seconds(600), at: 1_000)
            run(&story, at: 9_000)
        }
        #expect(edges(renewed) == [])
        let endless = story { story in
            story.credential(1, "alice", lasts: nil, at: 1_000)
            run(&story, at: 9_000)
        }
        #expect(edges(endless) == [])
        let unknown = story { story in
            story.credential(1, "alice", lasts: nil, state: .unknown, at: 1_000)
            run(&story, at: 9_000)
        }
        #expect(edges(unknown) == [])
        let bad = story { story in
            story.credential(1, "alice", lasts: nil, state: .forged, at: 1_000)
            run(&story, at: 9_000)
        }
        #expect(edges(bad) == [Self.served], "a bad one renews nothing")
    }

    @Test func whatLayUnreadIsOld() {
        let judgement = story { story in
            story.hold(1, true, at: 1_500)
            story.hold(1, false, at: 8_000)
            run(&story, at: 8_001)
        }
        #expect(edges(judgement) == [])
    }

    @Test func whoStoodStillProvesNothing() {
        let judgement = judge(until: 20_000) { story in
            story.tick(at: 0)
            story.ask(1, "/ws?token=x", at: 1)
            story.credential(1, "alice", lasts: .seconds(2), at: 1)
            story.accept(1, at: 2)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 3)
            story.ticks(from: 100, to: 1_000)
            story.tick(at: 9_000)
            run(&story, at: 9_001)
        }
        #expect(edges(judgement) == [])
    }

    // MARK: Origins

    private func origin(_ origin: String, _ rest: (inout Transcript) -> Void) -> Judgement {
        judge { story in
            story.ask(1, "/ws?token=x", ["Origin: \(origin)"], at: 0)
            story.fault(
                1, "handshake-mutate", Influence(.connection, [.success]), tap: .serverOut,
                expect: Journaling.Expectation(what: .refused, within: .seconds(2)), at: 0)
            story.credential(1, "alice", lasts: nil, at: 0)
            rest(&story)
        }
    }

    @Test(arguments: ["https://evil.example", "https://chat.example:8080.evil.example", "null"])
    func aForeignOriginThatIsLetInIsNamed(_ text: String) {
        let accepted = origin(text) { story in
            story.accept(1, at: 1)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 2)
            run(&story, at: 3)
            story.closed(1, at: 5_000)
        }
        #expect(accepted.heads == ["A1 also X1"])
        #expect(edges(accepted) == ["the server does not refuse alice's connection from a foreign Origin"])
        let refused = origin(text) { story in
            story.answer(1, 403, at: 5)
            story.closed(1, at: 10)
        }
        #expect(refused.failed.isEmpty && refused.counts("A1")[1] == 1)
    }

    /// Another rule of the handshake is broken here, whatever the Origin.
    @Test func theRightOriginIsNoMatterOfAuthentication() {
        let judgement = origin("http://chat.example:8080") { story in
            story.accept(1, at: 1)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 2)
            run(&story, at: 3)
        }
        #expect(judgement.heads == ["X1"])
    }

    // MARK: Injection

    private func injected(_ target: String, _ fields: [String], answer: [String], status: Int = 101) -> [String] {
        judge { story in
            story.ask(1, target, fields, at: 0)
            story.answer(1, status, answer, at: 5)
        }.findings.filter { $0.property == "H2" }.map(\.sentence)
    }

    @Test func aLineOfOursInTheAnswerIsNamed() {
        let told = ["s1's request writes a line of its own into the head of the server's answer"]
        let line = ["X-Miswire-Injected: miswire"]
        let code = "%0d%0aX-Miswire-Injected:%20miswire"
        #expect(injected("/ws?a=1&b=x\(code)&c=2", [], answer: line) == told)
        #expect(injected("/ws/\(code)", [], answer: line, status: 301) == told)
        #expect(injected("/ws", ["X-Request-Id: 7\(code)"], answer: ["X-Request-Id: 7"] + line) == told)
        #expect(injected("/ws?a=%250D%250AX-Miswire-Injected:%2520miswire", [], answer: line) == told, "decoded twice")
        #expect(injected("/ws?a=%0aX-Miswire-Injected:miswire", [], answer: line) == told, "a line feed alone")
        #expect(injected("/ws?a=%E5%98%8D%E5%98%8ASet-Cookie:miswire=1", [], answer: ["Set-Cookie: miswire=1; Path=/"]) == told)
    }

    @Test func whatAServerWritesByItselfIsNot() {
        let code = "%0d%0aX-Miswire-Injected:%20miswire"
        #expect(injected("/ws?a=\(code)", [], answer: ["Location: /ws?a=\(code)"]) == [], "as it came")
        #expect(injected("/ws?a=\(code)", [], answer: ["X-Echo: X-Miswire-Injected: miswire"]) == [], "inside of a value")
        #expect(injected("/ws?a=%0d%0aConnection:%20close", [], answer: ["Connection: close"], status: 400) == [])
        #expect(injected("/ws", ["X-Miswire-Injected: miswire"], answer: ["X-Miswire-Injected: miswire"]) == [], "a field that is repeated")
        #expect(injected("/ws?a=X-Miswire-Injected:%20miswire", [], answer: ["X-Miswire-Injected: miswire"]) == [])
    }
}
