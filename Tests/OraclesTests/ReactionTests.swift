import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// C1: what a server owes as a peer, within 2 s, and where nobody may demand it.
@Suite struct ReactionTests {
    private func told(_ contract: Bool = true, until end: Double = 100_000, _ tell: (inout Transcript) -> Void) -> [String] {
        judge(contract ? AgentChat.contract : nil, until: end) { story in
            story.enter(1, "alice", at: 0)
            tell(&story)
        }.findings.filter { $0.property == "C1" }.map(\.sentence)
    }

    private static let noPong = ["the server does not answer alice's Ping"]
    private static let noClose = ["the server does not answer alice's Close"]

    private func ping(_ story: inout Transcript, _ text: String, at ms: Double) { story.control(1, .ping, by: .client, text, at: ms) }
    private func pong(_ story: inout Transcript, _ text: String, at ms: Double) { story.control(1, .pong, by: .server, text, at: ms) }

    @Test func aPingGetsAPong() {
        #expect(told { ping(&$0, "a", at: 10) } == Self.noPong)
        #expect(told { story in
            ping(&story, "a", at: 10)
            pong(&story, "b", at: 20)
        } == Self.noPong, "another payload answers nothing")
        #expect(told { story in
            ping(&story, "a", at: 10)
            pong(&story, "a", at: 1_900)
        } == [])
        #expect(told(until: 1_500) { ping(&$0, "a", at: 10) } == [], "it has its time")
    }

    /// RFC 6455 section 5.5.3: only the latest need be answered.
    @Test func theLatestIsEnough() {
        #expect(told { story in
            for (index, text) in ["a", "b", "c"].enumerated() { ping(&story, text, at: 10 + Double(index)) }
            pong(&story, "c", at: 100)
        } == [])
        #expect(told { story in
            for (index, text) in ["a", "b", "c"].enumerated() { ping(&story, text, at: 10 + Double(index)) }
            pong(&story, "b", at: 100)
        } == Self.noPong)
    }

    @Test func aCloseGetsAClose() {
        #expect(told { $0.close(1, by: .client, 1000, at: 10) } == Self.noClose)
        for answer in [true, false] {
            #expect(told { story in
                story.close(1, by: .client, 1000, at: 10)
                if answer { story.close(1, by: .server, 1000, at: 20) }
                story.end(1, .server, at: 30)
                story.closed(1, at: 40)
            } == [])
        }
        #expect(told { story in
            story.close(1, by: .client, 1000, at: 10)
            story.end(1, .client, at: 20)
            story.closed(1, at: 5_000)
        } == [], "whoever goes does not wait")
        #expect(told { story in
            story.close(1, by: .server, 1000, at: 5)
            story.close(1, by: .client, 1000, at: 10)
        } == [], "that one is the answer")
    }

    private func breach(_ story: inout Transcript, at ms: Double = 10) {
        story.frame(1, .toServer, Frame(opcode: .text, payload: ByteBuffer(string: "{}")), at: ms)
    }

    @Test func aBreachFailsTheConnection() {
        let told = told { breach(&$0) }
        #expect(told == ["the server does not fail alice's connection: a client's frame is not masked"])
        for code in [UInt16(1002), 1000] {
            #expect(self.told { story in
                breach(&story)
                story.close(1, by: .server, code, at: 1_000)
                story.closed(1, at: 1_010)
            } == [])
        }
        #expect(self.told { story in
            breach(&story)
            story.end(1, .server, .reset, at: 1_000)
            story.closed(1, at: 1_010)
        } == [])
    }

    /// Some servers look at a text when it is whole, and what they hold of it may have been cut out.
    @Test func anUnfinishedTextMayWait() {
        func text(_ fin: Bool, _ opcode: Opcode, _ bytes: [UInt8]) -> Frame {
            Frame(fin: fin, opcode: opcode, maskKey: 1, payload: ByteBuffer(bytes: bytes))
        }
        #expect(told { $0.frame(1, .toServer, text(false, .text, [0xff]), at: 10) } == [])
        #expect(told { story in
            story.frame(1, .toServer, text(false, .text, [0xff]), at: 10)
            story.frame(1, .toServer, text(true, .continuation, [0x20]), at: 3_000)
        } == [])
        #expect(told { $0.frame(1, .toServer, text(true, .text, [0xff]), at: 10) }
            == ["the server does not fail alice's connection: a text message is no UTF-8"])
    }

    /// Who reads on only when it is done owes no reaction before; and what is ours, or nobody's, blames nobody.
    @Test func whereItCannotBeDemanded() {
        let stories: [(String, (inout Transcript) -> Void)] = [
            ("a run goes on", { story in
                story.send(1, Say.start("alice", "q1"), at: 5)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 6)
            }),
            ("the last word was the client's", { $0.send(1, #"{"type":"cancel","run_id":"r0"}"#, at: 5) }),
            ("our fault cut it", { story in
                story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 5)
            }),
            ("our fault delays it", { story in
                story.fault(1, "latency", Influence(.connection, [.deadline]), tap: .serverOut, at: 5)
            }),
            ("nobody read the server", { $0.hold(1, true, at: 5) }),
            ("the server took nothing", { $0.hold(1, true, .client, at: 5) }),
        ]
        for (why, tell) in stories {
            #expect(told { story in
                tell(&story)
                ping(&story, "a", at: 10)
            } == [], "\(why): ping")
            #expect(told { story in
                tell(&story)
                story.close(1, by: .client, 1000, at: 10)
            } == [], "\(why): close")
            #expect(told { story in
                tell(&story)
                breach(&story)
            } == [], "\(why): breach")
        }
        #expect(told(false) { ping(&$0, "a", at: 10) }.count == 1, "no contract is needed")
    }

    /// It read on when it had said anything, whatever an extension means by it; what a Pong or a Ping tells is not that.
    @Test func whateverItSaidItIsDone() {
        func told(_ opcode: Opcode) -> [String] {
            judge(nil, until: 100_000) { story in
                story.upgrade(1, "alice", at: 0)
                story.accept(1, with: "Sec-WebSocket-Extensions: x-other\r\n", at: 0)
                story.frame(1, .toServer, Frame(opcode: .text, maskKey: 1, payload: ByteBuffer(string: "{}")), at: 5)
                story.frame(1, .toClient, Frame(opcode: opcode, payload: ByteBuffer(string: "?")), at: 6)
                ping(&story, "a", at: 10)
            }.findings.filter { $0.property == "C1" }.map(\.sentence)
        }
        for opcode in [Opcode.text, .binary, Opcode(rawValue: 3), Opcode(rawValue: 11), Opcode(rawValue: 15)] {
            #expect(told(opcode) == ["the server does not answer s1's Ping"], "\(opcode)")
        }
        for opcode in [Opcode.ping, .pong] { #expect(told(opcode) == [], "\(opcode)") }
    }

    @Test func aLoopThatStoodStillProvesNothing() {
        #expect(told { story in
            story.ticks(from: 0, to: 1_000)
            ping(&story, "a", at: 1_050)
            story.tick(at: 9_000)
        } == [])
    }

    // MARK: What it must take

    /// A text in two fragments, parted there, and a close of the server behind it.
    private func split(_ text: String, at border: Int, _ code: UInt16) -> Judgement {
        judge { story in
            story.enter(1, "alice", at: 0)
            let bytes = Array(text.utf8)
            let first = Frame(fin: false, opcode: .text, maskKey: 1, payload: ByteBuffer(bytes: bytes[..<border]))
            story.frame(1, .toServer, first, at: 10)
            let last = Frame(opcode: .continuation, maskKey: 1, payload: ByteBuffer(bytes: bytes[border...]))
            story.frame(1, .toServer, last, whole: text, at: 11)
            story.close(1, by: .server, code, at: 20)
            story.closed(1, at: 30)
        }
    }

    @Test func aTextMayBePartedAnywhere() {
        let text = Say.start("alice", "q1", text: "é")
        let inside = (Array(text.utf8).firstIndex(of: 0xc3) ?? 0) + 1
        let judgement = split(text, at: inside, 1007)
        #expect(judgement.heads == ["C1"], "\(judgement.sentences)")
        #expect(judgement.findings.first?.sentence == "the server fails alice's connection over a text that is split inside a character")
        #expect(split(text, at: 4, 1007).findings.allSatisfy { $0.property != "C1" }, "the border is not odd")
        #expect(split(text, at: inside, 1011).findings.allSatisfy { $0.property != "C1" }, "it says something else")
        #expect(split(#"{"type":"é"}"#, at: 10, 1007).failed.isEmpty, "what is refused anyway may be refused so")
    }

    // MARK: Names

    @Test func bytesAreNamedByWhatTheyLookLike() {
        func found(_ text: String) -> String? {
            let bytes = Array(text.utf8)
            let frame = Frame(
                firstByte: bytes[0], lengthForm: .seven, declaredLength: UInt64(bytes[1]), maskKey: nil,
                payload: ByteBuffer(bytes: bytes[2...]))
            return Conduct.looks(frame)
        }
        #expect(found("HTTP/1.1 500 Oops\r\n") == "HTTP text")
        #expect(found("Traceback (most recent call last)") == "plain text")
        #expect(found("\u{1}\u{2}abc") == nil)
    }

    @Test func aReservedCodeIsQuotedWithItsReason() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            var payload = ByteBuffer(integer: UInt16(1006))
            payload.writeString("server going away")
            story.frame(1, .toClient, Frame(opcode: .close, payload: payload), at: 10)
        }
        #expect(judgement.findings.first { $0.property == "C1" }?.found.hasSuffix(#": 1006 "server going away""#) == true)
    }

    @Test func whatIsNotStrictIsNoted() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.end(1, .server, at: 10)
            story.closed(1, at: 20)
        }
        #expect(judgement.failed.isEmpty)
        #expect(judgement.notes.contains { $0.hasPrefix("C1 non-strict: a connection is dropped without Close") })
    }
}
