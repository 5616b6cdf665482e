import Reporting
import Testing

@testable import Commands

@Suite struct LiveAreaTests {
    /// What a terminal of some rows shows after these bytes.
    private func screen(_ text: String, rows: Int = 12) -> [String] {
        var lines = [""]
        var (row, column) = (0, 0)
        var characters = Array(text.unicodeScalars)[...]
        while let scalar = characters.popFirst() {
            switch scalar {
            case "\n":
                (row, column) = (row + 1, 0)
                if row == lines.count { lines.append("") }
            case "\r": column = 0
            case "\u{1b}":
                let body = characters.prefix { !("A"..."Z" ~= $0 || "a"..."z" ~= $0) }
                characters = characters.dropFirst(body.count)
                let number = Int(String(String.UnicodeScalarView(body.dropFirst().filter { $0 != "?" }))) ?? 1
                switch characters.popFirst() {
                case "A": row = max(0, row - number)
                case "K": lines[row] = String(lines[row].prefix(column))
                case "J":
                    lines[row] = String(lines[row].prefix(column))
                    lines.removeSubrange((row + 1)...)
                default: break
                }
            default:
                let line = Array(lines[row].unicodeScalars)
                let padded = line.prefix(column) + Array(repeating: " ", count: max(0, column - line.count)) + [scalar]
                lines[row] = String(String.UnicodeScalarView(Array(padded + line.dropFirst(column + 1))))
                column += 1
            }
        }
        return lines
    }

    @Test func logLinesScrollAboveAndTheRowsAreReplaced() {
        let paper = Paper()
        let area = LiveArea(paper.console(), isLive: true)
        area.log("head")
        area.show(["one long row", "two"])
        area.show(["1", "2"])
        area.log("first\nsecond")
        #expect(screen(paper.said) == ["head", "first", "second", "1", "2"])
        area.show(["only"])
        #expect(screen(paper.said) == ["head", "first", "second", "only"])
        area.close()
        area.show(["late"])
        area.log("tail")
        #expect(screen(paper.said) == ["head", "first", "second", "tail", ""])
        #expect(paper.said.contains("\u{1b}[?25l") && paper.said.contains("\u{1b}[?25h"))
    }

    @Test func withoutATerminalThereAreOnlyLines() {
        let paper = Paper()
        let area = LiveArea(paper.console(), isLive: false)
        area.show(["board"])
        area.log("line")
        area.close()
        #expect(paper.said == "line\n")
    }
}
