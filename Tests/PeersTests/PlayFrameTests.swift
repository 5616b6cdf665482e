import NIOCore
import Testing
import Wire

@testable import Peers

/// `frames`: exactly these bytes, whatever they mean.
@Suite struct PlayFrameTests {
    /// What a machine writes for the step, behind the handshake.
    private func bytes(_ step: String) throws -> String {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n3 alice \(step)")
        play.begin()
        let commands = play.open(0, at: 1).filter { $0.hasPrefix("0 > ") }
        return commands.dropFirst().joined(separator: "; ")
    }

    @Test func everyFieldIsOnTheWireAsItStandsThere() throws {
        #expect(try bytes("frames fin=0 rsv=4 op=1 mask=none len=7:3 hex 61") == "0 > bytes 41 03 61")
        #expect(
            try bytes("frames op=3 mask=none len=64:18446744073709551615") == "0 > bytes 83 7f"
                + String(repeating: " ff", count: 8))
        #expect(try bytes("frames op=1 mask=00000000 len=16:2 hex 61") == "0 > bytes 81 fe 00 02 00 00 00 00 61")
        // The low seven bits of 200.
        #expect(try bytes("frames op=1 mask=none len=7:200 hex 61") == "0 > bytes 81 48 61")
        #expect(
            try bytes("frames op=1 mask=01020304 len=7:9 hex 01 02 03 04 05")
                == "0 > bytes 81 89 01 02 03 04 00 00 00 00 04")
    }

    @Test func severalFramesAreOneWrite() throws {
        #expect(
            try bytes(#"frames fin=0 op=1 "{user}" ; op=9 mask=none "p" ; op=0 hex"#)
                == "0 > text alice; 0 > unmasked ping p; 0 > opcode 0 ")
    }

    @Test func drawnMasksComeFromTheSameDiceAsThoseOfMessages() throws {
        #expect(try bytes(#"frames op=1 "{\"n\":1}""#) == #"0 > text {"n":1}"#)
        let written = try written("3 alice frames op=1 \"x\"")
        let sent = try self.written("3 alice send text \"x\"")
        #expect(written == sent)
        #expect(written.last?.readableBytes == 7)
    }

    private func written(_ step: String) throws -> [ByteBuffer] {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n" + step)
        play.begin()
        play.at(0, .connected(0))
        let answer = play.accept(0)
        return play.commands(at: 1, .received(0, answer)).compactMap { command in
            if case .write(_, let bytes) = command { bytes } else { nil }
        }
    }

    @Test func framesGoBehindTheRequestBeforeItIsAnswered() throws {
        var play = try PlayBook(
            "1 alice connect /ws\n2 alice frames op=9 mask=none \"early\"\n3 alice until open within 1s")
        play.begin()
        #expect(play.at(1, .connected(0)) == ["0 > GET /ws", "0 > unmasked ping early"])
    }

    @Test func aValueThatNothingBoundCannotBeFramed() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n3 alice frames \"$run1.id\"")
        play.begin()
        play.open(0, at: 1)
        #expect(play.results.last == "3 cannot: nothing has bound $run1.id yet 1+0")
    }

    @Test func aWholeCloseIsOursAndABrokenOneIsNot() throws {
        let closed = FrameWriter.bytes(Frame(opcode: .close, payload: CloseBody(code: 1000).payload))
        for (frame, isClose) in [
            ("op=8 hex 03 e8", true), ("op=8 len=16:2 hex 03 e8", false), ("fin=0 op=8 hex 03 e8", false),
        ] {
            var play = try PlayBook(
                "1 alice connect /ws\n2 alice until open within 1s\n3 alice frames \(frame)\n4 alice quiet for 1s")
            play.begin()
            play.open(0, at: 1)
            let commands = play.at(2, .received(0, closed))
            #expect(commands.contains("0 > close 1000") == !isClose, "\(frame)")
            #expect(commands.contains("finish 0"))
        }
    }
}
