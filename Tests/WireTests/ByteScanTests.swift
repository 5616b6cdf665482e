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
            let looks: [(UInt8, UInt8, UInt8, ByteScan.Look)] = [
                (0x0a, 0x5c, 0x25, .init(holdsOthers: true)), (wanted, 0x0d, 0x09, .init(holdsOne: true)),
                (0x0d, wanted, 0x09, .init(holdsOthers: true)), (0x0d, 0x09, wanted, .init(holdsOthers: true)),
                (wanted, wanted, 0x09, .init(holdsOne: true, holdsOthers: true)), (0x0a, 0x0d, 0x09, .init()),
            ]
            for (one, two, three, expected) in looks {
                let look = ByteScan.look(for: one, two, three, below: 0x80, in: bytes.span)
                #expect((look.holdsOne, look.holdsOthers) == (expected.holdsOne, expected.holdsOthers))
            }
        }
        let nothing = ByteScan.look(for: 0x5c, 0x25, 0x0a, below: 0x80, in: [UInt8]().span)
        #expect(nothing == .init())
    }

    /// One byte beyond ASCII, at each place: what is told at one go is what is told byte by byte.
    @Test(arguments: [1, 7, 8, 9, 31, 32, 33, 71]) func textsAreCheckedWhole(count: Int) {
        let plain = ByteBuffer(repeating: 0x7f, count: count)
        #expect(UTF8Validator.isValid(plain))
        let isPlain = ByteScan.isASCII(plain.readableBytesSpan)
        #expect(isPlain == (count >= 8))
        for place in 0..<count {
            for byte in [0x80, 0xff, 0xc3] as [UInt8] {
                var buffer = plain
                buffer.setInteger(byte, at: place)
                let isASCII = ByteScan.isASCII(buffer.readableBytesSpan)
                #expect(!isASCII)
                var (whole, single) = (UTF8Validator(), UTF8Validator())
                let refused = buffer.readableBytesView.enumerated().first { !single.take($0.element) }?.offset
                #expect(whole.feed(buffer) == refused)
                #expect(!whole.isComplete)
            }
        }
    }

    /// Stretches without a small byte, of each length and at each place: from 40 on none is taken for parted, up to 31 all are.
    @Test(arguments: [7, 8, 31, 32, 40, 41, 47, 64, 95]) func stretchesAreNotParted(count: Int) {
        for length in 0...count {
            for place in 0...(count - length) {
                for (small, large) in [(0x2a, 0x2b), (0x00, 0xff), (0x22, 0x80)] as [(UInt8, UInt8)] {
                    var bytes = [UInt8](repeating: small, count: count)
                    for index in place..<(place + length) { bytes[index] = large }
                    let look = ByteScan.look(for: 0x01, 0x02, 0x03, below: 0x2b, in: bytes.span)
                    if length >= 40 { #expect(!look.isParted) }
                    if length < 32 { #expect(look.isParted) }
                }
            }
        }
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
