import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// C1: what a server writes and takes, and where it must not be accused.
@Suite struct ConductTests {
    private static let canary = "mwc-abcdefghijkl"
    private static let notice = #"{"type":"notice","text":"\#(canary)"}"#

    private func edges(_ judgement: Judgement) -> [String] {
        judgement.findings.filter { $0.property == "C1" }.map(\.sentence)
    }

    // MARK: What it writes

    struct Written: Sendable, CustomTestStringConvertible {
        var violation: FrameViolation
        var frames: [Frame]
        var testDescription: String { violation.rawValue }
    }

    private static func frame(_ words: String = "{}", fin: Bool = true, rsv: UInt8 = 0, _ opcode: Opcode = .text) -> Frame {
        Frame(fin: fin, rsv: rsv, opcode: opcode, payload: ByteBuffer(string: words))
    }

    /// The length is not written in its shortest form.
    private static func lengthy(_ form: LengthForm, _ words: String, maskKey: UInt32? = nil) -> Frame {
        var frame = Frame(opcode: .text, maskKey: maskKey, payload: ByteBuffer(string: words))
        frame.lengthForm = form
        return frame
    }

    private static func close(_ code: UInt16, _ reason: [UInt8] = []) -> Frame {
        var payload = ByteBuffer(integer: code)
        payload.writeBytes(reason)
        return Frame(opcode: .close, payload: payload)
    }

    static let written = [
        Written(violation: .reservedBits, frames: [frame(rsv: 2)]),
        Written(violation: .reservedOpcode, frames: [frame("{}", Opcode(rawValue: 3))]),
        Written(violation: .controlFragmented, frames: [frame(fin: false, .ping)]),
        Written(violation: .controlTooLong, frames: [frame(String(repeating: "x", count: 126), .pong)]),
        Written(violation: .maskUnexpected, frames: [Frame(opcode: .text, maskKey: 7, payload: ByteBuffer(string: "{}"))]),
        Written(violation: .text, frames: [Frame(opcode: .text, payload: ByteBuffer(bytes: [0x22, 0xff, 0x22]))]),
        Written(violation: .closeTooShort, frames: [Frame(opcode: .close, payload: ByteBuffer(bytes: [3]))]),
        Written(violation: .closeCode, frames: [close(1005)]),
        Written(violation: .closeCode, frames: [close(1006)]),
        Written(violation: .closeReason, frames: [close(1000, [0xff])]),
        Written(violation: .afterClose, frames: [close(1000), frame()]),
        Written(
            violation: .lengthNotMinimal,
            frames: [lengthy(.sixteen, "{}")]),
    ]

