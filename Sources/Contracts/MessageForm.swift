import Wire

/// What is valid for a message that was recognised: its `shape` or `schema`, and no other field when it is `closed`.
struct MessageForm: Sendable {
    private let shape: Pattern?
    private let schema: JSONSchema?
    private let closed: ClosedFields?

    init(_ rule: MessageRule, type: Path?) {
        shape = rule.shape
        schema = rule.schema
        closed = rule.closed ? ClosedFields([rule.match, rule.shape].compactMap { $0 }, type.map { [$0] } ?? []) : nil
    }

    /// Nil when nothing is wrong, or nobody can tell.
    func violation(in message: JSON) -> ShapeViolation? {
        if let found = shape?.breach(in: message) ?? closed?.violation(in: message) { return found }
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

/// The fields that a closed message may have: those that its patterns name, and where the message has an object whose
/// fields they name, these and no others in it.
struct ClosedFields: Sendable {
    private struct Node: Sendable {
        var members: [String: Int] = [:]
        /// Of an array, each.
        var elements: Int?
        /// Anything may stand in it.
        var isOpen = false
    }
    private var nodes = [Node()]

    init(_ patterns: [Pattern], _ paths: [Path]) {
        for path in paths { add(path, nil, below: [0]) }
        for pattern in patterns { add(pattern.test, below: [0]) }
    }

    private mutating func add(_ test: Pattern.Test, below places: [Int]) {
        switch test {
        case .fields(let fields): for field in fields { add(field.path, field.test, below: places) }
        case .anyOf(let tests): for test in tests { add(test, below: places) }
        case .glob, .regex, .equal, .words: break
        }
    }

    private mutating func add(_ path: Path, _ test: Pattern.Test?, below places: [Int]) {
        var ends: [Int] = []
        for place in places {
            for steps in path.parts { ends.append(walk(steps, from: place)) }
        }
        if let test { add(test, below: ends) }
    }

    private mutating func walk(_ steps: [Path.Step], from start: Int) -> Int {
        var place = start
        for step in steps {
            switch step {
            case .key(let name): place = member(name, of: place)
            case .each, .index: place = element(of: place)
            case .deep, .filter:
                nodes[place].isOpen = true
                return place
            }
        }
        return place
    }

    private mutating func member(_ name: String, of place: Int) -> Int {
        if let known = nodes[place].members[name] { return known }
        nodes.append(Node())
        nodes[place].members[name] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func element(of place: Int) -> Int {
        if let known = nodes[place].elements { return known }
        nodes.append(Node())
        nodes[place].elements = nodes.count - 1
        return nodes.count - 1
    }

    func violation(in message: JSON) -> ShapeViolation? {
        var waiting: [(value: JSON, place: Int, path: String)] = [(message, 0, "")]
        while let (value, place, path) = waiting.popLast() {
            let node = nodes[place]
            switch value {
            // One that no pattern looks into may hold anything.
            case .object(let members) where !node.isOpen && !node.members.isEmpty:
                for member in members {
                    let inner = path.isEmpty ? member.key : path + "." + member.key
                    guard let next = node.members[member.key] else {
                        return ShapeViolation(path: inner, expected: "<absent>", value: member.value)
                    }
                    waiting.append((member.value, next, inner))
                }
            case .array(let elements):
                guard let next = node.elements else { continue }
                for (index, element) in elements.enumerated() { waiting.append((element, next, path + "[\(index)]")) }
            default: continue
            }
        }
        return nil
    }
}
