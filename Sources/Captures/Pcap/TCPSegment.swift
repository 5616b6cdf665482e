/// A TCP header, read in place.
struct TCPSegment {
    var sourcePort: UInt16
    var targetPort: UInt16
    var sequence: UInt32
    var acknowledged: UInt32
    var flags: UInt8
    /// The payload's place among the packet's bytes, and how much of it the capture lacks.
    var start: Int
    var count: Int
    var missing: Int

    var isFinish: Bool { flags & 0x01 != 0 }
    var isSynchronize: Bool { flags & 0x02 != 0 }
    var isReset: Bool { flags & 0x04 != 0 }
    var hasAcknowledgement: Bool { flags & 0x10 != 0 }

    enum Reading {
        case segment(TCPSegment)
        case broken
        case cut
    }

    /// - Parameter missing: bytes of the packet that were sent and are not in the capture.
    @inline(__always)
    static func read(_ bytes: RawSpan, at: Int, end: Int, missing: Int) -> Reading {
        let size = end &- at
        guard size >= 20 else { return size &+ missing >= 20 ? .cut : .broken }
        let head = Int(bytes.byte(at &+ 12) >> 4) &* 4
        guard head >= 20, head <= size &+ missing else { return .broken }
        let start = min(at &+ head, end)
        return .segment(
            TCPSegment(
                sourcePort: bytes.network16(at), targetPort: bytes.network16(at &+ 2),
                sequence: bytes.network32(at &+ 4), acknowledged: bytes.network32(at &+ 8),
                flags: bytes.byte(at &+ 13), start: start, count: end &- start,
                missing: missing &- max(0, at &+ head &- end)))
    }
}

/// Places in a stream, which count on a circle of 2^32.
enum StreamPlace {
    /// How far `there` lies behind `here`; negative: before it.
    @inline(__always)
    static func distance(_ here: UInt32, _ there: UInt32) -> Int { Int(Int32(bitPattern: there &- here)) }
    /// The largest window TCP can have; what lies farther is no part of the stream.
    static let reach = 1 << 30
}
