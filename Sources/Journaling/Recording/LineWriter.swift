import NIOCore
import Wire

/// Writes one JSON object on one line, straight into a buffer.
struct LineWriter {
    private(set) var buffer: ByteBuffer
    private var isFirst = true

    /// Begins the object behind what `buffer` holds.
    init(_ buffer: ByteBuffer) {
        self.buffer = buffer
        self.buffer.writeInteger(UInt8(ascii: "{"))
    }

    /// Ends the object and its line.
    mutating func finish() { buffer.writeString("}\n") }

    /// `key` is a constant of ours and needs no escapes.
    mutating func key(_ key: String) {
        buffer.writeString(isFirst ? "\"" : ",\"")
        isFirst = false
        buffer.writeString(key)
        buffer.writeString("\":")
    }

    mutating func write(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        buffer.writeString(String(value))
    }

    mutating func write(_ name: String, _ value: Bool) {
        key(name)
        buffer.writeString(value ? "true" : "false")
    }

    mutating func write(_ name: String, _ value: String) {
        key(name)
        writeQuoted(ByteBuffer(string: value))
    }

    /// A word of ours: no escapes needed.
    mutating func write(_ name: String, word: String) {
        key(name)
        buffer.writeString("\"")
        buffer.writeString(word)
        buffer.writeString("\"")
    }

    mutating func write(_ name: String, ifPresent value: String?) {
        if let value { write(name, value) }
    }

    mutating func write(_ name: String, _ values: [String]) {
        key(name)
        var separator = "["
        for value in values {
            buffer.writeString(separator)
            writeQuoted(ByteBuffer(string: value))
            separator = ","
        }
        buffer.writeString(values.isEmpty ? "[]" : "]")
    }

    mutating func write(_ name: String, ref: EntryRef) { write(name, word: ref.description) }

    mutating func object(_ name: String, _ body: (inout LineWriter) -> Void) {
        key(name)
        buffer.writeString("{")
        isFirst = true
        body(&self)
        buffer.writeString("}")
        isFirst = false
    }

    /// `text` when the bytes are UTF-8 that needs few escapes, else `b64`.
    mutating func write(payload: ByteBuffer) {
        if LineWriter.isText(payload) {
            key("text")
            writeQuoted(payload)
        } else {
            key("b64")
            buffer.writeString("\"")
            Base64.write(payload, into: &buffer)
            buffer.writeString("\"")
        }
    }

    /// Escapes cost six bytes for one, so that text full of them is shorter in base64.
    private static func isText(_ payload: ByteBuffer) -> Bool {
        guard UTF8Validator.isValid(payload) else { return false }
        let controls = payload.readableBytesView.count { $0 < 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
        return controls * 16 <= payload.readableBytes
    }

    /// A JSON string of valid UTF-8. What could harm a terminal or an editor is escaped too: C1, DEL, marks of
    /// direction, line separators, the byte order mark (trust.md T38).
    private mutating func writeQuoted(_ text: ByteBuffer) {
        buffer.writeString("\"")
        let view = text.readableBytesView
        var copied = view.startIndex
        var index = view.startIndex
        while index < view.endIndex {
            let byte = view[index]
            if byte >= 0x20 && byte != 0x22 && byte != 0x5c && byte < 0x7f {
                index += 1
                continue
            }
            let (scalar, length) = LineWriter.scalar(in: view, at: index)
            if let escape = LineWriter.escape(scalar) {
                buffer.writeBytes(view[copied..<index])
                buffer.writeString(escape)
                copied = index + length
            }
            index += length
        }
        buffer.writeBytes(view[copied..<view.endIndex])
        buffer.writeString("\"")
    }

    /// The scalar that begins at `index` of valid UTF-8, and its length.
    private static func scalar(in view: ByteBufferView, at index: Int) -> (UInt32, Int) {
        let first = UInt32(view[index])
        if first < 0x80 { return (first, 1) }
        let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        guard index + length <= view.endIndex else { return (first, view.endIndex - index) }
        var value = first & (0xff >> UInt32(length + 1))
        for offset in 1..<length { value = value << 6 | UInt32(view[index + offset] & 0x3f) }
        return (value, length)
    }

    private static func escape(_ scalar: UInt32) -> String? {
        switch scalar {
        case 0x22: return "\\\""
        case 0x5c: return "\\\\"
        case 0x0a: return "\\n"
        case 0x0d: return "\\r"
        case 0x09: return "\\t"
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff:
            let digits = String(scalar, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return nil
        }
    }
}
