import NIOCore
import Wire

/// Writes one JSON object on one line. Bytes are gathered in an array and handed over once: that costs a third of many
/// small writes into a `ByteBuffer`.
struct LineWriter {
    private(set) var line: [UInt8] = []
    private var isFirst = true

    /// Begins the object.
    /// - Parameter size: of what is to be written, roughly.
    init(size: Int) {
        line.reserveCapacity(size)
        line.append(0x7b)
    }

    /// Ends the object and its line.
    mutating func finish() {
        line.append(0x7d)
        line.append(0x0a)
    }

    /// `key` is a constant of ours and needs no escapes.
    mutating func key(_ key: String) {
        if !isFirst { line.append(0x2c) }
        isFirst = false
        line.append(0x22)
        append(key)
        line.append(0x22)
        line.append(0x3a)
    }

    mutating func write(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        append(value)
    }

    mutating func write(_ name: String, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    mutating func write(_ name: String, _ value: String) {
        key(name)
        quote(value)
    }

    /// A word of ours: no escapes needed.
    mutating func write(_ name: String, word: String) {
        key(name)
        line.append(0x22)
        line.append(contentsOf: word.utf8)
        line.append(0x22)
    }

    mutating func write(_ name: String, ifPresent value: String?) {
        if let value { write(name, value) }
    }

    mutating func write(_ name: String, _ values: [String]) {
        key(name)
        line.append(0x5b)
        for (index, value) in values.enumerated() {
            if index > 0 { line.append(0x2c) }
            quote(value)
        }
        line.append(0x5d)
    }

    /// `s31.12`
    mutating func write(_ name: String, ref: EntryRef) {
        key(name)
        line.append(0x22)
        line.append(0x73)
        append(ref.session.value)
        line.append(0x2e)
        append(ref.ordinal)
        line.append(0x22)
    }

    /// Eight hex digits.
    mutating func write(_ name: String, hex value: UInt32) {
        key(name)
        line.append(0x22)
        for shift in stride(from: UInt32(28), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
            line.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        line.append(0x22)
    }

    mutating func object(_ name: String, _ body: (inout LineWriter) -> Void) {
        key(name)
        line.append(0x7b)
        isFirst = true
        body(&self)
        line.append(0x7d)
        isFirst = false
    }

    /// `text` when the bytes are UTF-8 that needs few escapes, else `b64`.
    mutating func write(payload: ByteBuffer) {
        let bytes = Array(payload.readableBytesView)
        if UTF8Validator.isValid(payload) {
            let start = line.count
            key("text")
            if quote(bytes, mostControls: bytes.count / 16) { return }
            line.removeSubrange(start...)
        }
        key("b64")
        line.append(0x22)
        Base64.append(bytes, to: &line)
        line.append(0x22)
    }

    /// How many times larger than its bytes a payload can become in a line: controls take six bytes for one and make
    /// the payload base64 when there are many; every other escape is at most twice what it stands for.
    static let mostGrowth = 3

    private mutating func append(_ text: String) {
        line.append(contentsOf: text.utf8)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        if value < 0 { line.append(0x2d) }
        var rest = UInt64(truncatingIfNeeded: value.magnitude)
        let start = line.count
        repeat {
            line.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        var (low, high) = (start, line.count - 1)
        while low < high {
            line.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    private mutating func quote(_ text: String) {
        if text.utf8.allSatisfy(LineWriter.isPlain) {
            line.append(0x22)
            line.append(contentsOf: text.utf8)
            line.append(0x22)
        } else {
            _ = quote(Array(text.utf8), mostControls: .max)
        }
    }

    /// A JSON string of valid UTF-8. What could harm a terminal or an editor is escaped too: C1, DEL, marks of
    /// direction, line separators, the byte order mark (trust.md T38). False, and half of it written, when there are
    /// more controls than are wanted.
    private mutating func quote(_ bytes: [UInt8], mostControls: Int) -> Bool {
        let span = bytes.span
        let most = min(mostControls, span.count)
        var isWhole = true
        let quoted = [UInt8](capacity: 2 * span.count + 5 * most + 2) { out in
            var controls = 0
            var index = 0
            out.append(0x22)
            while index < span.count {
                let byte = span[index]
                if LineWriter.isPlain(byte) {
                    out.append(byte)
                    index += 1
                    continue
                }
                let (scalar, length) = LineWriter.scalar(in: span, at: index)
                if let escape = Escape(scalar) {
                    if escape.isControl {
                        controls += 1
                        if controls > most {
                            isWhole = false
                            return
                        }
                    }
                    escape.write(to: &out)
                } else {
                    for place in index..<(index + length) { out.append(span[place]) }
                }
                index += length
            }
            out.append(0x22)
        }
        line += quoted
        return isWhole
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c }

    /// The scalar that begins at `index` of valid UTF-8, and its length.
    private static func scalar(in bytes: Span<UInt8>, at index: Int) -> (UInt32, Int) {
        let first = UInt32(bytes[index])
        if first < 0x80 { return (first, 1) }
        let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        guard index + length <= bytes.count else { return (first, bytes.count - index) }
        var value = first & (0xff >> UInt32(length + 1))
        for offset in 1..<length { value = value << 6 | UInt32(bytes[index + offset] & 0x3f) }
        return (value, length)
    }
}

/// How a scalar is written that must not stand in a line as it is.
private enum Escape {
    /// A backslash and this byte.
    case short(UInt8)
    /// `\u` and four hex digits.
    case long(UInt32)

    /// Nil for what may stand.
    init?(_ scalar: UInt32) {
        switch scalar {
        case 0x22, 0x5c: self = .short(UInt8(truncatingIfNeeded: scalar))
        case 0x0a: self = .short(0x6e)
        case 0x0d: self = .short(0x72)
        case 0x09: self = .short(0x74)
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff:
            self = .long(scalar)
        default: return nil
        }
    }

    var isControl: Bool { if case .long(let scalar) = self { scalar < 0x700 } else { false } }

    @inline(__always)
    func write(to line: inout OutputSpan<UInt8>) {
        line.append(0x5c)
        switch self {
        case .short(let byte): line.append(byte)
        case .long(let scalar):
            line.append(0x75)
            for shift in stride(from: UInt32(12), through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: scalar >> shift & 15)
                line.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
    }
}
