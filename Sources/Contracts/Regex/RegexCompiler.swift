/// Turns the text of an expression into a program, without a tree and without recursion: an open bracket pushes a
/// frame, its closing pops it.
struct RegexCompiler {
    private(set) var groups: [String] = []
    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var frames: [Frame] = [Frame(group: nil)]

    /// A program of more steps than this is refused: time is this times the text.
    static let maximumProgram = 2_000
    static let maximumPattern = 16_384

    private typealias Code = [RegexInstruction]

    /// One bracket that is still open.
    private struct Frame {
        /// Number of the named group, nil for the others.
        var group: Int?
        var alternatives: [Code] = []
        /// Steps of all alternatives so far, with those that choose between them.
        var size = 0
        /// What stands before the last atom of this alternative, and that atom, which a quantifier may repeat.
        var sequence: Code = []
        var atom: Code?

        mutating func push(_ code: Code) {
            sequence += atom ?? []
            atom = code
        }
        mutating func endAlternative() {
            alternatives.append(sequence + (atom ?? []))
            size += 2 + (alternatives.last?.count ?? 0)
            sequence = []
            atom = nil
        }
    }

    init(_ text: String) { pattern = Array(text.unicodeScalars) }

    mutating func compile() throws(PartError) -> [RegexInstruction] {
        if pattern.count > Self.maximumPattern {
            throw PartError("re: it is longer than 16,384 characters", remedy: "make it shorter")
        }
        while position < pattern.count { try element() }
        guard frames.count == 1 else { throw PartError("re: \"(\" is never closed") }
        return try joined(closeFrame() + [.match])
    }

    private var peek: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    private mutating func take() -> Unicode.Scalar? {
        defer { position += 1 }
        return peek
    }

