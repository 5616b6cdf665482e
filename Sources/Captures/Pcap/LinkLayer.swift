/// Where the network packet begins in a frame of each link type that is read.
enum LinkLayer {
    /// What stands behind the link's header.
    enum Content {
        /// IPv4 or IPv6, by its first four bits.
        case ip(at: Int)
        case other
        case cut
    }

    /// LINKTYPE_ numbers as files bear them; 12 and 14 are what libpcap writes for raw IP on some systems.
    static func isKnown(_ link: UInt32) -> Bool {
        switch link {
        case 0, 1, 12, 14, 101, 108, 113, 228, 229, 276: true
        default: false
        }
    }

    /// What libpcap calls the link inside a program (its DLT_ number).
    static func programName(_ link: UInt32) -> Int32 { link == 101 ? 12 : Int32(clamping: link) }

    static func unknown(_ link: UInt32, place: String) -> ImportError {
        ImportError(
            place: place, sentence: "the capture's link type is not read",
            expected: "Ethernet, Linux cooked v1 or v2, loopback or raw IP", found: "link type \(link)",
            remedy: "capture on another interface, such as `any`")
    }

    @inline(__always)
    static func content(_ link: UInt32, _ bytes: RawSpan) -> Content {
        switch link {
        case 1: ethernet(bytes, typeAt: 12)
        case 0, 108: loopback(bytes)
        case 113: bytes.byteCount < 16 ? .cut : network(bytes, type: bytes.network16(14), at: 16)
        case 276: bytes.byteCount < 20 ? .cut : network(bytes, type: bytes.network16(0), at: 20)
        default: .ip(at: 0)
        }
    }

    @inline(__always)
    private static func ethernet(_ bytes: RawSpan, typeAt: Int) -> Content {
        guard bytes.byteCount >= typeAt &+ 2 else { return .cut }
        return network(bytes, type: bytes.network16(typeAt), at: typeAt &+ 2)
    }

    /// VLAN tags stand between, as many as a provider stacks; more than eight are no traffic of anyone's.
    @inline(__always)
    private static func network(_ bytes: RawSpan, type: UInt16, at: Int) -> Content {
        var type = type
        var at = at
        for _ in 0..<8 {
            switch type {
            case 0x0800, 0x86dd: return .ip(at: at)
            case 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300:
                guard bytes.byteCount >= at &+ 4 else { return .cut }
                type = bytes.network16(at &+ 2)
                at &+= 4
            default: return .other
            }
        }
        return .other
    }

    /// Four bytes of address family, in the byte order of whatever host captured: both are tried.
    @inline(__always)
    private static func loopback(_ bytes: RawSpan) -> Content {
        guard bytes.byteCount >= 4 else { return .cut }
        let value = bytes.network32(0)
        switch value <= 0xffff ? value : value.byteSwapped {
        // IPv4; IPv6 of Linux, Windows, NetBSD, FreeBSD, macOS.
        case 2, 10, 23, 24, 28, 30: return .ip(at: 4)
        default: return .other
        }
    }
}
