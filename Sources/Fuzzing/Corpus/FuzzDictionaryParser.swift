package import Contracts

/// Reads a dictionary in pieces of any size; keeps one line.
package struct FuzzDictionaryParser {
    private let file: String
    private var dictionary = FuzzDictionary()
    private var errors: [ConfigurationError] = []
    private var line: [UInt8] = []
    private var number = 1
    private var isOver = false
    private var total = 0
    private static let mostErrors = 100
    private static let longestLine = 4096

    package init(file: String) { self.file = file }

    package mutating func feed(_ bytes: some Sequence<UInt8>) {
        for byte in bytes where !isOver {
            total += 1
            if total > FuzzDictionary.largestFile {
                fail(0, "the dictionary is larger than \(FuzzDictionary.largestFile) bytes", "split it")
                isOver = true
            } else if byte == 0x0a {
                endLine()
            } else if line.count <= Self.longestLine {
                line.append(byte)
            }
        }
    }

    package consuming func finish() throws(ConfigurationErrors) -> FuzzDictionary {
        if !line.isEmpty, !isOver { endLine() }
        if !errors.isEmpty { throw ConfigurationErrors(errors) }
        return dictionary
    }

    private mutating func endLine() {
        if line.last == 0x0d { line.removeLast() }
        if line.count > Self.longestLine {
            fail(Self.longestLine, "the line is longer than \(Self.longestLine) bytes", "write one word a line")
        } else if let word = word() {
            if dictionary.words.count < FuzzDictionary.mostWords {
                dictionary.words.append(word)
            } else {
                fail(0, "the dictionary has more than \(FuzzDictionary.mostWords) words", "split it")
                isOver = true
            }
        }
        line = []
        number += 1
        if errors.count >= Self.mostErrors { isOver = true }
    }

    /// - Parameter offset: bytes from the start of the line; places count characters.
    private mutating func fail(_ offset: Int, _ message: String, _ remedy: String) {
        let column = String(decoding: line.prefix(offset), as: UTF8.self).count + 1
        var error = ConfigurationError(file: file, line: number, column: column, message: message, remedy: remedy)
        error.spot?.source = String(decoding: line.prefix(400), as: UTF8.self)
        error.spot?.length = 1
        errors.append(error)
    }

    /// Nil for a line without a word, or a wrong one.
    private mutating func word() -> FuzzDictionary.Word? {
        var at = blanks(0)
        guard at < line.count, line[at] != UInt8(ascii: "#") else { return nil }
        var word = FuzzDictionary.Word(bytes: [])
        if line[at] != UInt8(ascii: "\"") {
            guard let next = key(at, &word) else { return nil }
            at = next
        }
        guard let end = value(at + 1, &word) else { return nil }
        let rest = blanks(end)
        guard rest == line.count else {
            fail(rest, "something stands behind the closing quote", "put comments on lines of their own")
            return nil
        }
        return word
    }

    private func blanks(_ start: Int) -> Int {
        var at = start
        while at < line.count, line[at] == 0x20 || line[at] == 0x09 { at += 1 }
        return at
    }

    /// `name@2 =`, up to the opening quote.
    private mutating func key(_ start: Int, _ word: inout FuzzDictionary.Word) -> Int? {
        var at = start
        while at < line.count, Self.isName(line[at]) { at += 1 }
        if at > start { word.name = String(decoding: line[start..<at], as: UTF8.self) }
        if at > start, at < line.count, line[at] == UInt8(ascii: "@") {
            let digits = line[(at + 1)...].prefix { (0x30...0x39).contains($0) }
            guard let level = Int(String(decoding: digits, as: UTF8.self)) else {
                fail(at + 1, "no level follows `@`", #"expected a number, as in name@1="value""#)
                return nil
            }
            word.level = level
            at += 1 + digits.count
        }
        at = blanks(at)
        guard at > start, at < line.count, line[at] == UInt8(ascii: "=") else {
            fail(at, "this is no word", #"expected "value", name="value" or a # comment"#)
            return nil
        }
        at = blanks(at + 1)
        guard at < line.count, line[at] == UInt8(ascii: "\"") else {
            fail(at, "the value is not quoted", #"expected name="value""#)
            return nil
        }
        return at
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x5f || byte == 0x2d || byte == 0x2e
    }

    /// Up to behind the closing quote.
    private mutating func value(_ start: Int, _ word: inout FuzzDictionary.Word) -> Int? {
        var at = start
        while at < line.count {
            switch line[at] {
            case UInt8(ascii: "\""):
                guard !word.bytes.isEmpty else {
                    fail(at, "the word is empty", "write at least one character or remove the line")
                    return nil
                }
                return at + 1
            case UInt8(ascii: "\\"):
                guard let (byte, next) = escape(at) else {
                    fail(at, "no such escape", #"expected \\, \" or \xNN"#)
                    return nil
                }
                word.bytes.append(byte)
                at = next
            case 0..<0x20, 0x7f:
                fail(at, "a control character stands in the word", #"write it as \xNN"#)
                return nil
            default:
                word.bytes.append(line[at])
                at += 1
            }
            guard word.bytes.count <= FuzzDictionary.longestWord else {
                fail(at - 1, "the word is longer than \(FuzzDictionary.longestWord) bytes", "shorten it")
                return nil
            }
        }
        fail(line.count, "the closing quote is missing", #"expected " at the end of the line"#)
        return nil
    }

    private func escape(_ at: Int) -> (byte: UInt8, next: Int)? {
        let rest = line[at...].dropFirst()
        switch rest.first {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return rest.first.map { ($0, at + 2) }
        case UInt8(ascii: "x"):
            let digits = rest.dropFirst().prefix(2)
            guard digits.count == 2, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }),
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            return (byte, at + 4)
        default: return nil
        }
    }
}
