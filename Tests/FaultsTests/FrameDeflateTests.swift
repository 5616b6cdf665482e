import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Faults on compressed frames: what an inflater of its own makes of them, and of what comes behind.
@Suite struct FrameDeflateTests {
    private static let text = #"{"type":"event","text":"the same words again and again and again"}"#

    private static func run(
        _ kind: String, _ settings: [String: [String]], _ direction: Direction, compressed: Bool = true
    ) throws -> (flow: Flow, got: ByteBuffer, sent: [ByteBuffer]) {
        var flow = Flow(kind, settings, direction, nth: 2, extensions: "permessage-deflate")
        let deflater = try DeflateParameters().deflater(direction)
        var sent: [ByteBuffer] = []
        for number in 1...4 {
            let plain = ByteBuffer(string: text + " \(number)")
            let payload = compressed ? try deflater.deflate(plain) : plain
            sent.append(Sample.frame(payload, rsv: compressed ? 4 : 0, masked: direction.masked))
            flow.send(sent[number - 1])
        }
        return (flow, flow.taken(), sent)
    }

    /// Whoever takes the frame all the same goes on reading with the sender's context, and what is behind is untouched.
    @Test(arguments: [
        ("fragment", ["size": ["2B"]]), ("fragment", ["how": ["byte"]]), ("fragment", ["how": ["empty"]]), ("interleave", [:]),
        ("length", [:]), ("length", ["how": ["64-bit"]]), ("control", [:]), ("control", ["how": ["flood"], "count": ["2"]]),
        ("mask", ["how": ["zero"]]), ("deflate", ["how": ["rsv1-control"]]), ("deflate", ["how": ["rsv1-continuation"]]),
    ], Direction.allCases) func theContextGoesOn(_ row: (kind: String, settings: [String: [String]]), _ direction: Direction) throws {
        var (flow, got, sent) = try Self.run(row.kind, row.settings, direction)
        #expect(Sample.messages(got, direction, .deflate(DeflateParameters())) == (1...4).map { Self.text + " \($0)" })
        #expect(flow.net.faults(flow.id).map(\.applied) == [true])
        let tail = Sample.joined(sent[2], sent[3])
        #expect(got.getSlice(at: got.writerIndex - tail.readableBytes, length: tail.readableBytes) == tail)
        #expect(flow.differences() == [])
    }

    @Test(arguments: ["corrupt", "cut-tail", "context"], Direction.allCases)
    func whatCannotBeInflated(_ how: String, _ direction: Direction) throws {
        var (flow, got, sent) = try Self.run("deflate", ["how": [how]], direction)
        let frames = Flow.frames(got)
        #expect(frames.count == 4 && FrameWriter.bytes(frames[0]) == sent[0] && frames[1].rsv == 4)
        let inflater = try DeflateParameters().inflater(direction)
        #expect(try inflater.inflate(frames[0].payload) == ByteBuffer(string: Self.text + " 1"))
        let read = try? inflater.inflate(frames[1].payload)
        #expect(read != ByteBuffer(string: Self.text + " 2"))
        if how == "corrupt" { #expect(read == nil) }
        // Read by themselves the others are whole: nothing refers to what was spoilt.
        let fresh = try DeflateParameters().inflater(direction)
        #expect(try frames[2...].map { String(buffer: try fresh.inflate($0.payload)) } == (3...4).map { Self.text + " \($0)" })
        #expect(flow.differences() == [])
    }

    /// The receiver puts 00 00 ff ff behind it once more (RFC 7692 section 7.2.2), and waits within a block that is none.
    @Test(arguments: Direction.allCases) func theTailLeftOn(_ direction: Direction) throws {
        var (flow, got, _) = try Self.run("deflate", ["how": ["keep-tail"]], direction)
        let frames = Flow.frames(got)
        #expect(Array(frames[1].payload.readableBytesView.suffix(4)) == [0, 0, 0xff, 0xff])
        let inflater = try DeflateParameters().inflater(direction)
        #expect(try frames[..<2].map { String(buffer: try inflater.inflate($0.payload)) } == (1...2).map { Self.text + " \($0)" })
        #expect(throws: DeflateError.self) { try inflater.inflate(frames[2].payload) }
        #expect(flow.differences() == [])
    }

    @Test(arguments: Direction.allCases) func bombs(_ direction: Direction) throws {
        var (flow, got, _) = try Self.run("deflate", ["how": ["bomb"], "size": ["5000000B"]], direction)
        let frames = Flow.frames(got)
        #expect(frames[1].payload.readableBytes < 50_000)
        let plain = try DeflateParameters().inflater(direction).inflate(frames[1].payload)
        #expect(plain.readableBytes == 5_000_000 && plain.readableBytesView.allSatisfy { $0 == 0 })
        #expect(flow.differences() == [])
    }

    @Test(arguments: Direction.allCases) func markedAsCompressed(_ direction: Direction) throws {
        var (flow, got, sent) = try Self.run("deflate", ["how": ["rsv1-plain"]], direction, compressed: false)
        var second = sent[1]
        second.setInteger(0xc1 as UInt8, at: second.readerIndex)
        #expect(got == Sample.joined(sent[0], second, sent[2], sent[3]))
        #expect(flow.differences() == [])
    }

    /// Behind a change everything is compressed anew; frames of ours among that must not spoil the context.
    @Test(arguments: Direction.allCases, [("fragment", "byte"), ("deflate", "corrupt")])
    func amongRecodedMessages(_ direction: Direction, _ row: (kind: String, how: String)) throws {
        let how = row.how
        var profile = Sample.profile(
            Sample.rule("drop", id: "a") { $0.message = .nth(1) },
            Sample.rule(row.kind, ["how": [how]], id: "b") { $0.message = .nth(3) })
        profile.hash = "0"
        var net = Net(profile: profile)
        let id = net.upgraded(1, extensions: "permessage-deflate")
        _ = net.take(id, direction)
        let deflater = try DeflateParameters().deflater(direction)
        for number in 1...6 {
            let small = try deflater.deflate(ByteBuffer(string: Self.text + " \(number)"))
            net.send(id, direction, Sample.frame(small, rsv: 4, masked: direction.masked))
        }
        let bytes = net.take(id, direction)
        if how == "byte" {
            let want = [2, 3, 4, 5, 6].map { Self.text + " \($0)" }
            #expect(Sample.messages(bytes, direction, .deflate(DeflateParameters())) == want)
            #expect(net.differences(.raw) == [])
            return #expect(net.conclude().differences == [])
        }
        let frames = Flow.frames(bytes)
        #expect(frames.count == 5)
        var inflater = try DeflateParameters().inflater(direction)
        var read: [String] = []
        for (index, frame) in frames.enumerated() {
            if index == 1 {
                inflater = try DeflateParameters().inflater(direction)
                continue
            }
            read.append(String(buffer: try inflater.inflate(frame.payload)))
        }
        #expect(read == [2, 4, 5, 6].map { Self.text + " \($0)" })
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }
}
