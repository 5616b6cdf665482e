import Journaling
package import Wire

/// Says whether a value at that path is an identifier known to belong to another user.
package typealias ForeignTest = (Path, JSON) -> Bool

/// A test of a value (contract.md, "Pattern"); used by `match`, `when`, `shape` and by a profile's `match` alike.
package struct Pattern: Sendable, Hashable {
    /// As written, on one line, for messages.
    package let text: String
    package let test: Test

    /// The closed list of tests. Depth is bounded by the file that holds it (trust.md L6).
    package indirect enum Test: Sendable, Hashable {
        /// Every path must hold, other fields are free.
        case fields([Field])
        case anyOf([Test])
        case glob(Glob)
        case regex(LinearRegex)
        /// A value equal in canonical form: numbers, `true`, `null`, and `is:` strings.
        case equal(JSON)
        case words(Set<TypeWord>)
    }

    package struct Field: Sendable, Hashable {
        package var path: Path
        package var test: Test
    }

    /// What may stand between `<` and `>`.
    package enum TypeWord: String, Sendable, Hashable, CaseIterable {
        case any, absent, null, string, text, number, integer, boolean, object, array, foreign
    }

    package init(text: String, test: Test) {
        self.text = text
        self.test = test
    }

    /// True when `<foreign>` occurs in it: what it says then depends on what was learnt before.
    package var asksForeign: Bool { test.contains { $0.contains(.foreign) } }

    /// - Parameter hidden: whether what redaction hides is taken for what the test wants. In recognition and shapes it is, as
    ///   the peer who sees it must be trusted; what condemns a message has to be seen.
    package func holds(for message: JSON, hidden: Bool = true, foreign: ForeignTest = { _, _ in false }) -> Bool {
        test.holds(one: message, at: .whole, hidden, foreign)
    }

    /// The first path that does not hold, with what is wanted there: `error: <text>`. Nil when the pattern holds.
    package func violation(in message: JSON, foreign: ForeignTest = { _, _ in false }) -> String? {
        guard case .fields(let fields) = test else {
            return holds(for: message, foreign: foreign) ? nil : text
        }
        let failing = fields.first { !$0.test.holds($0.path.lookup(in: message), at: $0.path, true, foreign) }
        return failing.map { "\($0.path.text): \($0.test.summary)" }
    }
}

extension Pattern.Test {
    /// Whether one value that is there passes, without knowing which identifiers are foreign.
    package func holds(_ value: JSON) -> Bool { holds(one: value, at: .whole, true) { _, _ in false } }

    /// - Parameter found: what the path yielded, nulls included.
    func holds(_ found: Path.Lookup, at path: Path, _ hidden: Bool, _ foreign: ForeignTest) -> Bool {
        switch found {
        case .absent: admitsAbsent
        case .one(let value): holds(one: value, at: path, hidden, foreign)
        case .many(let values): values.isEmpty ? admitsAbsent : values.allSatisfy { holds(one: $0, at: path, hidden, foreign) }
        }
    }

    package var admitsAbsent: Bool {
        switch self {
        case .words(let words): words.contains(.absent)
        case .anyOf(let tests): tests.contains(where: \.admitsAbsent)
        case .fields, .glob, .regex, .equal: false
        }
    }

    fileprivate func holds(one value: JSON, at path: Path, _ hidden: Bool, _ foreign: ForeignTest) -> Bool {
        let fits = fits(value, at: path, hidden, foreign)
        // Most fit a shape and few what condemns them: seldom does one have to be looked through.
        if fits != hidden, !asksNothing, case .string(let text) = value, Redactor.mayBeRedacted(text) { return hidden }
        return fits
    }

    private func fits(_ value: JSON, at path: Path, _ hidden: Bool, _ foreign: ForeignTest) -> Bool {
        switch self {
        case .fields(let fields):
            return fields.allSatisfy { field in
                field.test.holds(field.path.lookup(in: value), at: field.path.below(path), hidden, foreign)
            }
        case .anyOf(let tests): return tests.contains { $0.holds(one: value, at: path, hidden, foreign) }
        case .glob(let glob):
            guard case .string(let text) = value else { return false }
            return glob.matches(text)
        case .regex(let regex):
            guard case .string(let text) = value else { return false }
            // Of what cannot be told nobody says that it is wrong.
            return regex.decides(text) ?? hidden
        case .equal(let wanted): return wanted.isSame(as: value)
        case .words(let words): return words.contains { $0.holds(value, at: path, foreign) }
        }
    }

    /// Steps of the expressions in it.
    var sizeOfExpressions: Int {
        switch self {
        case .fields(let fields): fields.reduce(0) { $0 + $1.test.sizeOfExpressions }
        case .anyOf(let tests): tests.reduce(0) { $0 + $1.sizeOfExpressions }
        case .regex(let regex): regex.program.count
        case .glob, .equal, .words: 0
        }
    }

    /// Whatever stands there passes.
    private var asksNothing: Bool { if case .words(let words) = self { words.contains(.any) } else { false } }

    func contains(_ wanted: (Set<Pattern.TypeWord>) -> Bool) -> Bool {
        switch self {
        case .fields(let fields): fields.contains { $0.test.contains(wanted) }
        case .anyOf(let tests): tests.contains { $0.contains(wanted) }
        case .words(let words): wanted(words)
        case .glob, .regex, .equal: false
        }
    }

    /// One line for people.
    var summary: String {
        switch self {
        case .fields(let fields): "{ " + fields.map { "\($0.path.text): \($0.test.summary)" }.joined(separator: ", ") + " }"
        case .anyOf(let tests): "[" + tests.map(\.summary).joined(separator: ", ") + "]"
        case .glob(let glob): glob.text
        case .regex(let regex): "re:" + regex.text
        case .equal(.string(let text)): "is:" + text
        case .equal(let value): value.text
        case .words(let words):
            "<" + Pattern.TypeWord.allCases.filter(words.contains).map(\.rawValue).joined(separator: "|") + ">"
        }
    }
}

extension Pattern.TypeWord {
    func holds(_ value: JSON, at path: Path, _ foreign: ForeignTest) -> Bool {
        switch (self, value) {
        case (.any, _): true
        case (.absent, _): false
        case (.null, .null): true
        case (.string, .string): true
        case (.text, .string(let text)): !text.isEmpty
        case (.number, .number): true
        case (.integer, .number(let text)): Self.isInteger(text)
        case (.boolean, .bool): true
        case (.object, .object): true
        case (.array, .array): true
        case (.foreign, _): value != .null && foreign(path, value)
        default: false
        }
    }

    /// 1, 1.0 and 10e-1 are integers; 1.5 is not. Decided on the text, so that no size is lost.
    private static func isInteger(_ text: String) -> Bool { JSONNumber(text).map { $0.exponent >= 0 } ?? false }
}
