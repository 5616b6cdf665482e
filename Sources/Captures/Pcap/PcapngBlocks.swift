/// Blocks of a pcapng file as we write them: little-endian, nanoseconds.
enum PcapngBlocks {
    /// - Parameter comment: shown for the whole file; empty = none.
    static func section(program: String, comment: String = "", into bytes: inout [UInt8]) {
        var body: [UInt8] = []
        add32(0x1a2b_3c4d, &body)
        add16(1, &body)
        add16(0, &body)
        add32(.max, &body)
        add32(.max, &body)
        option(1, Array(comment.utf8), &body)
        option(4, Array(program.utf8), &body)
        endOfOptions(&body)
        block(0x0a0d_0d0a, body, into: &bytes)
    }

    static func interface(link: UInt32, name: String, filter: String = "", into bytes: inout [UInt8]) {
        var body: [UInt8] = []
        add16(UInt16(clamping: link), &body)
        add16(0, &body)
        add32(262_144, &body)
        option(2, Array(name.utf8), &body)
        option(9, [9], &body)
        // Its first byte tells that the rest is libpcap's language.
        if !filter.isEmpty { option(11, [0] + Array(filter.utf8), &body) }
        endOfOptions(&body)
        block(1, body, into: &bytes)
    }

    /// What the interface counted by the end.
    static func statistics(received: UInt64, dropped: UInt64, at time: WallTime, into bytes: inout [UInt8]) {
        var body: [UInt8] = []
        add32(0, &body)
        add(time, &body)
        var count: [UInt8] = []
        add64(received, &count)
        option(4, count, &body)
        count = []
        add64(dropped, &count)
        option(5, count, &body)
        endOfOptions(&body)
        block(5, body, into: &bytes)
    }

    /// - Parameter wireLength: bytes it had; more than `packet` holds when it is cut.
    static func packet(
        _ packet: RawSpan, wireLength: Int, at time: WallTime, comment: String = "", into bytes: inout [UInt8]
    ) {
        let start = bytes.count
        add32(6, &bytes)
        add32(0, &bytes)
        add32(0, &bytes)
        add(time, &bytes)
        add32(UInt32(clamping: packet.byteCount), &bytes)
        add32(UInt32(clamping: wireLength), &bytes)
        unsafe packet.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        pad(&bytes, from: start)
        if !comment.isEmpty {
            option(1, Array(comment.utf8), &bytes)
            endOfOptions(&bytes)
        }
        close(&bytes, from: start)
    }

    private static func block(_ type: UInt32, _ body: [UInt8], into bytes: inout [UInt8]) {
        let start = bytes.count
        add32(type, &bytes)
        add32(0, &bytes)
        bytes += body
        pad(&bytes, from: start)
        close(&bytes, from: start)
    }

    /// Writes the length that now is known, at both ends.
    private static func close(_ bytes: inout [UInt8], from start: Int) {
        let length = UInt32(clamping: bytes.count - start + 4)
        add32(length, &bytes)
        for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * index)) }
    }

    private static func option(_ code: UInt16, _ value: [UInt8], _ body: inout [UInt8]) {
        guard !value.isEmpty else { return }
        let value = value.prefix(4_096)
        let start = body.count
        add16(code, &body)
        add16(UInt16(clamping: value.count), &body)
        body += value
        pad(&body, from: start)
    }

    private static func endOfOptions(_ body: inout [UInt8]) { add32(0, &body) }

    private static func pad(_ bytes: inout [UInt8], from start: Int) {
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
    }

    private static func add(_ time: WallTime, _ bytes: inout [UInt8]) {
        let ticks = UInt64(max(0, time))
        add32(UInt32(truncatingIfNeeded: ticks >> 32), &bytes)
        add32(UInt32(truncatingIfNeeded: ticks), &bytes)
    }

    private static func add16(_ value: UInt16, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }
    private static func add32(_ value: UInt32, _ bytes: inout [UInt8]) {
        add16(UInt16(truncatingIfNeeded: value), &bytes)
        add16(UInt16(truncatingIfNeeded: value >> 16), &bytes)
    }
    private static func add64(_ value: UInt64, _ bytes: inout [UInt8]) {
        add32(UInt32(truncatingIfNeeded: value), &bytes)
        add32(UInt32(truncatingIfNeeded: value >> 32), &bytes)
    }
}
