/// Whether a rule of `reject` surely holds wherever another does. Errs towards no, also once it has looked long enough:
/// each rule is held against each, and a hostile file may have thousands.
struct Coverage {
    private var steps = 500_000

    mutating func covers(_ mine: RejectRule, _ other: RejectRule) -> Bool {
        guard mine.unless.isEmpty, mine.before == nil, mine.after == nil, mine.run == nil else { return false }
        return other.when.allSatisfy { wanted in mine.when.contains { covers($0, wanted) } }
    }

    private mutating func covers(_ mine: RejectRule.Condition, _ other: RejectRule.Condition) -> Bool {
        switch (mine, other) {
        case (.malformed, .malformed), (.unknown, .unknown), (.invalid, .invalid): true
        case (.pattern(let mine), .pattern(let theirs)): covers(mine.test, theirs.test)
        default: false
        }
    }

    /// Whether every value that passes `other` passes `mine` too. Depth is bounded by the file (trust.md L6).
    private mutating func covers(_ mine: Pattern.Test, _ other: Pattern.Test) -> Bool {
        steps -= 1
        guard steps > 0 else { return false }
        if mine == other { return true }
        switch (mine, other) {
        case (_, .anyOf(let theirs)): return theirs.allSatisfy { covers(mine, $0) }
        case (.anyOf(let mine), _): return mine.contains { covers($0, other) }
        case (.fields(let mine), .fields(let theirs)):
            return mine.allSatisfy { field in
                theirs.contains { $0.path == field.path && covers(field.test, $0.test) }
            }
        case (.glob(let mine), .glob(let theirs)): return theirs.isExact && mine.matches(theirs.text)
        case (.regex(let mine), .glob(let theirs)): return theirs.isExact && mine.matches(theirs.text)
        case (.words(let mine), .words(let theirs)):
            return mine.isSuperset(of: theirs) || mine.contains(.any) && !theirs.contains(.absent)
        case (.words(let mine), .glob(let theirs)):
            let text: Set<Pattern.TypeWord> = theirs.isExact && !theirs.text.isEmpty ? [.text] : []
            return !mine.isDisjoint(with: text.union([.any, .string]))
        default: return false
        }
    }
}
