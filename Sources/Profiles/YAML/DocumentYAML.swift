import Journaling

/// A value tree as YAML again: what a profile comes to when everything that it extends is laid under it.
enum DocumentYAML {
    static func text(_ document: Document) -> String { block(document, "").map { $0 + "\n" }.joined() }

    private static func block(_ document: Document, _ space: String) -> [String] {
        switch document.node {
        case .scalar(let scalar): return [space + shown(scalar)]
        case .map(let fields): return fields.flatMap { field in entry(plain(field.key) + ":", field.value, space) }
        case .list(let items):
            return items.flatMap { item -> [String] in
                let lines = block(item, space + "  ")
                guard let first = lines.first else { return [space + "- " + (item.list == nil ? "{}" : "[]")] }
                return [space + "- " + first.dropFirst(space.count + 2)] + lines.dropFirst()
            }
        }
    }

    private static func entry(_ key: String, _ value: Document, _ space: String) -> [String] {
        switch value.node {
        case .scalar(let scalar): [space + key + " " + shown(scalar)]
        case .list(let items) where items.isEmpty: [space + key + " []"]
        case .map(let fields) where fields.isEmpty: [space + key + " {}"]
        case .list(let items) where items.allSatisfy { $0.scalar != nil }:
            [space + key + " [" + items.compactMap { $0.scalar.map(shown) }.joined(separator: ", ") + "]"]
        case .list, .map: [space + key] + block(value, space + "  ")
        }
    }

    private static func shown(_ scalar: Document.Scalar) -> String {
        if scalar.isNull { return "~" }
        return scalar.isPlain ? plain(scalar.text) : quoted(scalar.text)
    }

    /// Plain where every reader of YAML takes it for the same text.
    private static func plain(_ text: String) -> String {
        let isTame = text.utf8.allSatisfy { byte in
            byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a
                || " %./_-+".utf8.contains(byte)
        }
        // A dash begins a list, unless a number follows.
        let isDash = text.hasPrefix("-") && !(text.utf8.dropFirst().first.map { $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e } ?? false)
        let isEdged = text.hasPrefix(" ") || text.hasSuffix(" ") || isDash || text.hasPrefix("%")
        return isTame && !isEdged && !text.isEmpty ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                out += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
