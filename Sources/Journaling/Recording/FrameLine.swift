import NIOCore
import Wire

/// The line of a frame as `EntryWriting` writes most of them: in one piece, with nothing cut out, and no fault had a hand in
/// it. A recording holds little else, so such a line is read where it stands, each byte once, by its constant parts and not
/// field by field.
struct FrameLine {
    /// What is read ends here.
    private var end = 0
    /// It is no such line.
    private var isOther = false

    /// Nil for any other line, which may be right all the same: `LineFields` reads that.
    static func entry(_ line: ByteBuffer) -> Entry? {
        var reading = FrameLine()
        return reading.entry(line.readableBytesUInt8Span)
    }

    private init() {}

    private mutating func entry(_ bytes: Span<UInt8>) -> Entry? {
        demand(#"{"n":"#, bytes)
        let number = number(bytes)
        demand(#","t":"#, bytes)
        let instant = instant(bytes)
        let loop = takes(#","loop":"#, bytes) ? self.number(bytes) : 0
        demand(#","seq":"#, bytes)
        let sequence = self.number(bytes)
        let ref = takes(#","ref":"s"#, bytes) ? ref(bytes) : nil
        demand(#","kind":"frame","dir":"to"#, bytes)
        if isOther { return nil }
        guard let frame = frame(bytes), end == bytes.count, let loop = UInt16(exactly: loop) else { return nil }
        return Entry(number: number, instant: instant, loop: loop, sequence: sequence, ref: ref, body: frame)
    }

    /// What stands behind `"dir":"to`. All of it stands behind one reference at once: a frame is large.
    private mutating func frame(_ bytes: Span<UInt8>) -> Entry.Body? {
        let isToClient = takes(#"Client""#, bytes)
        if !isToClient { demand(#"Server""#, bytes) }
        let arrival = takes(#","in":"#, bytes) ? instant(bytes) : nil
        let departure = takes(#","out":"#, bytes) ? instant(bytes) : nil
        demand(#","first":"#, bytes)
        let first = number(bytes)
        demand(#","len":"#, bytes)
        let length = number(bytes)
        let mask = takes(#","mask":""#, bytes) ? hex(bytes) : nil
        guard !isOther, let first = UInt8(exactly: first), let payload = payload(bytes) else { return nil }
        let message = takes(#","msg":{"n":"#, bytes) ? message(of: payload, bytes) : nil
        let read = takes(#","read":"#, bytes) ? number(bytes) : 0
        demand("}", bytes)
        guard !isOther, let read = UInt32(exactly: read) else { return nil }
        let frame = Frame(
            firstByte: first, lengthForm: .shortest(for: length), declaredLength: length, maskKey: mask, payload: payload)
        return .frame(
            FrameRecord(
                passage: Passage(isToClient ? .toClient : .toServer, in: arrival, out: departure), frame: frame, message: message,
                provenance: Provenance(), read: read, redacted: false, wireSize: FrameRecord.wireSize(of: frame)))
    }

    @inline(__always)
    private mutating func payload(_ bytes: Span<UInt8>) -> ByteBuffer? {
        guard takes(#","text":"#, bytes) else { return ByteBuffer() }
        guard let (text, end) = LineFields.text(in: bytes, at: end) else { return nil }
        self.end = end
        return text
    }

    /// Of which the ordinal begins there.
    /// - Parameter frame: what the frame carries, which is all of the message.
    @inline(never)
    private mutating func message(of frame: ByteBuffer, _ bytes: Span<UInt8>) -> MessageRecord? {
        let ordinal = number(bytes)
        demand(#","op":"#, bytes)
        let opcode = number(bytes)
        demand(#","same":true}"#, bytes)
        guard let ordinal = UInt32(exactly: ordinal), let opcode = UInt8(exactly: opcode) else { return other() }
        return MessageRecord(opcode: Opcode(rawValue: opcode), payload: frame, ordinal: ordinal)
    }

    /// It stands here, and is read.
    @inline(__always)
    private mutating func takes(_ text: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard ByteText.stands(text, in: bytes, at: end) else { return false }
        end &+= text.utf8CodeUnitCount
        return true
    }

    @inline(__always)
    private mutating func demand(_ text: StaticString, _ bytes: Span<UInt8>) {
        if !takes(text, bytes) { isOther = true }
    }

    private mutating func other<Value>() -> Value? {
        isOther = true
        return nil
    }

    /// As JSON writes it (RFC 8259 section 6), without a sign, and of fewer than 20 digits.
    @inline(never)
    private mutating func number(_ bytes: Span<UInt8>) -> UInt64 {
        let start = end
        var index = start
        var number: UInt64 = 0
        if bytes.count &- start >= 8 { (number, index) = Self.firstDigits(ByteScan.word(bytes, at: start), start) }
        if index == start || index == start &+ 8 {
            while index < bytes.count {
                let digit = bytes[index] &- 0x30
                if digit > 9 { break }
                number = number &* 10 &+ UInt64(digit)
                index &+= 1
            }
        }
        let count = index &- start
        if count == 0 || count >= 20 || count > 1 && bytes[start] == 0x30 { isOther = true }
        end = index
        return number
    }

    /// What the digits say with which eight bytes begin, and where they end.
    @inline(__always)
    private static func firstDigits(_ word: UInt64, _ start: Int) -> (number: UInt64, end: Int) {
        let word = UInt64(littleEndian: word)
        // In the upper half of a digit stands 3, also when 6 is added to it: that is so of no other byte. What is carried into a
        // byte comes from one that is no digit.
        let (halves, threes): (UInt64, UInt64) = (0xf0f0_f0f0_f0f0_f0f0, 0x3030_3030_3030_3030)
        let others = ((word & halves) ^ threes) | (((word &+ 0x0606_0606_0606_0606) & halves) ^ threes)
        let count = others == 0 ? 8 : others.trailingZeroBitCount / 8
        if count == 0 { return (0, start) }
        // The first digit stands lowest, zeros before it. Two, four and eight are put together.
        var digits = (word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)) & 0x0f0f_0f0f_0f0f_0f0f
        digits = ((digits &* 0xa01) &>> 8) & 0x00ff_00ff_00ff_00ff
        digits = ((digits &* 0x64_0001) &>> 16) & 0x0000_ffff_0000_ffff
        digits = (digits &* 0x2710_0000_0001) &>> 32
        return (digits, start &+ count)
    }

    @inline(__always)
    private mutating func instant(_ bytes: Span<UInt8>) -> Instant {
        let number = number(bytes)
        if number > UInt64(Int64.max) { isOther = true }
        return Instant(nanoseconds: Int64(truncatingIfNeeded: number))
    }

    /// `31.12"` of "s31.12".
    @inline(__always)
    private mutating func ref(_ bytes: Span<UInt8>) -> EntryRef? {
        let session = number(bytes)
        demand(".", bytes)
        let ordinal = number(bytes)
        demand("\"", bytes)
        guard let session = UInt32(exactly: session), let ordinal = UInt32(exactly: ordinal) else { return other() }
        return EntryRef(session: SessionID(session), ordinal: ordinal)
    }

    /// Eight hex digits and the quote behind them.
    private mutating func hex(_ bytes: Span<UInt8>) -> UInt32? {
        guard bytes.count &- end > 8, let high = JSONText.hexUnit(bytes, at: end), let low = JSONText.hexUnit(bytes, at: end + 4)
        else { return other() }
        end &+= 8
        demand("\"", bytes)
        return UInt32(high) << 16 | UInt32(low)
    }
}
