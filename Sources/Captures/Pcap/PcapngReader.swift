import Journaling

/// The block format of Wireshark: sections of either byte order, interfaces of different link types and clocks, secrets
/// of TLS. libpcap refuses the second and drops the third, so this is read here (platform.md).
struct PcapngReader {
    private struct Interface {
        var link: UInt32
        var snapLength: Int
        var unit: ClockUnit
        var isTold = false
        /// Packets that the capturing program says it lost; each statistics block counts from the beginning.
        var dropped: UInt64 = 0
    }
    private let limits: Limits
    private var swapped = false
    private var interfaces: [Interface] = []
    private var number: UInt64 = 0
    private var last: WallTime = 0
    private var isTimeless = false
    /// Packets that the capturing program says it lost in sections that are over.
    private var dropped: UInt64 = 0

    private static let sectionHeader: UInt32 = 0x0a0d_0d0a
    private static let mostInterfaces = 4_096
    /// Room for the head and the options of a packet's block.
    private static let besidePacket = 64 << 10

    static func recognizes(_ head: RawSpan) -> Bool {
        head.file32(0, swapped: false) == sectionHeader
            && (head.file32(8, swapped: false) == 0x1a2b_3c4d || head.file32(8, swapped: true) == 0x1a2b_3c4d)
    }

    init(limits: Limits) { self.limits = limits }

    mutating func read<Taker: PacketTaker & ~Copyable>(_ window: inout CaptureWindow, into taker: inout Taker)
        throws(ImportError)
    {
        while true {
            guard try window.demand(12) else {
                if window.count > 0 { try taker.brokenOff(cut(window, 12)) }
                break
            }
            let pointer = unsafe window.readable
            let head = unsafe pointer.bytes
            let type = head.file32(0, swapped: swapped)
            if type == Self.sectionHeader { try beginSection(head, place(window)) }
            let length = Int(head.file32(4, swapped: swapped))
            // Old writers forgot to count the padding, so only what cannot be skipped is refused.
            guard length >= 12 else {
                throw ImportError(
                    place: place(window), sentence: "the block has no length that can be",
                    expected: "at least 12 bytes",
                    found: "\(length)", remedy: "capture again; what was before this block is imported")
            }
            let padded = (length &+ 3) & ~3
            guard try take(type, padded, &window, &taker) else { break }
        }
        endSection()
        if dropped > 0 { try taker.note("\(window.path): the capturing program lost \(dropped) packets") }
    }

    /// False when the file ends inside the block.
    private mutating func take<Taker: PacketTaker & ~Copyable>(
        _ type: UInt32, _ length: Int, _ window: inout CaptureWindow, _ taker: inout Taker
    ) throws(ImportError) -> Bool {
        let isPacket = [6, 3, 2].contains(type)
        guard isPacket || [1, 5, 10, Self.sectionHeader].contains(type) else {
            return try passOver(length, &window, &taker)
        }
        if isPacket { number &+= 1 }
        let most = type == 10 ? limits.importLineBytes : limits.importPacketBytes + Self.besidePacket
        guard length <= most else {
            guard isPacket else {
                try taker.note(
                    "\(place(window)): a block of \(length) bytes was passed over; the bound is \(most) (L15)")
                return try passOver(length, &window, &taker)
            }
            throw ImportError(
                place: "\(window.path) packet \(number)", sentence: "the packet is longer than any packet can be",
                expected: "at most \(most) bytes (L15)", found: "\(length)",
                remedy: "capture again; what was before this packet is imported")
        }
        guard try window.demand(length) else {
            try taker.brokenOff(cut(window, length))
            return false
        }
        let pointer = unsafe window.readable
        let bytes = unsafe pointer.bytes
        let block = bytes.extracting(0..<length)
        switch type {
        case 6: try timed(block, window.path, interface: Int(block.file32(8, swapped: swapped)), &taker)
        case 3: try simple(block, window.path, &taker)
        case 2: try timed(block, window.path, interface: Int(block.file16(8, swapped: swapped)), &taker)
        case 1: try addInterface(block, place(window))
        case 5: statistics(block)
        case 10: try secrets(block, &taker)
        default: break
        }
        window.drop(length)
        return true
    }

    private func passOver<Taker: PacketTaker & ~Copyable>(
        _ length: Int, _ window: inout CaptureWindow, _ taker: inout Taker
    ) throws(ImportError) -> Bool {
        let begun = place(window)
        if try window.skip(UInt64(length)) { return true }
        try taker.brokenOff(.cutCapture(begun, expected: "a block of \(length) bytes", found: "the end of the file"))
        return false
    }

    private func place(_ window: borrowing CaptureWindow) -> String { "\(window.path) byte \(window.offset)" }

    private func cut(_ window: borrowing CaptureWindow, _ expected: Int) -> ImportError {
        .cutCapture(
            "\(window.path) packet \(max(number, 1))", expected: "\(expected) bytes at byte \(window.offset)",
            found: "\(window.count)")
    }

    private mutating func beginSection(_ head: RawSpan, _ place: String) throws(ImportError) {
        switch head.file32(8, swapped: false) {
        case 0x1a2b_3c4d: swapped = false
        case 0x4d3c_2b1a: swapped = true
        default:
            throw ImportError(
                place: place, sentence: "the section has no byte order", expected: "1A2B3C4D",
                found: String(head.file32(8, swapped: false), radix: 16, uppercase: true), remedy: "capture again")
        }
        endSection()
    }

