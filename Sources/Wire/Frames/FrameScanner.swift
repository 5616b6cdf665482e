public import struct NIOCore.ByteBuffer

/// Follows frames through the bytes of one direction where they lie: no copy, no object a frame, O(1) state between
/// reads. It only looks; whatever it finds, the bytes may go on unchanged.
@usableFromInline package struct FrameScanner: Sendable, Hashable {
    /// What one buffer held.
    @usableFromInline package struct Report: Sendable, Hashable {
        /// Frames that ended in this buffer; equal to the offsets appended.
        @usableFromInline package var framesEnded = 0
        /// Frames whose header was completed in this buffer.
        @usableFromInline package var framesStarted = 0
        /// Text and binary frames among these: each takes the next message ordinal.
        @usableFromInline package var messagesStarted = 0
        /// Data frames with FIN that ended here.
        @usableFromInline package var messagesEnded = 0
        /// Bit n is set when a frame with opcode n started.
        @usableFromInline package var opcodes: UInt16 = 0
        /// The first frame that breaks a rule visible in its header, and where in this buffer it begins (0 when it
        /// began in an earlier one).
        @usableFromInline package var violation: FrameViolation?
        @usableFromInline package var violationOffset = 0
        /// The buffer ends where a frame ends.
        @usableFromInline package var atFrameBoundary = true
        /// The buffer ends at a frame boundary and no data message is begun.
        @usableFromInline package var atMessageBoundary = true
        /// Framing is lost from here on (a length with its top bit set): offset in this buffer, 0 when lost before.
        @usableFromInline package var lostOffset: Int?

        @inlinable init() {}
        package func started(_ opcode: Opcode) -> Bool { opcodes & 1 << UInt16(opcode.rawValue) != 0 }
    }

    @usableFromInline package var rules: FrameRules
    /// Payload bytes of the frame begun that are still to come.
    @usableFromInline package var remaining: UInt64 = 0
    /// The frame begun is a data frame with FIN.
    @usableFromInline var endsMessage = false
    /// Header bytes of a frame that began in an earlier read, at most 13: the last one is the least significant.
    @usableFromInline package var partial: UInt128 = 0
    @usableFromInline package var partialCount = 0
    /// Nothing is a frame any more.
    @usableFromInline package var isLost = false

    package init(_ direction: Direction, deflate: Bool = false) {
        rules = FrameRules(direction, deflate: deflate)
    }

    package init(_ direction: Direction, extensions: ExtensionOutcome) {
        rules = FrameRules(direction, extensions: extensions)
    }

    /// Between two frames.
    @inlinable package var atFrameBoundary: Bool { remaining == 0 && partialCount == 0 && !isLost }

    /// Walks the readable bytes, which must be those behind the ones of the call before. Appends to `ends`, for every
    /// frame that ends here, the offset behind its last byte, counted from the reader index.
    @inlinable
    package mutating func scan(_ buffer: ByteBuffer, ends: inout [Int32]) -> Report {
        var report = Report()
        let bytes = buffer.readableBytesSpan
        let count = bytes.byteCount
        var offset = 0
        while !isLost {
            if remaining > 0 {
                let there = UInt64(truncatingIfNeeded: count - offset)
                if remaining > there {
                    remaining -= there
                    break
                }
                offset += Int(truncatingIfNeeded: remaining)
                remaining = 0
                end(offset, &report, &ends)
            }
            if isWhole(bytes, offset) {
                readHeader(bytes, &offset, &report)
            } else {
                guard finishHeader(bytes, &offset, &report) else { break }
            }
            if remaining == 0, !isLost { end(offset, &report, &ends) }
        }
        report.atFrameBoundary = atFrameBoundary
        report.atMessageBoundary = report.atFrameBoundary && !rules.inMessage
        if isLost, report.lostOffset == nil { report.lostOffset = 0 }
        return report
    }

    /// As `scan`, for callers that do not need the offsets.
    package mutating func scan(_ buffer: ByteBuffer) -> Report {
        var ends: [Int32] = []
        return scan(buffer, ends: &ends)
    }

    @inlinable
    func end(_ offset: Int, _ report: inout Report, _ ends: inout [Int32]) {
        report.framesEnded += 1
        if endsMessage { report.messagesEnded += 1 }
        ends.append(Int32(truncatingIfNeeded: offset))
    }

    /// The next header begins at `offset` and lies in this buffer whole.
    @inlinable
    func isWhole(_ bytes: RawSpan, _ offset: Int) -> Bool {
        let there = bytes.byteCount - offset
        if partialCount > 0 || there < 2 { return false }
        if there >= 14 { return true }
        let second = unsafe bytes.unsafeLoad(fromByteOffset: offset + 1, as: UInt8.self)
        let extended = second & 0x7f == 127 ? 8 : second & 0x7f == 126 ? 2 : 0
        return there >= 2 + extended + (second & 0x80 == 0 ? 0 : 4)
    }

    /// A header of which all bytes are there.
    @inlinable
    mutating func readHeader(_ bytes: RawSpan, _ offset: inout Int, _ report: inout Report) {
        let start = offset
        let first = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        let second = unsafe bytes.unsafeLoad(fromByteOffset: offset + 1, as: UInt8.self)
        let short = second & 0x7f
        offset += 2
        var length = UInt64(short)
        if short == 126 {
            length = UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian)
            offset += 2
        } else if short == 127 {
            length = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
            offset += 8
        }
        if second & 0x80 != 0 { offset += 4 }
        begin(first: first, second: second, length: length, start: start, &report)
    }

    @inlinable
    mutating func begin(first: UInt8, second: UInt8, length: UInt64, start: Int, _ report: inout Report) {
        let opcode = first & 0x0f
        report.framesStarted += 1
        report.opcodes |= 1 << UInt16(opcode)
        if opcode == 1 || opcode == 2 { report.messagesStarted += 1 }
        let found = rules.take(firstByte: first, masked: second & 0x80 != 0, short: second & 0x7f, length: length)
        if let found, report.violation == nil {
            report.violation = found
            report.violationOffset = start
        }
        if length > UInt64(Int64.max) {
            isLost = true
            report.lostOffset = start
            return
        }
        endsMessage = opcode < 3 && first & 0x80 != 0
        remaining = length
    }

    /// A header that spans reads: byte by byte. False when the bytes ran out.
    @usableFromInline
    mutating func finishHeader(_ bytes: RawSpan, _ offset: inout Int, _ report: inout Report) -> Bool {
        let start = partialCount > 0 ? 0 : offset
        while offset < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            offset += 1
            partial = partial << 8 | UInt128(byte)
            partialCount += 1
            guard partialCount >= 2 else { continue }
            let second = headerByte(1)
            guard partialCount == FrameHeader.size(secondByte: second) else { continue }
            let key = second & 0x80 == 0 ? 0 : 4
            let extended = partial >> UInt128(key * 8)
            let length: UInt64
            switch second & 0x7f {
            case 126: length = UInt64(UInt16(truncatingIfNeeded: extended))
            case 127: length = UInt64(truncatingIfNeeded: extended)
            case let short: length = UInt64(short)
            }
            begin(first: headerByte(0), second: second, length: length, start: start, &report)
            partial = 0
            partialCount = 0
            return true
        }
        return false
    }

    /// Byte `index` of the header begun.
    private func headerByte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: partial >> UInt128((partialCount - 1 - index) * 8))
    }

    /// The header bytes of a frame begun in an earlier read whose header is not whole yet.
    package var partialHeader: ByteBuffer {
        ByteBuffer(bytes: (0..<partialCount).map(headerByte))
    }
}
