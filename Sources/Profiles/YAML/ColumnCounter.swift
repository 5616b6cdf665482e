/// libyaml counts columns in scalars, an editor in characters. Places are asked for in file order, so that a line is
/// counted out once however many there are on it.
struct ColumnCounter {
    private let lines: [Substring]
    private var line = 0
    private var rest: Substring = ""
    private var scalars = 0
    private var characters = 0
    private var lastLength = 0

    init(_ text: String) {
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    /// The character there, both counted from 1.
    func character(line: Int, column: Int) -> Character? {
        guard line >= 1, line <= lines.count else { return nil }
        return lines[line - 1].dropFirst(max(0, column - 1)).first
    }

    /// - Parameters:
    ///   - line: from 1.
    ///   - column: scalars, from 1.
    /// - Returns: characters, from 1.
    mutating func column(line: Int, scalar column: Int) -> Int {
        guard line >= 1, line <= lines.count else { return column }
        let before = column - 1
        // A place inside the character that was counted last is at that character.
        if line == self.line, before < scalars, before >= scalars - lastLength { return max(1, characters) }
        if line != self.line || before < scalars {
            self.line = line
            rest = lines[line - 1]
            (scalars, characters, lastLength) = (0, 0, 0)
        }
        while scalars < before, let next = rest.popFirst() {
            lastLength = next.unicodeScalars.count
            scalars += lastLength
            characters += 1
        }
        return scalars > before ? max(1, characters) : characters + 1
    }
}
