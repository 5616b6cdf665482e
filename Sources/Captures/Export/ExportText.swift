import NIOCore
import Wire

/// Writes JSON: small, on one line, and without the characters that a terminal or an editor takes for commands (trust.md
/// T38), which JSON can say by escapes.
struct ExportText {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func object(_ body: (inout ExportText) -> Void) { container("{", "}", body) }
    mutating func array(_ body: (inout ExportText) -> Void) { container("[", "]", body) }

    private mutating func container(_ begin: String, _ end: String, _ body: (inout ExportText) -> Void) {
        raw(begin)
        isFirst = true
        body(&self)
        raw(end)
        isFirst = false
    }

    /// A comma unless it is the first.
    mutating func element() {
        if !isFirst { bytes.append(0x2c) }
        isFirst = false
    }

    mutating func key(_ key: String) {
        element()
        quote(key.utf8)
        bytes.append(0x3a)
    }

    mutating func write(_ key: String, _ value: String) {
        self.key(key)
        quote(value.utf8)
    }

    mutating func write(_ key: String, _ value: some BinaryInteger) {
        self.key(key)
        raw(String(value))
    }

    mutating func write(_ key: String, literal: String) {
        self.key(key)
        raw(literal)
    }

    mutating func object(_ key: String, _ body: (inout ExportText) -> Void) {
        self.key(key)
        object(body)
    }

    mutating func array(_ key: String, _ body: (inout ExportText) -> Void) {
        self.key(key)
        array(body)
    }

    /// UTF-8 as a JSON string.
    mutating func quote(_ text: some Collection<UInt8>) {
        bytes.append(0x22)
        var isPlain = true
        for byte in text where byte < 0x20 || byte > 0x7e || byte == 0x22 || byte == 0x5c {
            isPlain = false
            break
        }
        if isPlain {
            bytes.append(contentsOf: text)
        } else {
            for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { escape(scalar) }
        }
        bytes.append(0x22)
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22: raw("\\\"")
        case 0x5c: raw("\\\\")
        case 0x0a: raw("\\n")
        case 0x0d: raw("\\r")
        case 0x09: raw("\\t")
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb, 0xe0000...:
            for unit in UTF16.encode(scalar) ?? .init() {
                let digits = String(unit, radix: 16)
                raw("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            }
        default: bytes.append(contentsOf: String(scalar).utf8)
        }
    }

    /// Seconds since 1970 as a decimal that keeps every nanosecond.
    static func seconds(_ time: WallTime) -> String { decimal(time, unit: 1_000_000_000, digits: 9) }

    /// Milliseconds of a length of time.
    static func milliseconds(_ length: Int64) -> String { decimal(length, unit: 1_000_000, digits: 6) }

    private static func decimal(_ value: Int64, unit: Int64, digits: Int) -> String {
        var fraction = String((value % unit).magnitude)
        fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let sign = value < 0 ? "-" : ""
        return sign + String((value / unit).magnitude) + (fraction.isEmpty ? "" : "." + fraction)
    }
}
