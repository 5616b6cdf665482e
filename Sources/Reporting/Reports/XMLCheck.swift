/// A strict reader of the XML that we write: UTF-8, a declaration, elements, attributes, text and the five entities.
/// Whatever else XML has, a DTD first of all, is refused: it can only have come from a payload (trust.md T40).
struct XMLCheck {
    /// Elements by name, in the order in which each was first seen.
    private(set) var elements: [(name: String, count: Int)] = []
    /// Of the root.
    private(set) var attributes: [(name: String, value: String)] = []
    private var scalars: [Unicode.Scalar]
    private var at = 0
    private var open: [String] = []

    /// Nil when the text is not well-formed in this sense.
    init?(_ text: String) {
        scalars = Array(text.unicodeScalars)
        guard scalars.allSatisfy(XMLText.isAllowed), document() else { return nil }
    }

    func count(_ name: String) -> Int { elements.first { $0.name == name }?.count ?? 0 }
    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    private mutating func document() -> Bool {
        guard take(#"<?xml version="1.0" encoding="UTF-8"?>"#) else { return false }
        skipSpace()
        guard at < scalars.count, tag() else { return false }
        while !open.isEmpty {
            guard at < scalars.count, scalars[at] == "<" ? tag() : text() else { return false }
        }
        skipSpace()
        return at == scalars.count
    }

    /// A start tag, an empty one or an end tag.
    private mutating func tag() -> Bool {
        guard take("<") else { return false }
        if take("/") {
            guard let name = name(), open.popLast() == name else { return false }
            skipSpace()
            return take(">")
        }
        guard let name = name() else { return false }
        let isRoot = elements.isEmpty
        seen(name)
        var known: [String] = []
        while true {
            let before = at
            skipSpace()
            if take("/>") { return true }
            if take(">") {
                open.append(name)
                return true
            }
            guard at > before, let key = self.name(), !known.contains(key), take("=\""), let value = value() else { return false }
            known.append(key)
            if isRoot { attributes.append((key, value)) }
        }
    }

    private mutating func seen(_ name: String) {
        if let index = elements.firstIndex(where: { $0.name == name }) {
            elements[index].count += 1
        } else {
            elements.append((name, 1))
        }
    }

    private mutating func value() -> String? {
        var value = ""
        while at < scalars.count {
            switch scalars[at] {
            case "\"":
                at += 1
                return value
            case "<": return nil
            case "&":
                guard let scalar = reference() else { return nil }
                value.unicodeScalars.append(scalar)
            default:
                value.unicodeScalars.append(scalars[at])
                at += 1
            }
        }
        return nil
    }

    private mutating func text() -> Bool {
        while at < scalars.count, scalars[at] != "<" {
            if scalars[at] == "&" {
                guard reference() != nil else { return false }
            } else if take("]]>") {
                return false
            } else {
                at += 1
            }
        }
        return at < scalars.count
    }

    private mutating func reference() -> Unicode.Scalar? {
        for (word, scalar) in [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'")]
            as [(String, Unicode.Scalar)] where take(word)
        {
            return scalar
        }
        guard take("&#") else { return nil }
        var number: UInt32 = 0
        var digits = 0
        while at < scalars.count, digits < 7, ("0"..."9").contains(scalars[at]) {
            number = number * 10 + (scalars[at].value - 0x30)
            digits += 1
            at += 1
        }
        guard digits > 0, take(";"), let scalar = Unicode.Scalar(number), XMLText.isAllowed(scalar) else { return nil }
        return scalar
    }

    private mutating func name() -> String? {
        var name = ""
        while at < scalars.count {
            switch scalars[at] {
            case "a"..."z", "A"..."Z", "_": break
            case "0"..."9" where !name.isEmpty, "-" where !name.isEmpty, "." where !name.isEmpty: break
            default: return name.isEmpty ? nil : name
            }
            name.unicodeScalars.append(scalars[at])
            at += 1
        }
        return nil
    }

    private mutating func skipSpace() {
        while at < scalars.count, [" ", "\n", "\r", "\t"].contains(scalars[at]) { at += 1 }
    }

    private mutating func take(_ word: String) -> Bool {
        let wanted = Array(word.unicodeScalars)
        guard scalars.count - at >= wanted.count, scalars[at..<at + wanted.count].elementsEqual(wanted) else { return false }
        at += wanted.count
        return true
    }
}
