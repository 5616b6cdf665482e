/// An IP packet that carries TCP, described in place: nothing is copied.
struct Datagram {
    var key: FlowEnds
    /// Where TCP begins, and where it ends as far as the capture goes.
    var start: Int
    var end: Int
    /// Bytes of it that were on the wire and are not in the capture.
    var missing: Int
}

/// Two addresses of 16 bytes; IPv4 in its mapped form.
struct FlowEnds: Equatable {
    var sourceHigh: UInt64
    var sourceLow: UInt64
    var targetHigh: UInt64
    var targetLow: UInt64
}

/// A piece of an IP packet.
struct Fragment {
    var ends: FlowEnds
    var id: UInt32
    var offset: Int
    var isLast: Bool
    var start: Int
    var end: Int
    /// True when the capture holds less of it than was sent.
    var isCut: Bool
}

/// IPv4 and IPv6 down to TCP. Checksums are not looked at: a host's own packets are captured before its card writes them.
enum NetworkLayer {
    enum Content {
        case tcp(Datagram)
        case fragment(Fragment)
        /// Another protocol.
        case other
        /// The headers contradict themselves.
        case broken
        /// The capture ends inside the headers.
        case cut
    }

    /// - Parameter wireEnd: where the packet ended on the wire, counted like `at`.
    @inline(__always)
    static func content(_ bytes: RawSpan, at: Int, wireEnd: Int) -> Content {
        guard at < bytes.byteCount else { return .cut }
        switch bytes.byte(at) >> 4 {
        case 4: return version4(bytes, at, wireEnd)
        case 6: return version6(bytes, at, wireEnd)
        default: return .broken
        }
    }

    @inline(__always)
    private static func version4(_ bytes: RawSpan, _ at: Int, _ wireEnd: Int) -> Content {
        guard bytes.byteCount &- at >= 20 else { return .cut }
        let head = Int(bytes.byte(at) & 15) &* 4
        let total = Int(bytes.network16(at &+ 2))
        guard head >= 20, total == 0 || total >= head else { return .broken }
        // 0: the card cuts it into packets later, or it is longer than 16 bits tell.
        let end = total == 0 ? max(wireEnd, bytes.byteCount) : at &+ total
        guard bytes.byte(at &+ 9) == 6 else { return .other }
        guard bytes.byteCount &- at >= head else { return .cut }
        let ends = FlowEnds(
            sourceHigh: 0, sourceLow: 0xffff_0000_0000 | UInt64(bytes.network32(at &+ 12)), targetHigh: 0,
            targetLow: 0xffff_0000_0000 | UInt64(bytes.network32(at &+ 16)))
        let pieces = bytes.network16(at &+ 6)
        let captured = min(end, bytes.byteCount)
        guard pieces & 0x3fff == 0 else {
            return .fragment(
                Fragment(
                    ends: ends, id: UInt32(bytes.network16(at &+ 4)), offset: Int(pieces & 0x1fff) &* 8,
                    isLast: pieces & 0x2000 == 0, start: at &+ head, end: captured, isCut: captured < end))
        }
        return .tcp(Datagram(key: ends, start: at &+ head, end: captured, missing: end &- captured))
    }

    @inline(__always)
    private static func version6(_ bytes: RawSpan, _ at: Int, _ wireEnd: Int) -> Content {
        guard bytes.byteCount &- at >= 40 else { return .cut }
        let length = Int(bytes.network16(at &+ 4))
        // 0: a jumbogram, whose real length an extension tells; the wire's is the same.
        let end = length == 0 ? max(wireEnd, bytes.byteCount) : at &+ 40 &+ length
        let ends = FlowEnds(
            sourceHigh: bytes.network64(at &+ 8), sourceLow: bytes.network64(at &+ 16),
            targetHigh: bytes.network64(at &+ 24), targetLow: bytes.network64(at &+ 32))
        var next = bytes.byte(at &+ 6)
        var place = at &+ 40
        let captured = min(end, bytes.byteCount)
        for _ in 0..<16 {
            switch next {
            case 6:
                guard place <= captured else { return place <= end ? .cut : .broken }
                return .tcp(Datagram(key: ends, start: place, end: captured, missing: end &- captured))
            case 0, 43, 51, 60, 135, 139, 140:
                guard captured &- place >= 2 else { return .cut }
                let units = Int(bytes.byte(place &+ 1))
                let size = next == 51 ? (units &+ 2) &* 4 : (units &+ 1) &* 8
                guard size <= end &- place else { return .broken }
                next = bytes.byte(place)
                place &+= size
            case 44:
                guard captured &- place >= 8 else { return .cut }
                let bits = bytes.network16(place &+ 2)
                let following = bytes.byte(place)
                if bits & 0xfff9 != 0 {
                    guard following == 6 else { return .other }
                    return .fragment(
                        Fragment(
                            ends: ends, id: bytes.network32(place &+ 4), offset: Int(bits & 0xfff8),
                            isLast: bits & 1 == 0,
                            start: place &+ 8, end: captured, isCut: captured < end))
                }
                next = following
                place &+= 8
            default: return .other
            }
        }
        return .broken
    }
}
