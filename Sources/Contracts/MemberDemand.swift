import Wire

/// What a condition wants of one member of a request, as far as a look at the member alone tells: few requests are what a rule
/// condemns, and most are told from it by one such look.
struct MemberDemand: Sendable {
    /// Into the members that are looked up once for all conditions.
    let member: Int
    /// One of these texts; nil = what `words` say.
    private let texts: [String]?
    private let words: Set<Pattern.TypeWord>

    /// By rule and condition; and the names of the members.
    /// - Parameter type: what is looked at before.
    static func all(in rules: [RejectRule], but type: Path?) -> (demands: [[[MemberDemand]]], members: [String]) {
        var members: [String] = []
        let demands = rules.map { rule in
            rule.when.map { condition -> [MemberDemand] in
                guard case .pattern(let pattern) = condition, case .fields(let fields) = pattern.test else { return [] }
                return fields.compactMap { field in
                    guard field.path != type, let name = field.path.member, isTold(field.test) else { return nil }
                    let known = members.firstIndex(of: name)
                    if known == nil { members.append(name) }
                    return MemberDemand(known ?? members.count - 1, field.test)
                }
            }
        }
        return (demands, members)
    }

    private static func isTold(_ test: Pattern.Test) -> Bool {
        if case .words = test { return true }
        return test.texts != nil
    }

    private init(_ member: Int, _ test: Pattern.Test) {
        self.member = member
        texts = test.texts
        if case .words(let words) = test { self.words = words } else { words = [] }
    }

    /// False: with this value there, or with none, the condition does not hold.
    func mayBe(_ value: JSON?) -> Bool {
        guard let texts else { return mayBeOfWords(value) }
        guard case .string(let text)? = value else { return false }
        // Texts that are the same byte for byte are among those that are equal.
        return texts.contains(text)
    }

    private func mayBeOfWords(_ value: JSON?) -> Bool {
        guard let value else { return words.contains(.absent) }
        // Whose it is, is asked of what is known.
        return words.contains { $0.holds(value, at: .whole) { _, _ in true } }
    }
}

extension Pattern.Test {
    /// The texts of which a value must be one; nil = that is not all that is asked, or something else.
    var texts: [String]? {
        switch self {
        case .glob(let glob): return glob.isExact ? [glob.text] : nil
        case .equal(.string(let text)): return [text]
        case .anyOf(let tests):
            var texts: [String] = []
            for test in tests {
                guard let more = test.texts else { return nil }
                texts += more
            }
            return texts
        case .fields, .regex, .equal, .words: return nil
        }
    }
}
