import Contracts
import Foundation
import Reporting

/// A dictionary as AFL++ and libFuzzer have them: `"word"`, `name="word"`, `name@2="word"`; `#` starts a comment;
/// within the quotes `\\`, `\"` and `\xNN`. Data and nothing else: no includes, no environment (trust.md T32).
enum DictionaryFile {
    static let largest = 1 << 20
    static let mostWords = 20_000

    static func read(_ path: String) throws -> [String] {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: largest + 1)
        else {
            throw Complaint(
                "there is no dictionary at \(SafeText.show(path))",
                details: [("place", "--dict"), ("remedy", "name a file with one \"word\" a line")], exit: .usage)
        }
        guard data.count <= largest else {
            throw Complaint(
                "\(SafeText.show(path)) is too large for a dictionary",
                details: [("expected", "at most \(Figures.bytes(UInt64(largest)))")], exit: .usage)
        }
        return try parse(String(decoding: data, as: UTF8.self), file: path)
    }

    /// The words in file order without repeats; every wrong line is named.
    static func parse(_ text: String, file: String) throws -> [String] {
        var words: [String] = []
        var known: Set<String> = []
        var errors: [ConfigurationError] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        for (index, line) in lines.enumerated() {
            switch entry(line) {
            case .nothing: break
            case .word(let word): if known.insert(word).inserted { words.append(word) }
            case .wrong(let column, let message, let remedy):
                errors.append(
                    ConfigurationError(file: file, line: index + 1, column: column, message: message, remedy: remedy))
            }
            if words.count > mostWords {
                errors.append(
                    ConfigurationError(
                        file: file, line: index + 1, column: 1, message: "the dictionary has more than \(Figures.count(mostWords)) words",
                        remedy: "make it smaller"))
                break
            }
        }
        guard errors.isEmpty else { throw ConfigurationErrors(errors, texts: [file: text]) }
        return words
    }

    private enum Entry {
        case nothing, word(String), wrong(Int, String, String)
    }

    private static func entry(_ line: Substring) -> Entry {
        let characters = Array(line)
        guard let first = characters.firstIndex(where: { !$0.isWhitespace }), characters[first] != "#" else { return .nothing }
        guard let quote = characters.firstIndex(of: "\"") else {
            return .wrong(first + 1, "the word stands in no quotes", "write \"word\" or name=\"word\"")
        }
        let head = String(characters[first..<quote]).trimmingCharacters(in: .whitespaces)
        guard head.isEmpty || head.hasSuffix("=") && head.dropLast().allSatisfy({ $0.isLetter || $0.isNumber || "_-@ ".contains($0) }) else {
            return .wrong(first + 1, "`\(SafeText.show(head))` is not the name of a word", "write name=\"word\"")
        }
        return quoted(characters, from: quote + 1)
    }

    private static func quoted(_ characters: [Character], from start: Int) -> Entry {
        var bytes: [UInt8] = []
        var at = start
        while at < characters.count {
            switch characters[at] {
            case "\"":
                let rest = characters[(at + 1)...].drop { $0.isWhitespace }
                guard rest.isEmpty || rest.first == "#" else {
                    return .wrong(rest.startIndex + 1, "something stands behind the word", "one word a line; \\\" is a quote within it")
                }
                guard !bytes.isEmpty else { return .wrong(start, "the word is empty", "leave the line out") }
                // A word that is no text could stand in no JSON value; as bytes it is Latin-1.
                let text = String(validating: bytes, as: UTF8.self)
                return .word(text ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
            case "\\":
                guard at + 1 < characters.count else { return .wrong(at + 1, "the line ends in `\\`", "write \\\\ for a backslash") }
                switch characters[at + 1] {
                case "\\", "\"":
                    bytes += Array(String(characters[at + 1]).utf8)
                    at += 2
                case "x":
                    let digits = String(characters[(at + 2)...].prefix(2))
                    guard digits.count == 2, let byte = UInt8(digits, radix: 16) else {
                        return .wrong(at + 1, "`\\x` needs two hexadecimal digits", "write \\x0a")
                    }
                    bytes.append(byte)
                    at += 4
                default: return .wrong(at + 1, "`\\\(characters[at + 1])` is no escape", "known: \\\\ \\\" \\xNN")
                }
            default:
                bytes += Array(String(characters[at]).utf8)
                at += 1
            }
        }
        return .wrong(start, "the quote is not closed", "end the word with \"")
    }
}
