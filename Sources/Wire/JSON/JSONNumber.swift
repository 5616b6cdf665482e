/// The exact decimal value of a JSON number: sign, digits without zeros at either end, and a power of ten. Two numbers
/// are equal when these are, however they were written and however long they are.
package struct JSONNumber: Sendable, Hashable {
    package var negative: Bool
    /// Without leading or trailing zeros; empty for zero.
    package var digits: [UInt8]
    /// The value is `digits` x 10^exponent.
    package var exponent: Int

    /// Nil for NaN and the infinities. An exponent too large for `Int` is clamped to a bound far outside of use.
    package init?(_ text: String) {
        var bytes = text.utf8[...]
        negative = bytes.first == UInt8(ascii: "-")
        if negative { bytes = bytes.dropFirst() }
        digits = []
        exponent = 0
        var fraction = false
        while let byte = bytes.first {
            if byte >= 0x30, byte <= 0x39 {
                if !digits.isEmpty || byte != 0x30 { digits.append(byte) }
                if fraction { exponent -= 1 }
            } else if byte == UInt8(ascii: "."), !fraction {
                fraction = true
            } else {
                break
            }
            bytes = bytes.dropFirst()
        }
        if let byte = bytes.first {
            guard byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") else { return nil }
            exponent += Self.power(bytes.dropFirst())
        }
        while digits.last == 0x30 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty {
            exponent = 0
            negative = false
        }
    }

    /// The number as whoever reads it into an IEEE double writes it again, in canonical form; `Infinity` and `-Infinity`
    /// where none is near (RFC 8259 section 6).
    package static func rounded(_ text: String) -> String {
        switch text {
        case "NaN", "Infinity", "-Infinity": return text
        default: break
        }
        guard let double = Double(text) else { return text }
        guard double.isFinite else { return double < 0 ? "-Infinity" : "Infinity" }
        return JSONNumber("\(double)")?.canonical ?? text
    }

    private static let bound = 1_000_000_000_000

    private static func power(_ text: Substring.UTF8View.SubSequence) -> Int {
        var value = 0
        for byte in text where byte >= 0x30 && byte <= 0x39 {
            value = min(value * 10 + Int(byte - 0x30), bound)
        }
        return text.first == UInt8(ascii: "-") ? -value : value
    }

    package var integer: Int? {
        if digits.isEmpty { return 0 }
        guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
        let text = String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: exponent)
        return Int(negative ? "-" + text : text)
    }

    /// One text for each value: plain digits while short, else scientific.
    package var canonical: String {
        if digits.isEmpty { return "0" }
        let sign = negative ? "-" : ""
        let text = String(decoding: digits, as: UTF8.self)
        if exponent >= 0, digits.count + exponent <= 21 {
            return sign + text + String(repeating: "0", count: exponent)
        }
        if exponent < 0, -exponent < digits.count {
            return sign + text.prefix(digits.count + exponent) + "." + text.suffix(-exponent)
        }
        if exponent < 0, -exponent <= 21 {
            return sign + "0." + String(repeating: "0", count: -exponent - digits.count) + text
        }
        return sign + text + "e\(exponent)"
    }
}
