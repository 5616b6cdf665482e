/// `pattern`: a regular expression that must be found somewhere in the text. Schemas are read by programs of many languages,
/// whose dialects differ at the edges: there the answer is left open.
struct SchemaPattern: Sendable, Hashable {
    let regex: LinearRegex
    /// It asks for digits, words, blanks or their borders: outside of ASCII these are not the same everywhere.
    private let hasClasses: Bool
    private let hasAny: Bool
    private let hasEnd: Bool

    init(_ text: String) throws(PartError) {
        regex = try LinearRegex(text)
        hasAny = text.utf8.contains(UInt8(ascii: "."))
        hasEnd = text.utf8.contains(UInt8(ascii: "$"))
        var isEscaped = false
        var hasClasses = false
        for byte in text.utf8 {
            if isEscaped, "dDwWsSbB".utf8.contains(byte) { hasClasses = true }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        self.hasClasses = hasClasses
    }

    /// Nil: it cannot be told.
    func occurs(in text: String) -> Bool? {
        var isPlain = true
        for scalar in text.unicodeScalars {
            switch scalar.value {
            // One character, or two to whoever counts UTF-16.
            case 0x10000...: return nil
            case 0x20...0x7e, 0x09: continue
            case 0x0a, 0x0d, 0x0b, 0x0c, 0x85, 0x2028, 0x2029:
                if hasAny || hasEnd { return nil }
                isPlain = false
            default: isPlain = false
            }
        }
        if hasClasses, !isPlain { return nil }
        return regex.occurs(in: text)
    }
}

extension LinearRegex {
    /// Whether it matches anywhere in the text, in time linear in it. Nil when the text is too long to look at, or more than
    /// `budget` steps were made.
    package func occurs(in candidate: String, budget: Int = 4_000_000) -> Bool? {
        guard candidate.utf8.count <= Self.maximumText else { return nil }
        var machine = RegexMachine(program: program, text: candidate.unicodeScalars.map(\.value))
        let found = machine.search(from: 0, slotCount: 0, budget: budget)
        if found == nil, machine.steps > budget { return nil }
        return found != nil
    }
}
