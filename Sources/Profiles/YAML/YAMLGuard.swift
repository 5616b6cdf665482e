import Contracts
import Journaling

/// Looks over a YAML text before the real parser sees it (trust.md T27): anchors, aliases, tags, merge keys and repeated
/// keys are found with their places, and depth and number of values are bounded, in one pass over the bytes.
/// It knows just enough of YAML for that: quotes, block scalars, comments, flow and block collections.
struct YAMLGuard {
    private(set) var problems: [ConfigurationError] = []
    private var cursor: ByteCursor
    private let file: String
    private let limits: Limits
    private var nodes = 0
    private var open: [Collection] = []
    private var gaveUp = false

    /// A mapping or sequence whose end was not seen yet.
    private struct Collection {
        var isFlow: Bool
        /// Block: where its entries begin.
        var column: Int
        /// Position of each key.
        var keys: [ArraySlice<UInt8>: ByteCursor.Place] = [:]
    }

    /// Complaints about one file; a hostile one does not get a megabyte of them.
    private static let most = 100

    init(_ text: String, file: String, limits: Limits) {
        cursor = ByteCursor(Array(text.utf8))
        self.file = file
        self.limits = limits
    }

    mutating func scan() {
        refuseSeparators()
        // Lines would be counted otherwise from there on.
        guard problems.isEmpty else { return }
        var isLineStart = true
        while let next = cursor.peek, !gaveUp {
            if next.isBreak {
                cursor.advance()
                isLineStart = true
            } else if next.isBlank {
                cursor.advance()
            } else if next == .hash, isLineStart || cursor.isSpace(-1) {
                cursor.skipLine()
            } else if isLineStart, cursor.column == 1, isMarker {
                cursor.skipLine()
                open.removeAll()
            } else if next == UInt8(ascii: "%"), cursor.column == 1 {
                cursor.skipLine()
            } else {
                isLineStart = false
                token(next)
            }
        }
    }

    // MARK: Tokens

