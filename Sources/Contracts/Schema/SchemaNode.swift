import Wire

/// One schema as it is evaluated: what its keywords ask of a value.
struct SchemaNode: Sendable {
    /// The schema `false`.
    var refusesAll = false
    var types: SchemaKinds?
    var constant: SchemaChoices?
    var choices: SchemaChoices?
    var required: [String] = []
    /// Asked for in one direction only (`readOnly`, `writeOnly`): their absence is left open.
    var softlyRequired: Set<String> = []
    var properties: [String: Int] = [:]
    /// What members must be that `properties` does not name.
    var additional: Int?
    /// False: an ignored keyword names members too.
    var areMembersKnown = true
    var prefix: [Int] = []
    var items: Int?
    var itemCount = SchemaRange()
    var length = SchemaRange()
    var pattern: SchemaPattern?
    var bounds: [SchemaBound] = []
    var reference: Int?
    var allOf: [Int] = []
    var anyOf: [Int] = []
    var oneOf: [Int] = []
    var not: Int?
    /// Kinds of values of which an ignored keyword could have said something.
    var isOpenFor: SchemaKinds = []
    /// Several schemas may lead here: what was found out about a value is kept.
    var isShared = false

    /// Schemas that are held against the same value.
    var inPlace: [Int] { (reference.map { [$0] } ?? []) + allOf + anyOf + oneOf + (not.map { [$0] } ?? []) }
}

/// Kinds of JSON values; `integer` stands beside `number` as JSON Schema has it.
struct SchemaKinds: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let null = SchemaKinds(rawValue: 1)
    static let boolean = SchemaKinds(rawValue: 2)
    static let integer = SchemaKinds(rawValue: 4)
    static let number = SchemaKinds(rawValue: 8)
    static let string = SchemaKinds(rawValue: 16)
    static let array = SchemaKinds(rawValue: 32)
    static let object = SchemaKinds(rawValue: 64)
    static let all: SchemaKinds = [.null, .boolean, .integer, .number, .string, .array, .object]

    static let words: [(word: String, kind: SchemaKinds)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object),
    ]

    /// `a string or null`
    var phrase: String {
        let names = Self.words.filter { contains($0.kind) }.map { pair in
            switch pair.word {
            case "null": "null"
            case "integer", "array", "object": "an " + pair.word
            default: "a " + pair.word
            }
        }
        return names.isEmpty ? "nothing" : names.joined(separator: " or ")
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(of value: JSON) {
        switch value {
        case .null: self = .null
        case .bool: self = .boolean
        case .number: self = .number
        case .string: self = .string
        case .array: self = .array
        case .object: self = .object
        }
    }
}

/// How many there may be.
struct SchemaRange: Sendable, Hashable {
    var least: Int?
    var most: Int?
}

/// One of `minimum`, `maximum` and their exclusive forms.
struct SchemaBound: Sendable, Hashable {
    enum Relation: String, Sendable { case least, above, most, below }
    var relation: Relation
    var text: String
    var value: JSONNumber

    var phrase: String {
        switch relation {
        case .least: "at least \(text)"
        case .above: "more than \(text)"
        case .most: "at most \(text)"
        case .below: "less than \(text)"
        }
    }

    func holds(for number: JSONNumber) -> Bool {
        switch relation {
        case .least: !number.isLess(than: value)
        case .above: value.isLess(than: number)
        case .most: !value.isLess(than: number)
        case .below: number.isLess(than: value)
        }
    }
}

extension JSONNumber {
    /// Exact, however long they are.
    func isLess(than other: JSONNumber) -> Bool {
        if negative != other.negative { return negative }
        return negative ? other.isSmaller(than: self) : isSmaller(than: other)
    }

    /// Of the magnitudes.
    private func isSmaller(than other: JSONNumber) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        let (mine, theirs) = (digits.count + exponent, other.digits.count + other.exponent)
        return mine != theirs ? mine < theirs : digits.lexicographicallyPrecedes(other.digits)
    }
}
