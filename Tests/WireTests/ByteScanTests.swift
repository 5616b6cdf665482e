import NIOCore
import Testing
@testable import Wire

@Suite struct ByteScanTests {
    /// Every place, among bytes that differ from the wanted ones by one bit or by one.
    @Test(arguments: [0x2d, 0x2c, 0x2e, 0x00, 0xad] as [UInt8], [5, 8, 23, 64]) func oneOfSeveralIsFound(filler: UInt8, count: Int) {
        for (place, wanted) in (0..<count).flatMap({ place in [0x5c, 0x25].map { (place, $0 as UInt8) } }) {
            var bytes = [UInt8](repeating: filler, count: count)
            bytes[place] = wanted
            for start in 0...count {
                let found = ByteScan.first(0x5c, or: 0x25, in: bytes.span, from: start)
                #expect(found == (start <= place ? place : nil))
            }
            let wantedOnes: [(UInt8, UInt8, UInt8)] = [(0x0a, 0x5c, 0x25), (wanted, 0x0d, 0x09), (0x0d, wanted, 0x09), (0x0d, 0x09, wanted)]
            for (one, two, three) in wantedOnes {
                let isThere = ByteScan.holds(one, two, three, in: bytes.span)
                #expect(isThere)
            }
            let isThere = ByteScan.holds(0x0a, 0x0d, 0x09, in: bytes.span)
            #expect(!isThere)
        }
        let isInNothing = ByteScan.holds(0x5c, 0x25, 0x0a, in: [UInt8]().span)
        #expect(!isInNothing)
    }

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
