package import Wire

/// A subset of JSONPath (RFC 9535) without the leading `$.` (contract.md, "Path"): `a.b`, `["odd.name"]`, `[0]`,
/// `[-1]`, `[*]`, `$`, filters behind a bar (`token|jwt.sub`) and composites (`a + b`).
package struct Path: Sendable, Hashable {
    /// As written, for messages and links.
    package let text: String
    /// One chain of steps, or several for a composite.
    let parts: [[Step]]
    /// The member of the message that it is, when it is no more than that: most paths are.
    let member: String?
    /// It yields one value at most, and makes none.
    private let isPlain: Bool

    enum Step: Sendable, Hashable {
        case key(String)
        /// From the end when negative.
        case index(Int)
        case each
        /// `..name`: members of that name at any depth.
        case deep(String)
        case filter(PathFilter)

        /// It may yield several values, or makes a new one.
        var needsWalk: Bool {
            switch self {
            case .each, .deep, .filter: true
            case .key, .index: false
            }
        }
    }

    /// - Parameter deep: whether `..name` is allowed (only in `volatile` and `secrets`).
    package init(_ text: String, deep: Bool = false) throws(PartError) {
        var parser = PathParser(text, allowsDeep: deep)
        self.init(text: text, parts: try parser.parse())
    }

    private init(text: String, parts: [[Step]]) {
        self.text = text
        self.parts = parts
        isPlain = parts.count == 1 && !parts[0].contains(where: \.needsWalk)
        if parts.count == 1, parts[0].count == 1, case .key(let name)? = parts[0].first { member = name } else { member = nil }
    }

    /// The whole message: `$`.
    package static let whole = Path(text: "$", parts: [[]])

    /// The same place seen from one level up, for mappings inside mappings. Composites cannot be joined and stay.
    func below(_ outer: Path) -> Path {
        guard outer.parts.count == 1, parts.count == 1, let head = outer.parts.first, let tail = parts.first else {
            return self
        }
        if head.isEmpty { return self }
        let joint = text.hasPrefix("[") || text.hasPrefix("|") ? "" : "."
        return Path(text: outer.text + joint + text, parts: [head + tail])
    }
}

extension Path {
    /// The names of the members that its parts end with, for a look at texts that are no JSON. Filters do not count.
    package var lastNames: [String] {
        parts.compactMap { steps in
            for step in steps.reversed() {
                switch step {
                case .key(let name), .deep(let name): return name
                case .index, .each, .filter: continue
                }
            }
            return nil
        }
    }

    /// The members of the message in which its parts begin.
    var tops: [String] {
        parts.compactMap { steps in if case .key(let name)? = steps.first { name } else { nil } }
    }

    /// Everything it yields, nulls left out, in document order.
    package func values(in message: JSON) -> [JSON] { candidates(in: message).filter { $0 != .null } }

    /// The first that it yields; null and absent yield nothing.
    package func value(in message: JSON) -> JSON? {
        guard isPlain else { return values(in: message).first }
        guard let found = single(message) else { return nil }
        if case .null = found { return nil }
        return found
    }

    /// As `values`, with explicit nulls: patterns tell null from absent.
    func candidates(in message: JSON) -> [JSON] {
        switch lookup(in: message) {
        case .absent: []
        case .one(let value): [value]
        case .many(let values): values
        }
    }

    /// What it yields, explicit nulls included. Most paths yield one value at most, and need no list for it.
    enum Lookup {
        case absent
        case one(JSON)
        case many([JSON])
    }

    func lookup(in message: JSON) -> Lookup {
        if isPlain { return single(message).map(Lookup.one) ?? .absent }
        if parts.count == 1, let steps = parts.first { return .many(Self.walk(steps, message)) }
        return .many(composite(message))
    }

    private func composite(_ message: JSON) -> [JSON] {
        let found = parts.map { Self.walk($0, message).first { $0 != .null } }
        guard found.contains(where: { $0 != nil }) else { return [] }
        return [.array(found.map { $0 ?? .null })]
    }

    /// Follows keys and indices without building lists.
    private func single(_ message: JSON) -> JSON? {
        if let member { return message[member] }
        guard let steps = parts.first else { return nil }
        var current = message
        for step in steps {
            switch step {
            case .key(let name):
                guard let next = current[name] else { return nil }
                current = next
            case .index(let index):
                guard let next = Self.element(index, of: current) else { return nil }
                current = next
            case .each, .deep, .filter: return nil
            }
        }
        return current
    }

    private static func walk(_ steps: [Step], _ message: JSON) -> [JSON] {
        var current = [message]
        for step in steps {
            var next: [JSON] = []
            for value in current {
                switch step {
                case .key(let name): if let found = value[name] { next.append(found) }
                case .index(let index): if let found = element(index, of: value) { next.append(found) }
                case .each: next.append(contentsOf: children(of: value))
                case .deep(let name): collect(name, in: value, into: &next)
                case .filter(let filter): if let found = filter.apply(to: value) { next.append(found) }
                }
            }
            if next.isEmpty { return [] }
            current = next
        }
        return current
    }

    private static func element(_ index: Int, of value: JSON) -> JSON? {
        guard case .array(let elements) = value else { return nil }
        let (position, overflow) = index < 0 ? elements.count.addingReportingOverflow(index) : (index, false)
        guard !overflow, elements.indices.contains(position) else { return nil }
        return elements[position]
    }

    private static func children(of value: JSON) -> [JSON] {
        switch value {
        case .array(let elements): elements
        case .object(let members): members.map(\.value)
        default: []
        }
    }

    /// Pre-order with a stack of our own: the depth of a message is its sender's choice.
    private static func collect(_ name: String, in root: JSON, into found: inout [JSON]) {
        var stack = [root]
        while let value = stack.popLast() {
            switch value {
            case .array(let elements): stack.append(contentsOf: elements.reversed())
            case .object(let members):
                for member in members where member.key == name { found.append(member.value) }
                stack.append(contentsOf: members.reversed().map(\.value))
            default: continue
            }
        }
    }
}

extension [Path] {
    /// The value of the first path that yields one.
    package func value(in message: JSON) -> JSON? {
        for path in self {
            if let value = path.value(in: message) { return value }
        }
        return nil
    }
}