    private mutating func endSection() {
        for interface in interfaces { dropped &+= interface.dropped }
        interfaces = []
    }

    // MARK: Interfaces

    private mutating func addInterface(_ block: RawSpan, _ place: String) throws(ImportError) {
        guard interfaces.count < Self.mostInterfaces else {
            throw ImportError(
                place: place, sentence: "the section has too many interfaces",
                expected: "at most \(Self.mostInterfaces)",
                found: "one more", remedy: "split the file")
        }
        var interface = Interface(
            link: UInt32(block.file16(8, swapped: swapped)), snapLength: Int(block.file32(12, swapped: swapped)),
            unit: .microseconds)
        var at = 16
        while let option = option(block, &at) {
            switch option.code {
            case 9 where option.length >= 1:
                let value = block.byte(option.at)
                interface.unit.isBinary = value & 0x80 != 0
                interface.unit.exponent = value & 0x7f
            case 14 where option.length >= 8:
                interface.unit.offset = Int64(bitPattern: block.file64(option.at, swapped: swapped))
            default: break
            }
        }
        interfaces.append(interface)
    }

    private mutating func statistics(_ block: RawSpan) {
        let index = Int(block.file32(8, swapped: swapped))
        guard index < interfaces.count else { return }
        var at = 20
        while let option = option(block, &at) {
            guard option.code == 5, option.length >= 8 else { continue }
            interfaces[index].dropped = block.file64(option.at, swapped: swapped)
        }
    }

    /// The next option before the block's trailing length; nil at their end.
    private func option(_ block: RawSpan, _ at: inout Int) -> (code: UInt16, at: Int, length: Int)? {
        let end = block.byteCount &- 4
        guard at >= 0, at <= end &- 4 else { return nil }
        let code = block.file16(at, swapped: swapped)
        let length = Int(block.file16(at &+ 2, swapped: swapped))
        let begin = at &+ 4
        guard code != 0, length <= end &- begin else { return nil }
        at = begin &+ (length &+ 3) & ~3
        return (code, begin, length)
    }

    // MARK: Packets

    /// Enhanced and obsolete packet blocks differ in the width of the interface's number alone.
    private mutating func timed<Taker: PacketTaker & ~Copyable>(
        _ block: RawSpan, _ path: String, interface: Int, _ taker: inout Taker
    ) throws(ImportError) {
        let ticks = UInt64(block.file32(12, swapped: swapped)) << 32 | UInt64(block.file32(16, swapped: swapped))
        try pass(
            block, path, interface: interface, ticks: ticks,
            at: 28, captured: Int(block.file32(20, swapped: swapped)), wire: Int(block.file32(24, swapped: swapped)),
            &taker)
    }

    /// Bears no time and no captured length: the interface's bound cuts it.
    private mutating func simple<Taker: PacketTaker & ~Copyable>(
        _ block: RawSpan, _ path: String, _ taker: inout Taker
    ) throws(ImportError) {
        let wire = Int(block.file32(8, swapped: swapped))
        let bound = interfaces.first.map { $0.snapLength == 0 ? Int.max : $0.snapLength } ?? Int.max
        if !isTimeless {
            isTimeless = true
            try taker.note("\(path) packet \(number): packets of this form bear no time; the last time known is taken")
        }
        try pass(
            block, path, interface: 0, ticks: nil, at: 12, captured: min(wire, bound, max(0, block.byteCount &- 16)),
            wire: wire, &taker)
    }

    private mutating func pass<Taker: PacketTaker & ~Copyable>(
        _ block: RawSpan, _ path: String, interface index: Int, ticks: UInt64?, at: Int, captured: Int, wire: Int,
        _ taker: inout Taker
    ) throws(ImportError) {
        guard index < interfaces.count else {
            throw ImportError(
                place: "\(path) packet \(number)",
                sentence: "the packet names an interface that the section does not have",
                expected: "one of \(interfaces.count)", found: "interface \(index)",
                remedy: "capture again; what was before this packet is imported")
        }
        guard captured <= block.byteCount &- at &- 4 else {
            throw ImportError(
                place: "\(path) packet \(number)", sentence: "the packet is longer than its block",
                expected: "at most \(max(0, block.byteCount &- at &- 4)) bytes", found: "\(captured)",
                remedy: "capture again; what was before this packet is imported")
        }
        let link = interfaces[index].link
        if let ticks { last = interfaces[index].unit.time(ticks) }
        guard LinkLayer.isKnown(link) else {
            if !interfaces[index].isTold {
                interfaces[index].isTold = true
                try taker.note(
                    "\(path) packet \(number): interface \(index) has link type \(link), which is not read; its packets are passed over"
                )
            }
            return
        }
        let stamp = PacketStamp(number: number, time: last, link: link, wireLength: max(wire, captured))
        try taker.packet(stamp, block.extracting(at..<(at &+ captured)))
    }

    // MARK: Secrets

    private func secrets<Taker: PacketTaker & ~Copyable>(_ block: RawSpan, _ taker: inout Taker) throws(ImportError) {
        // `TLSK`: a key log of TLS. SSH, WireGuard and others have blocks of their own.
        guard block.file32(8, swapped: swapped) == 0x544c_534b else { return }
        let length = Int(block.file32(12, swapped: swapped))
        guard block.byteCount >= 20 else { return }
        try taker.secrets(block.extracting(16..<(16 &+ min(length, block.byteCount &- 20))))
    }
}