    private mutating func eat(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard pattern[min(position, pattern.count)...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func push(_ code: [RegexInstruction]) throws(PartError) {
        guard let top = frames.indices.last else { return }
        frames[top].push(code)
        if frames[top].sequence.count > Self.maximumProgram { throw Self.tooLarge }
    }

    private static let tooLarge = PartError(
        "re: it needs more than 2,000 steps", remedy: "repeat less, or split it into alternatives")

    private mutating func element() throws(PartError) {
        guard let scalar = take() else { return }
        switch scalar {
        case "(": try open()
        case ")":
            guard frames.count > 1 else { throw PartError("re: \")\" closes nothing", remedy: "write \\)") }
            try push(closeFrame())
        case "|":
            guard let top = frames.indices.last else { return }
            frames[top].endAlternative()
            // Joining them costs their number times their size: checked before, not after.
            if frames[top].size > Self.maximumProgram { throw Self.tooLarge }
        case "*": try quantify(0, nil, "*")
        case "+": try quantify(1, nil, "+")
        case "?": try quantify(0, 1, "?")
        case "{": try counted()
        case ".": try push([.any])
        case "^": try push([.assert(.start)])
        case "$": try push([.assert(.end)])
        case "[": try push([.set(try RegexClassParser.parse(pattern, &position))])
        case "\\": try push([try escape()])
        default: try push([.scalar(scalar.value)])
        }
    }

    private mutating func open() throws(PartError) {
        if frames.count > 64 { throw PartError("re: brackets are nested deeper than 64") }
        guard eat("?") else {
            frames.append(Frame(group: nil))
            return
        }
        if eat(":") {
            frames.append(Frame(group: nil))
        } else if eat("=") || eat("!") {
            throw PartError("re: look-ahead is not supported")
        } else if eat("<=") || eat("<!") {
            throw PartError("re: look-behind is not supported")
        } else if eat("<") || eat("P<") {
            frames.append(Frame(group: try groupName()))
        } else if eat(">") {
            throw PartError("re: atomic groups are not supported", remedy: "write (?:…)")
        } else {
            throw PartError("re: flags and conditions in (?…) are not supported")
        }
    }

    private mutating func groupName() throws(PartError) -> Int {
        var name = ""
        while let scalar = peek, RegexSet.word.contains(scalar.value) {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard !name.isEmpty, eat(">") else {
            throw PartError("re: a group's name is letters and digits", remedy: "write (?<name>…)")
        }
        guard !groups.contains(name) else { throw PartError("re: two groups are called \(name)") }
        guard groups.count < 32 else { throw PartError("re: more than 32 named groups") }
        groups.append(name)
        return groups.count - 1
    }

    private mutating func closeFrame() -> [RegexInstruction] {
        guard var frame = frames.popLast() else { return [] }
        frame.endAlternative()
        var code = frame.alternatives.last ?? []
        for alternative in frame.alternatives.dropLast().reversed() {
            code =
                [.split(first: 1, second: alternative.count + 2)] + alternative + [.jump(code.count + 1)] + code
        }
        if let group = frame.group { code = [.save(2 * group)] + code + [.save(2 * group + 1)] }
        return code
    }

    private func joined(_ code: [RegexInstruction]) throws(PartError) -> [RegexInstruction] {
        if code.count > Self.maximumProgram { throw Self.tooLarge }
        return code
    }

    /// `{n}`, `{n,}`, `{n,m}`; any other brace is a literal, as it is in most dialects.
    private mutating func counted() throws(PartError) {
        let start = position
        let low = number()
        var high = low
        if low != nil, eat(",") { high = number() ?? (peek == "}" ? -1 : nil) }
        guard let low, let high, eat("}") else {
            position = start
            return try push([.scalar(Unicode.Scalar("{").value)])
        }
        if high >= 0, high < low { throw PartError("re: {\(low),\(high)} counts down") }
        try quantify(low, high < 0 ? nil : high, "{\(low)}")
    }

    private mutating func number() -> Int? {
        var digits = ""
        while let scalar = peek, ("0"..."9").contains(scalar), digits.count < 6 {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        return Int(digits)
    }

    private mutating func quantify(_ low: Int, _ high: Int?, _ sign: String) throws(PartError) {
        guard let top = frames.indices.last, let atom = frames[top].atom else {
            throw PartError("re: \"\(sign)\" repeats nothing", remedy: "write \\\(sign)")
        }
        let lazy = eat("?")
        if !lazy, eat("+") { throw PartError("re: possessive repetition is not supported") }
        if let next = peek, next == "*" || next == "+" {
            throw PartError("re: \"\(next)\" repeats a repetition", remedy: "put it into (?:…)")
        }
        let copies = max(low, high ?? low + 1)
        guard (atom.count + 2).multipliedReportingOverflow(by: copies + 1).partialValue <= 4 * Self.maximumProgram else {
            throw Self.tooLarge
        }
        var code: Code = []
        for _ in 0..<low { code += atom }
        if let high {
            // Each optional copy may leave to the end of all of them.
            let each = atom.count + 1
            for copy in 0..<(high - low) {
                code.append(Self.split(take: 1, leave: (high - low - copy) * each, lazy: lazy))
                code += atom
            }
        } else {
            code.append(Self.split(take: 1, leave: atom.count + 2, lazy: lazy))
            code += atom
            code.append(.jump(-(atom.count + 1)))
        }
        frames[top].atom = nil
        frames[top].sequence += code
        if frames[top].sequence.count > Self.maximumProgram { throw Self.tooLarge }
    }

    private static func split(take: Int, leave: Int, lazy: Bool) -> RegexInstruction {
        lazy ? .split(first: leave, second: take) : .split(first: take, second: leave)
    }

    private mutating func escape() throws(PartError) -> RegexInstruction {
        guard let scalar = peek else { throw PartError("re: it ends in a backslash") }
        switch scalar {
        case "1"..."9", "k": throw PartError("re: back-references are not supported")
        case "b":
            position += 1
            return .assert(.wordBoundary)
        case "B":
            position += 1
            return .assert(.noWordBoundary)
        default:
            let set = try RegexClassParser.escape(pattern, &position)
            guard set.ranges.count == 1, let only = set.ranges.first, only.count == 1 else { return .set(set) }
            return .scalar(only.lowerBound)
        }
    }
}
