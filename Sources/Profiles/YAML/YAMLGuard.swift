import Contracts
import Journaling

/// Looks over a YAML text before the real parser sees it (trust.md T27): anchors, aliases, tags, merge keys and repeated
/// keys are found with their places, and depth and number of values are bounded, in one pass over the characters.
/// It knows just enough of YAML for that: quotes, block scalars, comments, flow and block collections.
struct YAMLGuard {
    private(set) var problems: [ConfigurationError] = []
    private let file: String
    private let characters: [Character]
    private let limits: Limits
    private var position = 0
    private var line = 1
    private var column = 1
    private var nodes = 0
    private var open: [Collection] = []
    private var gaveUp = false

    /// A mapping or sequence whose end was not seen yet.
    private struct Collection {
        enum Kind { case flow, block }
        var kind: Kind
        /// Block: where its entries begin.
        var column: Int
        var keys: [String: ConfigurationError.Spot] = [:]
    }

    init(_ text: String, file: String, limits: Limits) {
        self.file = file
        self.limits = limits
        characters = Array(text)
    }

    mutating func scan() {
        var isLineStart = true
        while let next = peek(), !gaveUp {
            if next.isNewline {
                advance()
                isLineStart = true
            } else if next == " " || next == "\t" {
                advance()
            } else if next == "#", isLineStart || isBlank(at: position - 1) {
                skipLine()
            } else if isLineStart, column == 1, isMarker() {
                skipLine()
                open.removeAll()
            } else if next == "%", column == 1 {
                skipLine()
            } else {
                isLineStart = false
                token(next)
            }
        }
    }

    // MARK: Tokens

    private mutating func token(_ next: Character) {
        switch next {
        case "[", "{":
            advance()
            enter(Collection(kind: .flow, column: 0))
        case "]", "}":
            advance()
            if isInFlow { open.removeLast() }
        case ",", ":":
            advance()
        case "-" where !isInFlow && isBlank(at: position + 1):
            closeBlocks(below: column)
            if !isOpen(column) { enter(Collection(kind: .block, column: column)) }
            count()
            advance()
        case "?" where isBlank(at: position + 1):
            report("a \"?\" in front of a key is not supported", "write KEY: VALUE")
            advance()
        case "&", "*", "!": forbidden(next)
        case "|" where !isInFlow, ">" where !isInFlow: blockScalar()
        case "\"", "'": quoted(next)
        default: plain()
        }
    }

    private mutating func forbidden(_ sign: Character) {
        let (start, startColumn, startLine) = (position, column, line)
        while let next = peek(), !next.isWhitespace, !isInFlow || !",]}".contains(next) { advance() }
        let word = String(characters[start..<position].prefix(40))
        if sign == "*", word == "*" || word == "*:" || word.dropFirst().contains("*") {
            let bare = word.hasSuffix(":") ? String(word.dropLast()) : word
            report("\"*\" at the start must be quoted: \"\(bare)\"", "", line: startLine, column: startColumn)
        } else {
            let name = sign == "&" ? "anchors" : sign == "*" ? "aliases" : "tags"
            let remedy = sign == "!" ? "leave it out" : "write the value out"
            report(
                "\(name) are not allowed: \(word)", "\(remedy), or put quotes around it if it is text", line: startLine,
                column: startColumn)
        }
    }

    /// A plain scalar on this line; a key when a colon follows.
    private mutating func plain() {
        let (start, startColumn, startLine) = (position, column, line)
        while let next = peek(), !next.isNewline {
            if next == ":", isBlank(at: position + 1) || isInFlow && isFlowSign(at: position + 1) { break }
            if next == "#", isBlank(at: position - 1) { break }
            if isInFlow, ",[]{}".contains(next) { break }
            advance()
        }
        var text = characters[start..<position]
        while text.last == " " || text.last == "\t" { text.removeLast() }
        scalar(String(text), line: startLine, column: startColumn, length: text.count, isPlain: true)
        // Always go on: a sign that begins no token is the parser's business.
        if position == start { advance() }
    }

    private mutating func quoted(_ quote: Character) {
        let (startColumn, startLine) = (column, line)
        var text = ""
        advance()
        while let next = peek() {
            advance()
            if next == quote {
                guard quote == "'", peek() == "'" else { break }
                advance()
            } else if next == "\\", quote == "\"" {
                text.append(next)
                if let escaped = peek() {
                    text.append(escaped)
                    advance()
                }
                continue
            }
            text.append(next)
        }
        let length = startLine == line ? column - startColumn : 1
        scalar(text, line: startLine, column: startColumn, length: length, isPlain: false)
    }

