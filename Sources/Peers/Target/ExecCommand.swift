/// How `--exec 'CMD {port}'` becomes a program and its arguments. No shell is ever involved (trust.md T45).
///
/// The rule: words are parted by blanks; inside `'…'` everything is itself; inside `"…"` everything is itself but `\"`
/// and `\\`; outside of quotes `\` makes the next character itself; quotes may stand within a word. Nothing else means
/// anything: no variables, globs, pipes or substitutions. Then each `{port}` in a word becomes the port.
package enum ExecCommand {
    package static let mostWords = 1_000

    package static func split(_ text: String, port: Int) throws(TargetError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                // In double quotes a backslash is itself before anything but `"` and `\`.
                if quote == "\"", character != "\"", character != "\\" { word = (word ?? "") + "\\" }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" || character.isNewline {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let quote { throw .badCommand("the quote \(quote) is not closed") }
        if isEscaped { throw .badCommand("a backslash stands at the end") }
        if let word { words.append(word) }
        guard let program = words.first, !program.isEmpty else { throw .badCommand("it is empty") }
        guard words.count <= mostWords else { throw .badCommand("it has more than \(mostWords) words") }
        guard !text.unicodeScalars.contains("\0") else { throw .badCommand("it holds a NUL") }
        guard text.contains("{port}") else { throw .badCommand("it names no port; write {port} where the port goes") }
        return words.map { $0.replacing("{port}", with: String(port)) }
    }
}