    @Test(arguments: written) func anIllegalFrameIsNamed(_ written: Written) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            for (index, frame) in written.frames.enumerated() { story.frame(1, .toClient, frame, at: 10 + Double(index)) }
        }
        #expect(edges(judgement) == ["the server sends alice an illegal frame: \(written.violation.detail)"])
        #expect(judgement.findings.first { $0.property == "C1" }?.expected.contains(written.violation.clause) == true)
    }

    @Test func bytesThatAreNoFramesAreNamed() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.bytes(1, .illegal, .toClient, [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 1], at: 10)
        }
        #expect(edges(judgement) == ["the server sends alice an illegal frame: \(FrameViolation.lengthTopBit.detail)"])
    }

    /// A cut of ours leaves a frame without its end, and what comes behind it, as such bytes.
    @Test(arguments: [[], [0x81], [0x81, 0x7e, 0x01], Array("{}".utf8), [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 0x20]] as [[UInt8]])
    func bytesThatWereCutOffProveNothing(_ bytes: [UInt8]) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.bytes(1, .illegal, .toClient, bytes, at: 10)
            story.bytes(1, .illegal, .toClient, [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 1], at: 11)
        }
        #expect(edges(judgement) == [])
    }

    /// The same frames where they prove nothing.
    @Test(arguments: written) func nobodyIsAccusedOfWhatMayBeRight(_ written: Written) {
        // The client broke the protocol first: a server may answer in any way.
        let answered = judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toServer, Self.frame(), at: 5)
            for frame in written.frames { story.frame(1, .toClient, frame, at: 10) }
            story.closed(1, at: 20)
        }
        #expect(edges(answered) == [])
        // Our own fault put it there.
        let injected = judge { story in
            story.enter(1, "alice", at: 0)
            story.inject(1, "{}", at: 10)
        }
        #expect(edges(injected) == [])
        // The recording lacks the beginning, which says what bits mean.
        let torn = judge { story in
            for frame in written.frames { story.frame(1, .toClient, frame, at: 10) }
        }
        #expect(edges(torn) == [])
        // A HAR file knows messages: an importer wrote the frame.
        let madeUp = judge { story in
            story.upgrade(1, "alice", at: 0, isMadeUp: true)
            story.accept(1, at: 0)
            for frame in written.frames { story.frame(1, .toClient, frame, at: 10) }
        }
        #expect(edges(madeUp) == [])
    }

    @Test func whatWasNegotiatedIsLegal() {
        func judged(_ lines: String, deflate: Bool, _ rsv: UInt8) -> [String] {
            edges(
                judge { story in
                    story.upgrade(1, "alice", at: 0)
                    story.accept(1, with: lines, deflate: deflate, at: 0)
                    story.frame(1, .toClient, Self.frame(#"{"type":"connected"}"#, rsv: rsv), at: 1)
                })
        }
        #expect(judged("Sec-WebSocket-Extensions: permessage-deflate\r\n", deflate: true, 4) == [])
        #expect(judged("Sec-WebSocket-Extensions: x-other\r\n", deflate: false, 2) == [])
        #expect(judged("", deflate: false, 4).count == 1)
        #expect(judged("Sec-WebSocket-Extensions: permessage-deflate\r\n", deflate: true, 2).count == 1)
    }

    /// A secret was cut out: what is left is shorter than its length says, and not what stood there.
    @Test func whatWasCutOutProvesNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            let frame = Self.lengthy(.sixteen, "{}")
            story.frame(1, .toClient, frame, at: 10, redacted: true)
        }
        #expect(edges(judgement) == [])
    }

    /// Frames of a server that does as the standards say, or of which nobody can know.
    @Test func whatOnlyLooksIllegalIsNot() {
        let stories: [(String, (inout Transcript) -> Void)] = [
            ("a Pong behind its own Close (RFC 6455 5.5.2)", { story in
                story.close(1, by: .server, 1000, at: 10)
                story.control(1, .ping, by: .client, at: 10)
                story.control(1, .pong, by: .server, at: 11)
            }),
            ("a message begun before its Close comes to the journal when it has no end", { story in
                story.frame(1, .toClient, Self.frame(fin: false), at: 10)
                story.close(1, by: .server, 1011, at: 11)
                story.comesLate(2, at: 12)
            }),
            ("a lost segment holds the other half", { story in
                story.frame(1, .toClient, Self.frame("{}", .continuation), at: 10)
                story.frame(1, .toClient, Self.frame(fin: false), at: 11)
                story.frame(1, .toClient, Self.frame(), at: 12)
            }),
            ("the code that the client sent", { story in
                story.close(1, by: .client, 2999, at: 10)
                story.close(1, by: .server, 2999, at: 11)
            }),
            ("the code that the client sent, with a reason that was cut off", { story in
                var close = Self.close(1005)
                close.maskKey = 1
                story.frame(1, .toServer, close, at: 10, redacted: true)
                story.close(1, by: .server, 1005, at: 11)
            }),
        ]
        for (why, tell) in stories {
            for contract in [AgentChat.contract, nil] {
                let judgement = judge(contract) { story in
                    story.enter(1, "alice", at: 0)
                    tell(&story)
                    story.closed(1, at: 20)
                }
                #expect(edges(judgement) == [], "\(why)")
            }
        }
    }

    @Test func theAnswerThatCountsIsThe101() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            for _ in 0..<4 { story.interim(1, at: 0) }
            story.accept(1, with: "Sec-WebSocket-Extensions: permessage-deflate\r\n", deflate: true, at: 0)
            story.frame(1, .toClient, Self.frame(#"{"type":"connected"}"#, rsv: 4), at: 1)
        }
        #expect(edges(judgement) == [])
    }

    // MARK: What it takes

    struct Breach: Sendable, CustomTestStringConvertible {
        var violation: FrameViolation
        var frame: Frame
        var testDescription: String { violation.rawValue }
    }
    private static func words(_ frame: Frame) -> Frame {
        var frame = frame
        frame.payload = ByteBuffer(string: notice)
        return frame
    }
    static let breaches = [
        Breach(violation: .maskMissing, frame: words(Frame(opcode: .text, payload: ByteBuffer()))),
        Breach(violation: .reservedBits, frame: words(Frame(rsv: 1, opcode: .text, maskKey: 1, payload: ByteBuffer()))),
        Breach(violation: .reservedBits, frame: words(Frame(rsv: 4, opcode: .text, maskKey: 1, payload: ByteBuffer()))),
        Breach(
            violation: .text,
            frame: Frame(opcode: .text, maskKey: 1, payload: ByteBuffer(bytes: Array(notice.utf8) + [0xff]))),
    ]

    private func story(_ breach: Breach, _ rest: (inout Transcript) -> Void) -> Judgement {
        judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toServer, breach.frame, at: 10)
            rest(&story)
        }
    }

    @Test(arguments: breaches) func goingOnIsNamed(_ breach: Breach) {
        for code in [UInt16(1000), 1001] {
            let judgement = story(breach) { story in
                story.event(1, Self.notice, at: 20)
                story.close(1, by: .server, code, at: 30)
                story.closed(1, at: 31)
            }
            #expect(edges(judgement) == ["the server goes on with alice's messages behind an illegal frame: \(breach.violation.detail)"])
        }
        // Behind it, in a message of its own, and long before the end.
        let later = judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toServer, Frame(opcode: Opcode(rawValue: 5), maskKey: 1, payload: ByteBuffer()), at: 10)
            story.send(1, Self.notice, at: 20)
            story.event(1, Self.notice, at: 30)
            story.close(1, by: .server, 1002, at: 2_500)
            story.closed(1, at: 2_501)
        }
        #expect(edges(later).count == 1 && later.findings.first?.sentence.hasSuffix(FrameViolation.reservedOpcode.detail) == true)
    }

    @Test(arguments: breaches) func failingIsRightHoweverItIsSaid(_ breach: Breach) {
        for code in [UInt16(1002), 1003, 1007, 1008, 1011, 4400] {
            let judgement = story(breach) { story in
                story.event(1, Self.notice, at: 20)
                story.close(1, by: .server, code, at: 30)
                story.closed(1, at: 31)
            }
            #expect(edges(judgement) == [])
        }
        let dropped = story(breach) { story in
            story.event(1, Self.notice, at: 20)
            story.end(1, .server, at: 30)
            story.closed(1, at: 31)
        }
        #expect(edges(dropped) == [])
        // It has 2 s for it, and no more.
        #expect(edges(story(breach) { $0.closed(1, at: 1_500) }) == [])
        let silent = story(breach) { $0.closed(1, at: 5_000) }
        #expect(edges(silent) == ["the server does not fail alice's connection: \(breach.violation.detail)"])
        let wordless = story(breach) { story in
            story.event(1, Self.notice, at: 20)
            story.frame(1, .toClient, Frame(opcode: .close, payload: ByteBuffer()), at: 30)
            story.closed(1, at: 31)
        }
        #expect(edges(wordless) == [])
        let both = story(breach) { story in
            story.event(1, Self.notice, at: 20)
            story.close(1, by: .client, 1000, at: 25)
            story.end(1, .server, at: 30)
            story.closed(1, at: 31)
        }
        #expect(edges(both) == [])
        // Nobody can know what the server would have done.
        let gone = story(breach) { story in
            story.event(1, Self.notice, at: 20)
            story.end(1, .client, at: 30)
            story.closed(1, at: 31)
        }
        #expect(edges(gone) == [] && gone.counts("C1") == [1, 0, 0, 1, 0])
        let history = story(breach) { story in
            story.close(1, by: .server, 1002, at: 15)
            story.enter(2, "alice", at: 16)
            story.event(2, Self.notice, at: 20)
            story.closed(1, at: 31)
        }
        #expect(edges(history) == [])
        // A Pong is no word of an application, and what others hear was said elsewhere.
        let ponged = story(breach) { story in
            story.control(1, .pong, by: .server, Self.canary, at: 20)
            story.closed(1, at: 30)
        }
        #expect(edges(ponged) == [])
    }

    @Test(arguments: breaches) func whatWasSaidElsewhereProvesNothing(_ breach: Breach) {
        let before = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.notice, at: 5)
            story.frame(1, .toServer, breach.frame, at: 10)
            story.event(1, Self.notice, at: 20)
            story.closed(1, at: 30)
        }
        #expect(edges(before) == [])
        let beside = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 0)
            story.frame(1, .toServer, breach.frame, at: 10)
            story.send(2, Self.notice, at: 15)
            story.event(1, Self.notice, at: 20)
            story.closed(1, at: 30)
        }
        #expect(edges(beside) == [])
    }

    @Test func whatWasNegotiatedMayGiveItAMeaning() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            story.accept(1, with: "Sec-WebSocket-Extensions: x-other\r\n", at: 0)
            story.event(1, #"{"type":"connected"}"#, at: 1)
            story.frame(1, .toServer, Self.breaches[1].frame, at: 10)
            story.event(1, Self.notice, at: 20)
            story.closed(1, at: 30)
        }
        #expect(edges(judgement) == [])
    }

    /// What stands in a message that was begun before may have been read by then.
    @Test func whatCameBeforeMayBeAnswered() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.frame(1, .toServer, Frame(fin: false, opcode: .text, maskKey: 1, payload: ByteBuffer(string: Self.notice)), at: 10)
            story.frame(1, .toServer, Frame(opcode: .continuation, payload: ByteBuffer()), whole: Self.notice, at: 11)
            story.event(1, Self.notice, at: 20)
            story.close(1, by: .server, 1000, at: 30)
            story.closed(1, at: 31)
        }
        #expect(edges(judgement) == [])
    }

    /// These bind who sends; no standard says that the receiver must fail.
    @Test func whatAReceiverMayTolerateIsTolerated() {
        for frame in [
            Self.lengthy(.sixtyFour, Self.notice, maskKey: 1),
            Frame(opcode: .continuation, maskKey: 1, payload: ByteBuffer(string: Self.notice)),
        ] {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.frame(1, .toServer, frame, at: 10)
                story.event(1, Self.notice, at: 20)
                story.closed(1, at: 30)
            }
            #expect(edges(judgement) == [])
        }
    }
}