    /// Skips the lines that belong to `|` and `>`: empty ones, and those indented deeper than the line that began it.
    private mutating func blockScalar() {
        let parent = indentation(ofLineAt: position)
        count()
        skipLine()
        var content: Int?
        while peek() != nil {
            let start = position
            var indent = 0
            while start + indent < characters.count, characters[start + indent] == " " { indent += 1 }
            let isEmpty = start + indent >= characters.count || characters[start + indent].isNewline
            if !isEmpty {
                if content == nil, indent > parent { content = indent }
                guard let least = content, indent >= least else { return }
            }
            skipLine()
            if peek() != nil { advance() }
        }
    }

    // MARK: Structure

    private mutating func scalar(_ text: String, line: Int, column: Int, length: Int, isPlain: Bool) {
        count()
        var ahead = position
        while ahead < characters.count, characters[ahead] == " " { ahead += 1 }
        let isKey =
            ahead < characters.count && characters[ahead] == ":"
            && (isBlank(at: ahead + 1) || isInFlow && (!isPlain || isFlowSign(at: ahead + 1)))
        guard isKey else { return }
        if !isInFlow {
            closeBlocks(below: column)
            if !isOpen(column, forKey: true) { enter(Collection(kind: .block, column: column)) }
        }
        guard let top = open.indices.last else { return }
        var spot = ConfigurationError.Spot(line: line, column: column, length: length)
        if text == "<<", isPlain {
            return report("merge keys are not allowed: <<", "write the entries out, or use extends", line: line, column: column)
        }
        if let first = open[top].keys[text] {
            var error = ConfigurationError(
                file: file, line: line, column: column, message: "`\(text)` is given twice",
                remedy: "again here; keep one")
            spot.source = ""
            error.spot = spot
            error.first = first
            problems.append(error)
        } else {
            open[top].keys[text] = spot
        }
    }

    /// Ends the block collections whose entries stand further right than this column.
    private mutating func closeBlocks(below column: Int) {
        while let last = open.last, last.kind == .block, last.column > column { open.removeLast() }
    }

    private func isOpen(_ column: Int, forKey: Bool = false) -> Bool {
        guard let last = open.last, last.kind == .block else { return false }
        return last.column == column
    }

    private var isInFlow: Bool { open.last?.kind == .flow }

    private mutating func enter(_ collection: Collection) {
        open.append(collection)
        count()
        if open.count > limits.documentDepth, !gaveUp {
            report("values are nested deeper than \(limits.documentDepth) levels", "flatten it (limit L6)")
            gaveUp = true
        }
    }

    private mutating func count() {
        nodes += 1
        if nodes > limits.documentNodes, !gaveUp {
            report("more than \(limits.documentNodes) values", "make it smaller (limit L6)")
            gaveUp = true
        }
    }

    private mutating func report(_ message: String, _ remedy: String, line: Int? = nil, column: Int? = nil) {
        problems.append(
            ConfigurationError(
                file: file, line: line ?? self.line, column: column ?? self.column, message: message, remedy: remedy))
        // A hostile file does not get a megabyte of complaints.
        if problems.count >= 100 { gaveUp = true }
    }

    // MARK: Characters

    private func peek() -> Character? { position < characters.count ? characters[position] : nil }

    private mutating func advance() {
        guard position < characters.count else { return }
        if characters[position].isNewline {
            line += 1
            column = 1
        } else {
            column += 1
        }
        position += 1
    }

    private mutating func skipLine() {
        while let next = peek(), !next.isNewline { advance() }
    }

    /// `---` or `...` alone at the start of a line.
    private func isMarker() -> Bool {
        guard position + 3 <= characters.count, isBlank(at: position + 3) else { return false }
        let word = String(characters[position..<(position + 3)])
        return word == "---" || word == "..."
    }

    private func isBlank(at index: Int) -> Bool {
        index < 0 || index >= characters.count || characters[index].isWhitespace
    }

    private func isFlowSign(at index: Int) -> Bool { index < characters.count && ",[]{}".contains(characters[index]) }

    private func indentation(ofLineAt index: Int) -> Int {
        var start = index
        while start > 0, !characters[start - 1].isNewline { start -= 1 }
        var indent = 0
        while start + indent < characters.count, characters[start + indent] == " " { indent += 1 }
        return indent
    }
}
