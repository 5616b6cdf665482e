import Wire

/// What a condition wants of one member of a request, as far as a look at the member alone tells: few requests are what a rule
/// condemns, and most are told from it by one such look.
struct MemberDemand: Sendable {
    /// Into the members that are looked up once for all conditions.
    let member: Int
    private let path: Path
    /// One of these texts; nil = what `words` say.
    private let texts: [String]?
    private let words: [Pattern.TypeWord]
    private let mayBeAbsent: Bool

    /// Those of a condition. Members are added where they are not known.
    /// - Parameter type: what is looked at before.
    static func all(of condition: RejectRule.Condition, but type: Path?, _ members: inout [String]) -> [MemberDemand] {
        guard case .pattern(let pattern) = condition, case .fields(let fields) = pattern.test else { return [] }
        var demands: [MemberDemand] = []
        for field in fields where field.path != type {
            guard let name = field.path.member, isTold(field.test) else { continue }
            let known = members.firstIndex { JSONText.isSame($0, name) }
            if known == nil { members.append(name) }
            demands.append(MemberDemand(known ?? members.count - 1, field))
        }
        return demands
    }

    private static func isTold(_ test: Pattern.Test) -> Bool {
        if case .words = test { return true }
        return test.texts != nil
    }

    private init(_ member: Int, _ field: Pattern.Field) {
        self.member = member
        path = field.path
        texts = field.test.texts
        mayBeAbsent = field.test.admitsAbsent
        if case .words(let words) = field.test { self.words = words.sorted { $0.rawValue < $1.rawValue } } else { words = [] }
    }

    /// False: with this value there, or with none, the condition does not hold.
    func mayBe(_ value: JSON?, _ foreign: ForeignTest) -> Bool {
        guard let value else { return mayBeAbsent }
        guard let texts else { return words.contains { $0.holds(value, at: path, foreign) } }
        guard case .string(let text) = value else { return false }
        // Texts that are the same byte for byte are among those that are equal.
        return texts.contains(text)
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
