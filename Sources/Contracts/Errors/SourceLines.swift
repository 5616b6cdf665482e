/// The lines of a file, for errors that show one. A line may be a megabyte and have a hundred errors: its characters
/// are counted out once.
struct SourceLines {
    private let lines: [Substring]
    private var last: (line: Int, characters: [Character])?

    /// What a YAML reader and an editor agree on.
    static func endsLine(_ character: Character) -> Bool { character == "\n" || character == "\r\n" || character == "\r" }

    init(_ text: String) { lines = text.split(omittingEmptySubsequences: false, whereSeparator: Self.endsLine) }

    mutating func characters(of line: Int) -> [Character]? {
        guard line >= 1, line <= lines.count else { return nil }
        if let last, last.line == line { return last.characters }
        let characters = Array(lines[line - 1])
        last = (line, characters)
        return characters
    }
}

extension ConfigurationError.Spot {
    /// Longest piece of a line that is kept.
    private static let longest = 400

    mutating func find(in lines: inout SourceLines?) {
        guard let characters = lines?.characters(of: line) else { return }
        let start = max(0, min(column - 1, characters.count) - Self.longest / 2)
        let kept = characters.count <= Self.longest ? characters[...] : characters[start...].prefix(Self.longest)
        source = String(kept)
        sourceColumn = column - kept.startIndex
        if length == 0 { length = Self.length(of: kept.dropFirst(max(0, sourceColumn - 1))) }
    }

    /// How long the YAML token is that a text begins with.
    private static func length(of text: ArraySlice<Character>) -> Int {
        let rest = Array(text)
        guard let first = rest.first else { return 1 }
        if first == "\"" || first == "'" {
            guard let end = rest.dropFirst().firstIndex(of: first) else { return rest.count }
            return end + 1
        }
        if "[{".contains(first) { return 1 }
        var length = 0
        for (index, character) in rest.enumerated() {
            let next = index + 1 < rest.count ? rest[index + 1] : " "
            if ",]}".contains(character) || character == ":" && next.isWhitespace { break }
            if character == "#", index > 0, rest[index - 1].isWhitespace { break }
            if !character.isWhitespace { length = index + 1 }
        }
        return max(1, length)
    }
}
