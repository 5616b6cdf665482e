import Wire

/// What is valid for a message that was recognised: its `shape` or `schema`, and no other field when it is `closed`.
struct MessageForm: Sendable {
    private let shape: Pattern?
    private let schema: JSONSchema?
    /// What a message may hold at its top, when it is closed.
    private let fields: Set<String>?

    init(_ rule: MessageRule, type: Path?) {
        shape = rule.shape
        schema = rule.schema
        guard rule.closed, let shape = rule.shape else {
            fields = nil
            return
        }
        fields = Set(Self.tops(of: shape.test) + (rule.match.map { Self.tops(of: $0.test) } ?? []) + (type?.tops ?? []))
    }

    private static func tops(of test: Pattern.Test) -> [String] {
        switch test {
        case .fields(let fields): fields.flatMap(\.path.tops)
        case .anyOf(let tests): tests.flatMap(tops)
        case .glob, .regex, .equal, .words: []
        }
    }

    /// Nil when nothing is wrong, or nobody can tell.
    func violation(in message: JSON) -> ShapeViolation? {
        if let found = shape?.breach(in: message) { return found }
        if let fields, case .object(let members) = message, let odd = members.first(where: { !fields.contains($0.key) }) {
            return ShapeViolation(path: odd.key, expected: "<absent>", value: odd.value)
        }
        if case .invalid(let found) = schema?.check(message) { return found }
        return nil
    }
}

extension Pattern {
    /// The first field that does not hold, with the value that is there.
    func breach(in message: JSON) -> ShapeViolation? {
        guard case .fields(let fields) = test else {
            return holds(for: message) ? nil : ShapeViolation(path: "$", expected: text, value: message)
        }
        for field in fields {
            let found = field.path.lookup(in: message)
            guard !field.test.holds(found, at: field.path, true, { _, _ in false }) else { continue }
            let value: JSON? =
                switch found {
                case .absent: nil
                case .one(let value): value
                case .many(let values): values.first { !field.test.holds($0) }
                }
            return ShapeViolation(path: field.path.text, expected: field.test.summary, value: value)
        }
        return nil
    }
}
