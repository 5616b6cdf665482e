import Wire

/// What the messages of one type looked like.
struct KindTally: Sendable {
    let name: String
    private(set) var count = 0
    /// In the order in which they were first seen.
    private(set) var fields: [FieldTally] = []
    private var index: [String: Int] = [:]
    private(set) var isCut = false

    init(name: String) { self.name = name }

    mutating func take(_ message: JSON, _ scale: InferenceScale) {
        count += 1
        walk(message, "", scale.fieldDepth, scale)
    }

    private mutating func walk(_ value: JSON, _ outer: String, _ depth: Int, _ scale: InferenceScale) {
        guard depth > 0, case .object(let members) = value else { return }
        for member in members.prefix(4 * scale.fieldsOfKind) {
            guard let step = InferredName.step(member.key) else { continue }
            let path = InferredName.join(outer, step)
            let place: Int
            if let known = index[path] { place = known } else {
                guard fields.count < scale.fieldsOfKind else {
                    isCut = true
                    continue
                }
                place = fields.count
                index[path] = place
                fields.append(FieldTally(path: path, outer: outer))
            }
            fields[place].take(member.value, message: count, scale)
            walk(member.value, path, depth - 1, scale)
        }
    }

    subscript(_ path: String) -> FieldTally? { index[path].map { fields[$0] } }

    /// Whether the field stood in every message of this type and was never null.
    func isAlways(_ field: FieldTally) -> Bool { field.present == count && field.nulls == 0 }
}

/// What stood at one place of a type's messages.
struct FieldTally: Sendable {
    let path: String
    /// The object that it stands in: `error` of `error.code`.
    let outer: String
    private(set) var present = 0
    private(set) var nulls = 0
    private(set) var kinds: Set<String> = []
    private(set) var isEmptyText = false
    private(set) var instants = 0
    /// Values with how often each was said, while they are few.
    private(set) var values: [(value: String, count: Int)] = []
    private(set) var isMany = false
    private var last = 0

    static let few = 16

    init(path: String, outer: String) {
        self.path = path
        self.outer = outer
    }

    /// - Parameter message: its number, so that a key that is given twice counts once.
    mutating func take(_ value: JSON, message: Int, _ scale: InferenceScale) {
        guard message != last else { return }
        last = message
        present += 1
        if value.isNull {
            nulls += 1
            return
        }
        kinds.insert(value.kind)
        if value.string == "" { isEmptyText = true }
        if InferredName.isInstant(value) { instants += 1 }
        note(value, scale)
    }

    private mutating func note(_ value: JSON, _ scale: InferenceScale) {
        guard !isMany else { return }
        let text: String
        switch value {
        case .string(let string): text = string
        case .number, .bool: text = value.canonical
        default:
            isMany = true
            return
        }
        if let place = values.firstIndex(where: { $0.value == text }) {
            values[place].count += 1
        } else if values.count < Self.few, text.utf8.count <= scale.longestName {
            values.append((text, 1))
        } else {
            isMany = true
            values = []
        }
    }

    /// Its type word, and whether it always is what it was. Numbers are numbers: who sends 3 may send 3.5.
    var word: String? {
        guard kinds.count == 1, let kind = kinds.first else { return nil }
        return kind
    }
}
