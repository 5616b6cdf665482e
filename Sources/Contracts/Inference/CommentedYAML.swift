/// YAML that says behind each line why it stands there. Texts come from traffic: whatever is not tame is quoted.
struct CommentedYAML {
    private var lines: [(text: String, why: String)] = []

    /// Comments stand in one column where the lines are short enough.
    private static let column = 56

    mutating func line(_ depth: Int, _ key: String, _ value: String = "", why: String = "") {
        let space = String(repeating: "  ", count: depth)
        lines.append((space + Self.key(key) + ":" + (value.isEmpty ? "" : " " + value), why))
    }

    mutating func item(_ depth: Int, _ value: String, why: String = "") {
        lines.append((String(repeating: "  ", count: depth) + "- " + value, why))
    }

    /// A line of its own.
    mutating func comment(_ depth: Int, _ text: String) {
        lines.append((String(repeating: "  ", count: depth) + "# " + Self.tame(text), ""))
    }

    var text: String {
        lines.map { line in
            guard !line.why.isEmpty else { return line.text + "\n" }
            let pad = String(repeating: " ", count: max(2, Self.column - line.text.count))
            return line.text + pad + "# " + Self.tame(line.why) + "\n"
        }.joined()
    }

    /// A text as a value, in quotes where a reader could take it for something else.
    static func value(_ text: String) -> String { isTame(text) ? text : quoted(text) }

    static func key(_ text: String) -> String { isTame(text) ? text : quoted(text) }

    static func list(_ texts: [String]) -> String {
        if texts.count == 1, let only = texts.first { return value(only) }
        return "[" + texts.map(value).joined(separator: ", ") + "]"
    }

    static func map(_ fields: [(key: String, value: String)]) -> String {
        "{ " + fields.map { key($0.key) + ": " + $0.value }.joined(separator: ", ") + " }"
    }

    /// Letters, digits and a few signs inside: no number, no word of YAML.
    private static func isTame(_ text: String) -> Bool {
        guard let first = text.utf8.first, InferredName.isWord(first), !(0x30...0x39).contains(first) else { return false }
        if ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"].contains(text.lowercased()) { return false }
        return text.utf8.count <= 80 && text.utf8.allSatisfy { InferredName.isWord($0) || "-./".utf8.contains($0) }
    }

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: out += "\\x" + hex(scalar.value, 2)
            case _ where scalar.value > 0x7f && scalar.value <= 0xffff: out += "\\u" + hex(scalar.value, 4)
            case _ where scalar.value > 0xffff: out += "\\U" + hex(scalar.value, 8)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func hex(_ value: UInt32, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func tame(_ text: String) -> String { Printable.text(text) }
}
