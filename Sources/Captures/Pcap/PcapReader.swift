import Journaling

/// The classic capture format: a header of 24 bytes, then records; either byte order, microseconds or nanoseconds.
struct PcapReader {
    private let swapped: Bool
    private let unit: ClockUnit
    private let recordHead: Int
    private let link: UInt32
    private let longest: Int

    /// First bytes of a file of this form, any byte order.
    static func recognizes(_ head: RawSpan) -> Bool { form(head) != nil }

    private static func form(_ head: RawSpan) -> (swapped: Bool, nanoseconds: Bool, recordHead: Int)? {
        switch head.file32(0, swapped: false) {
        case 0xa1b2_c3d4: (false, false, 16)
        case 0xd4c3_b2a1: (true, false, 16)
        case 0xa1b2_3c4d: (false, true, 16)
        case 0x4d3c_b2a1: (true, true, 16)
        // Kuznetzov's patch of the nineties: eight more bytes a record.
        case 0xa1b2_cd34: (false, false, 24)
        case 0x34cd_b2a1: (true, false, 24)
        default: nil
        }
    }

    init(_ window: inout CaptureWindow, limits: Limits) throws(ImportError) {
        let isWhole = try window.demand(24)
        let readable = unsafe window.readable
        let head = unsafe readable.bytes
        guard isWhole, let form = PcapReader.form(head) else {
            throw ImportError(
                place: window.path, sentence: "the capture ends inside its header", expected: "24 bytes",
                found: "\(window.count)", remedy: "capture again")
        }
        swapped = form.swapped
        unit = ClockUnit(isBinary: false, exponent: form.nanoseconds ? 9 : 6, offset: 0)
        recordHead = form.recordHead
        // The upper bits tell whether frames end in a checksum; lengths inside IP tell where data ends anyway.
        link = head.file32(20, swapped: form.swapped) & 0xffff
        longest = limits.importPacketBytes
        let major = head.file16(4, swapped: form.swapped)
        guard major == 2 else {
            throw ImportError(
                place: window.path, sentence: "the capture has a version that nobody writes", expected: "2",
                found: "\(major)", remedy: "capture again")
        }
        guard LinkLayer.isKnown(link) else { throw LinkLayer.unknown(link, place: window.path) }
        window.drop(24)
    }

    func read<Taker: PacketTaker & ~Copyable>(_ window: inout CaptureWindow, into taker: inout Taker)
        throws(ImportError)
    {
        var number: UInt64 = 0
        while true {
            guard try window.demand(recordHead) else {
                if window.count > 0 { try taker.brokenOff(cut(window.path, number &+ 1, window.count, of: recordHead)) }
                return
            }
            number &+= 1
            let pointer = unsafe window.readable
            let head = unsafe pointer.bytes
            let seconds = UInt64(head.file32(0, swapped: swapped))
            let fraction = UInt64(head.file32(4, swapped: swapped))
            let captured = Int(head.file32(8, swapped: swapped))
            let wire = Int(head.file32(12, swapped: swapped))
            guard captured <= longest else {
                throw ImportError(
                    place: "\(window.path) packet \(number)", sentence: "the packet is longer than any packet can be",
                    expected: "at most \(longest) bytes (L15)", found: "\(captured)",
                    remedy: "capture again; what was before this packet is imported")
            }
            guard try window.demand(recordHead &+ captured) else {
                try taker.brokenOff(cut(window.path, number, window.count &- recordHead, of: captured))
                return
            }
            let whole = unsafe window.readable
            let bytes = unsafe whole.bytes
            let scale: UInt64 = unit.exponent == 9 ? 1 : 1_000
            let stamp = PacketStamp(
                number: number, time: WallTime(seconds &* 1_000_000_000 &+ fraction &* scale), link: link,
                wireLength: max(wire, captured))
            try taker.packet(stamp, bytes.extracting(recordHead..<(recordHead &+ captured)))
            window.drop(recordHead &+ captured)
        }
    }

    private func cut(_ path: String, _ number: UInt64, _ found: Int, of expected: Int) -> ImportError {
        .cutCapture("\(path) packet \(number)", expected: "\(expected) bytes", found: "\(found)")
    }
}
