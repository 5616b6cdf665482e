/// Text for XML 1.0: what XML cannot hold becomes U+FFFD, and nothing of it can end the text or the attribute it is in.
enum XMLText {
    /// The production Char of XML 1.0.
    static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xa, 0xd, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: true
        default: false
        }
    }

    /// Between tags.
    static func content(_ text: String) -> String { escaped(text, attribute: false) }

    /// A whole attribute, with a space before it: ` name="value"`.
    static func attribute(_ name: String, _ value: String) -> String { " \(name)=\"\(escaped(value, attribute: true))\"" }

    private static func escaped(_ text: String, attribute: Bool) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"" where attribute: out += "&quot;"
            // A reader makes a space of these in an attribute, and a line feed of a carriage return in text.
            case "\n" where attribute, "\t" where attribute, "\r": out += "&#\(scalar.value);"
            default: out.unicodeScalars.append(isAllowed(scalar) ? scalar : "\u{fffd}")
            }
        }
        return out
    }
}
