import NIOCore
import Testing
@testable import Wire

@Suite struct ByteScanTests {
    @Test(arguments: [21, 85]) func firstIsFoundWhereItStands(count: Int) {
        var buffer = ByteBuffer(repeating: 0x2e, count: count)
        #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: 0) == nil)
        for place in (0..<count).reversed() {
            buffer.setInteger(UInt8(0x2d), at: place)
            for start in 0...place { #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: start) == place) }
        }
        #expect(ByteScan.first(0x2d, in: buffer.readableBytesSpan, from: count) == nil)
        #expect(ByteScan.first(0x00, in: ByteBuffer().readableBytesSpan, from: 0) == nil)
    }
}
