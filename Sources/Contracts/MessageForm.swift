import Wire

/// What is valid for a message that was recognised: its `shape` or `schema`, and no other field when it is `closed`.
final class MessageForm: Sendable {
    private let shape: Pattern?
    /// Of each field of the shape, what passes without a closer look: of those that have a place in the table, and of others.
    private let members: [(slot: Int, kinds: ValueKinds)]
    private let others: [(path: Path, kinds: ValueKinds)]
    /// Nothing but the fields of its shape can be wrong.
    private let isShapeAll: Bool
    private let schema: JSONSchema?
    /// What a message may hold at its top, when it is closed.
    private let fields: Set<String>?

    /// - Parameter members: where `paths` have their places.
    init(_ rule: MessageRule, type: Path?, _ members: MemberTable) {
        shape = rule.shape
        let fields = Self.fields(of: rule)
        self.members = fields.compactMap { field in
            if case .found(let slot) = members.entry(field.path) { (slot, field.test.kinds) } else { nil }
        }
        others = fields.compactMap { field in
            if case .path(let path) = members.entry(field.path) { (path, field.test.kinds) } else { nil }
        }
        isShapeAll = Self.isListed(rule) && rule.schema == nil && !rule.closed
        schema = rule.schema
        guard rule.closed, let shape = rule.shape else {
            self.fields = nil
            return
        }
        self.fields = Set(Self.tops(of: shape.test) + (rule.match.map { Self.tops(of: $0.test) } ?? []) + (type?.tops ?? []))
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

extension MessageForm {
    /// Every field of its shape is of a kind that passes whatever it says, and nothing else is asked. Most messages are as
    /// they should be, and most shapes ask for no more.
    func isPlainlyFit(_ found: Members) -> Bool {
        guard isShapeAll else { return false }
        for check in members where check.kinds.isDisjoint(with: found.kind(check.slot)) { return false }
        for check in others {
            switch check.path.lookup(in: found.message) {
            case .one(let value): if check.kinds.isDisjoint(with: ValueKinds(of: value)) { return false }
            case .absent: if !check.kinds.contains(.absent) { return false }
            case .many: return false
            }
        }
        return true
    }

    /// Where it looks.
    static func paths(of rule: MessageRule) -> [Path] { fields(of: rule).map(\.path) }

    private static func fields(of rule: MessageRule) -> [Pattern.Field] {
        if case .fields(let fields)? = rule.shape?.test { fields } else { [] }
    }

    /// Its shape, if it has one, is a list of fields.
    private static func isListed(_ rule: MessageRule) -> Bool {
        guard let shape = rule.shape else { return true }
        return if case .fields = shape.test { true } else { false }
    }
}

/// Kinds of values that can be told apart at a glance.
struct ValueKinds: OptionSet, Sendable {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }

    static let absent = ValueKinds(rawValue: 1)
    static let null = ValueKinds(rawValue: 2)
    static let emptyText = ValueKinds(rawValue: 4)
    static let text = ValueKinds(rawValue: 8)
    static let number = ValueKinds(rawValue: 16)
    static let boolean = ValueKinds(rawValue: 32)
    static let object = ValueKinds(rawValue: 64)
    static let array = ValueKinds(rawValue: 128)

    @inline(__always)
    init(of value: JSON) {
        switch value {
        case .null: self = .null
        case .bool: self = .boolean
        case .number: self = .number
        case .string(let text): self = text.isEmpty ? .emptyText : .text
        case .array: self = .array
        case .object: self = .object
        }
    }
}

extension Pattern.Test {
    /// What passes for its kind alone. More may pass.
    fileprivate var kinds: ValueKinds {
        switch self {
        case .words(let words): words.reduce(into: []) { $0.formUnion($1.kinds) }
        case .anyOf(let tests): tests.reduce(into: []) { $0.formUnion($1.kinds) }
        case .fields, .glob, .regex, .equal: []
        }
    }
}

extension Pattern.TypeWord {
    fileprivate var kinds: ValueKinds {
        switch self {
        case .any: [.null, .emptyText, .text, .number, .boolean, .object, .array]
        case .absent: .absent
        case .null: .null
        case .string: [.emptyText, .text]
        case .text: .text
        case .number: .number
        case .boolean: .boolean
        case .object: .object
        case .array: .array
        case .integer, .foreign: []
        }
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