    private mutating func token(_ next: UInt8) {
        switch next {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            enter(Collection(isFlow: true, column: 0))
            cursor.advance()
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            cursor.advance()
            if isInFlow { open.removeLast() }
        case UInt8(ascii: ","), .colon: cursor.advance()
        case UInt8(ascii: "-") where !isInFlow && cursor.isSpace(1):
            enterBlock(at: cursor.column)
            count()
            cursor.advance()
        case UInt8(ascii: "?") where cursor.isSpace(1):
            report("a \"?\" in front of a key is not supported", "write KEY: VALUE", cursor.place)
            cursor.advance()
        case UInt8(ascii: "&"), .star, UInt8(ascii: "!"): forbidden(next)
        case UInt8(ascii: "|") where !isInFlow, UInt8(ascii: ">") where !isInFlow: blockScalar()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): quoted(next)
        default: plain()
        }
    }

    private mutating func forbidden(_ sign: UInt8) {
        let place = cursor.place
        while let next = cursor.peek, !next.isBlank, !next.isBreak, !isInFlow || !next.isFlowSign { cursor.advance() }
        let word = String(decoding: cursor.bytes[place.position..<cursor.position].prefix(40), as: UTF8.self)
        if sign == .star, word == "*" || word == "*:" || word.dropFirst().contains("*") {
            let bare = word.hasSuffix(":") ? String(word.dropLast()) : word
            report("\"*\" at the start must be quoted: \"\(bare)\"", "", place)
        } else {
            let name = sign == .star ? "aliases" : sign == UInt8(ascii: "!") ? "tags" : "anchors"
            let remedy = sign == UInt8(ascii: "!") ? "leave it out" : "write the value out"
            report("\(name) are not allowed: \(word)", "\(remedy), or put quotes around it if it is text", place)
        }
    }

    /// A plain scalar on this line; a key when a colon follows.
    private mutating func plain() {
        let place = cursor.place
        while let next = cursor.peek, !next.isBreak {
            if next == .colon, cursor.isSpace(1) || isInFlow && cursor.isFlowSign(1) { break }
            if next == .hash, cursor.isSpace(-1) { break }
            if isInFlow, next.isFlowSign { break }
            cursor.advance()
        }
        var text = cursor.bytes[place.position..<cursor.position]
        while text.last?.isBlank == true { text.removeLast() }
        scalar(text, place, isPlain: true)
        // Always go on: a sign that begins no token is the parser's business.
        if cursor.position == place.position { cursor.advance() }
    }

    private mutating func quoted(_ quote: UInt8) {
        let place = cursor.place
        cursor.advance()
        let start = cursor.position
        var end = start
        while let next = cursor.peek {
            cursor.advance()
            if next == quote {
                guard quote == UInt8(ascii: "'"), cursor.peek == quote else { break }
                cursor.advance()
            } else if next == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                cursor.advance()
            }
            end = cursor.position
        }
        scalar(cursor.bytes[start..<end], place, isPlain: false)
    }

    /// Skips the lines that belong to `|` and `>`: empty ones, and those indented deeper than what holds the scalar.
    private mutating func blockScalar() {
        let parent = (open.last?.column ?? 0) - 1
        count()
        cursor.advance()
        var content: Int?
        // `|2-`: how much deeper, if that is said.
        while let sign = cursor.peek, !sign.isBreak, !sign.isBlank {
            if sign >= UInt8(ascii: "1"), sign <= UInt8(ascii: "9") { content = max(0, parent) + Int(sign - UInt8(ascii: "0")) }
            cursor.advance()
        }
        cursor.skipLine()
        cursor.advance()
        while cursor.peek != nil {
            let indent = cursor.blanksAhead
            let isEmpty = cursor.peek(indent).map(\.isBreak) ?? true
            if !isEmpty {
                if content == nil, indent > parent { content = indent }
                guard let least = content, indent >= least else { return }
            }
            cursor.skipLine()
            cursor.advance()
        }
    }

    /// YAML 1.1 takes U+0085, U+2028 and U+2029 for line ends, nobody else does: they would hide what stands behind them.
    private mutating func refuseSeparators() {
        var look = cursor
        while let next = look.peek, !gaveUp {
            let following = (look.peek(1), look.peek(2))
            let name: String? =
                switch (next, following) {
                case (0xc2, (0x85, _)): "0085"
                case (0xe2, (0x80, 0xa8)): "2028"
                case (0xe2, (0x80, 0xa9)): "2029"
                default: nil
                }
            if let name {
                report("the character U+\(name) ends a line for some readers only", "write \"\\u\(name)\" in double quotes", look.place)
            }
            look.advance()
        }
    }

    // MARK: Structure

    private mutating func scalar(_ text: ArraySlice<UInt8>, _ place: ByteCursor.Place, isPlain: Bool) {
        count()
        let ahead = cursor.blanksAhead
        let isKey =
            cursor.peek(ahead) == .colon && (cursor.isSpace(ahead + 1) || isInFlow && (!isPlain || cursor.isFlowSign(ahead + 1)))
        guard isKey else { return }
        if !isInFlow { enterBlock(at: place.column) }
        guard let top = open.indices.last, !gaveUp else { return }
        if isPlain, text.elementsEqual("<<".utf8) {
            return report("merge keys are not allowed: <<", "write the entries out, or use extends", place)
        }
        guard let first = open[top].keys[text] else {
            open[top].keys[text] = place
            return
        }
        let name = String(decoding: text.prefix(64), as: UTF8.self)
        report("`\(name)` is given twice", "again here; keep one", place, first: first)
    }

    /// Ends the block collections whose entries stand further right than this column, and begins one there if none is.
    private mutating func enterBlock(at column: Int) {
        while let last = open.last, !last.isFlow, last.column > column { open.removeLast() }
        if let last = open.last, !last.isFlow, last.column == column { return }
        enter(Collection(isFlow: false, column: column))
    }

    private var isInFlow: Bool { open.last?.isFlow ?? false }

    private mutating func enter(_ collection: Collection) {
        open.append(collection)
        count()
        if open.count > limits.documentDepth, !gaveUp {
            report("values are nested deeper than \(limits.documentDepth) levels", "flatten it (limit L6)", cursor.place)
            gaveUp = true
        }
    }

    private mutating func count() {
        nodes += 1
        if nodes > limits.documentNodes, !gaveUp {
            report("more than \(limits.documentNodes) values", "make it smaller (limit L6)", cursor.place)
            gaveUp = true
        }
    }

    private mutating func report(
        _ message: String, _ remedy: String, _ place: ByteCursor.Place, first: ByteCursor.Place? = nil
    ) {
        var error = ConfigurationError(
            file: file, line: place.line, column: cursor.character(place), message: message, remedy: remedy)
        error.first = first.map { .init(line: $0.line, column: cursor.character($0)) }
        problems.append(error)
        if problems.count >= Self.most { gaveUp = true }
    }

    /// `---` or `...` alone at the start of a line.
    private var isMarker: Bool {
        guard cursor.isSpace(3) else { return false }
        let word = (0..<3).map { cursor.peek($0) }
        return word.allSatisfy { $0 == UInt8(ascii: "-") } || word.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}
