/// `pattern`: a regular expression that must be found somewhere in the text. Schemas are read by programs of many languages,
/// whose dialects differ at the edges: there the answer is left open.
struct SchemaPattern: Sendable, Hashable {
    let regex: LinearRegex
    /// It asks for digits, words, blanks or their borders: outside of ASCII these are not the same everywhere.
    private let hasClasses: Bool
    private let hasAny: Bool
    private let hasEnd: Bool

    init(_ text: String) throws(PartError) {
        if let odd = Self.oddity(text) {
            throw PartError("re: \"\(odd)\" is read in different ways", remedy: "write it so that every program reads it alike")
        }
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

    /// What one dialect takes for itself and another for an operator: `{,3}`, and in a class an empty one, one within the
    /// class, a POSIX name, or an operation on sets.
    private static func oddity(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var place = 0
        var inClass = false
        while place < bytes.count {
            let rest = bytes[place...]
            let pair = String(decoding: rest.prefix(2), as: UTF8.self)
            switch bytes[place] {
            case UInt8(ascii: "\\"): place += 1
            case UInt8(ascii: "[") where !inClass:
                inClass = true
                let isNegated = rest.dropFirst().first == UInt8(ascii: "^")
                if isNegated { place += 1 }
                if bytes.count > place + 1, bytes[place + 1] == UInt8(ascii: "]") { return isNegated ? "[^]" : "[]" }
            case UInt8(ascii: "["): return "[["
            case UInt8(ascii: "]"): inClass = false
            case _ where inClass: if ["&&", "--", "~~", "||"].contains(pair) { return pair }
            case UInt8(ascii: "{") where pair == "{,": return pair
            default: break
            }
            place += 1
        }
        return nil
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
