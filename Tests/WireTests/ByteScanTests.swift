import NIOCore
import Testing
@testable import Wire

@Suite struct ByteScanTests {
    @Test func firstIsFoundWhereItStands() {
        var buffer = ByteBuffer(repeating: 0x2e, count: 21)
        #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: 0) == nil)
        for place in (0..<21).reversed() {
            buffer.setInteger(UInt8(0x2d), at: place)
            for start in 0...place { #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: start) == place) }
        }
        #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: 21) == nil)
        #expect(ByteScan.first(0x00, in: ByteBuffer().readableBytesSpan, from: 0) == nil)
    }
}
