/// Reads one line of a plan word by word and knows the column of each. `#` at a word's start begins a comment.
struct LineCursor {
    let line: Int
    let source: String
    let scalars: [Unicode.Scalar]
    private(set) var index = 0

    /// A word with the index of its first scalar.
    struct Word: Equatable {
        var text: String
        var start: Int
    }

    init(_ source: String, line: Int) {
        self.line = line
        self.source = source
        scalars = Array(source.unicodeScalars)
    }

    var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\r" }

    mutating func skipBlanks() {
        while let next = peek, Self.isBlank(next) { index += 1 }
    }

    mutating func advance(to position: Int) { index = min(max(position, index), scalars.count) }

    /// True when nothing but blanks and a comment is left.
    mutating func atEnd() -> Bool {
        skipBlanks()
        return peek == nil || peek == "#"
    }

    /// The next word, nil at the end of what counts.
    mutating func word() -> Word? {
        if atEnd() { return nil }
        let start = index
        while let next = peek, !Self.isBlank(next) { index += 1 }
        return Word(text: text(start..<index), start: start)
    }

    /// The comment behind the line's content, without `#` and one blank.
    mutating func comment() -> String? {
        skipBlanks()
        guard peek == "#" else { return nil }
        index += 1
        if peek == " " { index += 1 }
        var end = scalars.count
        while end > index, Self.isBlank(scalars[end - 1]) { end -= 1 }
        let found = text(index..<end)
        index = scalars.count
        return found
    }

    func text(_ range: Range<Int>) -> String { String(scalars: scalars[range]) }

    /// Where that text stands first.
    func find(_ text: String, from start: Int) -> Int? {
        let wanted = Array(text.unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= scalars.count else { return nil }
        return (start...max(start, scalars.count - wanted.count)).first { position in
            position + wanted.count <= scalars.count && scalars[position..<position + wanted.count].elementsEqual(wanted)
        }
    }

    /// Columns count characters from 1.
    func column(_ position: Int) -> Int { text(0..<min(position, scalars.count)).count + 1 }

    func error(at position: Int, width: Int = 1, _ sentence: String, _ remedy: String) -> PlanError {
        PlanError(
            line: line, column: column(position), width: width, sentence: sentence, remedy: remedy, source: source)
    }

    func error(_ word: Word, _ sentence: String, _ remedy: String) -> PlanError {
        error(at: word.start, width: word.text.count, sentence, remedy)
    }

    /// The next word, or an error that says what should stand here.
    mutating func need(_ what: String, _ remedy: String) throws(PlanError) -> Word {
        guard let word = word() else { throw error(at: index, "\(what) is missing", remedy) }
        return word
    }

    /// A text in double quotes with the escapes of JSON.
    mutating func quoted() throws(PlanError) -> String {
        skipBlanks()
        let start = index
        guard peek == "\"" else { throw error(at: index, "a text is missing", "expected it in double quotes") }
        index += 1
        var text: [UInt8] = []
        while let next = peek {
            index += 1
            if next == "\"" { return String(decoding: text, as: UTF8.self) }
            text.append(next == "\\" ? try escaped() : next)
        }
        throw error(at: start, "the text does not end", "write a closing `\"` on the same line")
    }

    private mutating func escaped() throws(PlanError) -> Unicode.Scalar {
        let start = index - 1
        let letter = peek
        index = min(index + 1, scalars.count)
        switch letter {
        case "\"", "\\", "/": return letter ?? "\\"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "u":
            let first = try fourDigits(start)
            if (0xd800..<0xdc00).contains(first), peek == "\\" {
                index += 1
                guard peek == "u" else { break }
                index += 1
                let second = try fourDigits(start)
                guard (0xdc00..<0xe000).contains(second) else { break }
                let code = 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00))
                if let scalar = Unicode.Scalar(code) { return scalar }
            } else if let scalar = Unicode.Scalar(first) {
                return scalar
            }
        default: break
        }
        throw error(
            at: start, width: 2, "the escape is not one of JSON's",
            "write \\\" \\\\ \\n \\r \\t \\b \\f or \\u and four digits; use `send bytes` for what is no Unicode text")
    }

    private mutating func fourDigits(_ start: Int) throws(PlanError) -> UInt32 {
        guard index + 4 <= scalars.count, let value = UInt32(text(index..<index + 4), radix: 16) else {
            throw error(at: start, width: 2, "\\u needs four hexadecimal digits", "write \\u0041")
        }
        index += 4
        return value
    }
}

/// Text in double quotes that `quoted` reads back.
func quote(_ text: String) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count + 2)
    result.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
        case "\n": result += Array("\\n".utf8)
        case "\r": result += Array("\\r".utf8)
        case "\t": result += Array("\\t".utf8)
        case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029:
            let digits = String(scalar.value, radix: 16)
            result += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
        default: result.append(scalar)
        }
    }
    result.append(UInt8(ascii: "\""))
    return String(decoding: result, as: UTF8.self)
}
