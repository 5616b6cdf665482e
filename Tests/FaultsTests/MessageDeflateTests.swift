import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Faults on messages inside permessage-deflate: whoever inflates all frames in order reads what a session without
/// compression would have shown, whatever was changed, left out or put elsewhere.
@Suite struct MessageDeflateTests {
    static let rules: [(kind: String, settings: [String: [String]])] = [
        ("drop", [:]), ("duplicate", ["copies": ["3"]]), ("duplicate", ["gap": ["5ms"]]), ("delay", ["delay": ["5ms"]]),
        ("reorder", ["window": ["2"]]), ("reorder", ["window": ["9"], "most": ["5ms"]]), ("replay-stale", ["back": ["2"]]),
        ("replay-stale", ["place": ["instead"]]), ("replace", ["payload": ["other"]]), ("inject", ["place": ["before"]]), ("inject", [:]),
        ("truncate", [:]), ("retype", [:]), ("oversize", ["size": ["4KiB"]]), ("regex-replace", ["with": ["seven"]]),
        ("corrupt-id", [:]), ("utf8", [:]),
    ]
    static let cases = rules.indices.flatMap { row in Direction.allCases.flatMap { way in [true, false].map { (row, way, $0) } } }

    private static func texts(_ count: Int) -> [String] {
        (1...count).map { #"{"type":"event","run_id":"run-\#($0)","n":\#($0),"text":"the same words again and again"}"# }
    }

    private static func run(_ row: Int, _ direction: Direction, deflate: DeflateParameters?, nth: Int = 3) throws -> (Flow, ByteBuffer, [ByteBuffer]) {
        let text = deflate.map { "permessage-deflate" + ($0.takeover(direction) ? "" : "; server_no_context_takeover; client_no_context_takeover") }
        var flow = Flow(rules[row].kind, rules[row].settings, direction, nth: nth, extensions: text)
        let deflater = try deflate?.deflater(direction)
        var frames: [ByteBuffer] = []
        for text in texts(8) {
            let plain = ByteBuffer(string: text)
            let payload = try deflater?.deflate(plain) ?? plain
            let frame = Sample.frame(payload, rsv: deflater == nil ? 0 : 4, masked: direction.masked)
            frames.append(frame)
            flow.send(frame)
        }
        flow.net.pass(.milliseconds(20))
        return (flow, flow.taken(), frames)
    }

    @Test(arguments: cases) func whatComesOutIsTheSame(row: Int, direction: Direction, takeover: Bool) throws {
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = !takeover
        parameters.clientNoContextTakeover = !takeover
        var (plain, plainBytes, _) = try Self.run(row, direction, deflate: nil)
        var (flow, bytes, frames) = try Self.run(row, direction, deflate: parameters)
        #expect(Sample.messages(bytes, direction, .deflate(parameters)) == Sample.messages(plainBytes, direction))
        #expect(flow.details == plain.details && flow.details.count == 1)
        #expect(flow.net.faults(flow.id).allSatisfy { $0.applied })
        // What came before the fault acted is untouched.
        let before = Sample.joined(Array(frames[..<2]))
        #expect(bytes.getSlice(at: bytes.readerIndex, length: before.readableBytes) == before)
        #expect(plain.differences() == [])
        #expect(flow.differences() == [])
    }

    /// Where the receiver's context stays the sender's, every frame that no fault meant is the one that came.
    @Test(arguments: ["duplicate", "delay", "inject", "replay-stale"], Direction.allCases)
    func whatKeepsTheContextKeepsTheBytes(_ kind: String, _ direction: Direction) throws {
        let row = try #require(Self.rules.firstIndex { $0.kind == kind })
        var (flow, bytes, frames) = try Self.run(row, direction, deflate: DeflateParameters())
        let got = Set(Flow.frames(bytes).map { FrameWriter.bytes($0) })
        #expect(frames.allSatisfy { got.contains($0) })
        let (entries, differences) = flow.net.conclude()
        #expect(differences == [])
        #expect(!entries.contains { if case .recoded = $0.body { true } else { false } })
    }
}
