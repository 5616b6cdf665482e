/// Reads the text of a `Path`.
struct PathParser {
    private let text: String
    private let characters: [Character]
    private let allowsDeep: Bool
    private var position = 0

    init(_ text: String, allowsDeep: Bool) {
        self.text = text
        characters = Array(text)
        self.allowsDeep = allowsDeep
    }

    mutating func parse() throws(PartError) -> [[Path.Step]] {
        if characters.count > 1024 { throw PartError("a path is longer than 1,024 characters") }
        var parts: [[Path.Step]] = []
        while true {
            skipSpaces()
            parts.append(try part())
            skipSpaces()
            guard let next = peek else { return parts }
            guard next == "+" else { throw unexpected(next) }
            position += 1
        }
    }

    private var peek: Character? { position < characters.count ? characters[position] : nil }

    private func peek(_ ahead: Int) -> Character? {
        position + ahead < characters.count ? characters[position + ahead] : nil
    }

    private mutating func skipSpaces() {
        while peek == " " { position += 1 }
    }

    private mutating func part() throws(PartError) -> [Path.Step] {
        var steps: [Path.Step] = []
        guard let first = peek else { throw failure("it is empty or ends in \"+\"", "name a field") }
        if first == "$" {
            position += 1
            if peek == ".", peek(1) != "." { throw failure("it starts at the message already", "leave out \"$.\"") }
        } else if first == "." || first == "[" {
            // Falls into the loop below; a single dot in front is refused there.
            if first == ".", peek(1) != "." { throw failure("it starts with a dot", "leave it out") }
        } else {
            steps.append(.key(try name()))
        }
        while let next = peek, next != " ", next != "+" {
            steps.append(try step(next, isDeepUsed: steps.contains(where: Self.isDeep)))
        }
        return steps
    }

    private mutating func step(_ next: Character, isDeepUsed: Bool) throws(PartError) -> Path.Step {
        switch next {
        case "." where peek(1) == ".":
            guard allowsDeep else { throw failure("\"..\" is allowed in volatile and secrets only") }
            guard !isDeepUsed else { throw failure("\"..\" may stand in it once") }
            position += 2
            return .deep(try name())
        case ".":
            position += 1
            return .key(try name())
        case "[": return try bracket()
        case "|":
            position += 1
            return .filter(try filter())
        default: throw unexpected(next)
        }
    }

    private static func isDeep(_ step: Path.Step) -> Bool {
        if case .deep = step { true } else { false }
    }

    private mutating func name() throws(PartError) -> String {
        guard let first = peek else { throw failure("a name is missing at its end") }
        guard Self.startsName(first) else { throw unexpected(first) }
        var name = String(first)
        position += 1
        while let next = peek, Self.startsName(next) || Self.isDigit(next) || next == "-" {
            name.append(next)
            position += 1
        }
        return name
    }

    private mutating func filter() throws(PartError) -> PathFilter {
        let word = try name()
        guard let filter = PathFilter(rawValue: word) else {
            let known = PathFilter.allCases.map(\.rawValue)
            throw failure("\"|\(word)\" is not a filter", Nearest.remedy(for: word, among: known))
        }
        return filter
    }

    private mutating func bracket() throws(PartError) -> Path.Step {
        position += 1
        if peek == "*", peek(1) == "]" {
            position += 2
            return .each
        }
        if peek == "\"" { return .key(try quoted()) }
        var digits = ""
        while let next = peek, next != "]" {
            digits.append(next)
            position += 1
        }
        guard peek == "]" else { throw failure("\"[\" is never closed") }
        position += 1
        guard let index = Int(digits), digits.first != "+" else {
            throw failure("[\(digits)] is neither a number nor *", "write [\"\(digits)\"] for a field")
        }
        return .index(index)
    }

    private mutating func quoted() throws(PartError) -> String {
        position += 1
        var name = ""
        while let next = peek, next != "\"" {
            position += 1
            if next == "\\", let escaped = peek {
                position += 1
                name.append(escaped)
            } else {
                name.append(next)
            }
        }
        guard peek == "\"", peek(1) == "]" else { throw failure("[\" is never closed", "end it with \"]") }
        position += 2
        return name
    }

    private func failure(_ reason: String, _ remedy: String? = nil) -> PartError {
        PartError("path \"\(text)\": \(reason)", remedy: remedy)
    }

    private func unexpected(_ character: Character) -> PartError {
        failure("\"\(character)\" is no part of a name", "write odd names as [\"odd.name\"]")
    }

    private static func startsName(_ c: Character) -> Bool {
        ("a"..."z").contains(c) && c.isASCII || ("A"..."Z").contains(c) && c.isASCII || c == "_"
    }

    private static func isDigit(_ c: Character) -> Bool { ("0"..."9").contains(c) && c.isASCII }
}
