import Wire

enum SchemaTruth: Sendable {
    case valid, unknown, invalid

    static func && (lhs: SchemaTruth, rhs: SchemaTruth) -> SchemaTruth {
        if lhs == .invalid || rhs == .invalid { return .invalid }
        return lhs == .unknown || rhs == .unknown ? .unknown : .valid
    }

    init(_ isTrue: Bool) { self = isTrue ? .valid : .invalid }

    /// True as it is written, and as it comes out of a program that keeps numbers as doubles; else nobody knows.
    init(_ isTrue: Bool, asDouble: Bool) { self = isTrue == asDouble ? SchemaTruth(isTrue) : .unknown }

    var inverted: SchemaTruth {
        switch self {
        case .valid: .invalid
        case .unknown: .unknown
        case .invalid: .valid
        }
    }
}

/// The parts of a value as a list, each before its own parts; those of one container stand side by side.
struct SchemaParts: Sendable {
    struct Part: Sendable {
        var value: JSON
        var parent: Int
        /// Nil in an array.
        var key: String?
        var position: Int
        var children: Range<Int> = 0..<0
    }
    private(set) var all: [Part]

    init(_ value: JSON) {
        all = [Part(value: value, parent: 0, key: nil, position: 0)]
        var next = 0
        while next < all.count {
            let first = all.count
            switch all[next].value {
            case .array(let elements):
                for (position, element) in elements.enumerated() {
                    all.append(Part(value: element, parent: next, key: nil, position: position))
                }
            case .object(let members):
                for (position, member) in members.enumerated() {
                    all.append(Part(value: member.value, parent: next, key: member.key, position: position))
                }
            default: break
            }
            all[next].children = first..<all.count
            next += 1
        }
    }

    /// As contracts write it: `payload.items[3]["odd name"]`.
    func path(_ part: Int, _ last: String? = nil) -> String {
        var pieces: [String] = last.map { [Self.piece($0)] } ?? []
        var current = part
        while current > 0 {
            pieces.append(all[current].key.map(Self.piece) ?? "[\(all[current].position)]")
            current = all[current].parent
        }
        let text = pieces.reversed().joined()
        return text.isEmpty ? "$" : text.hasPrefix(".") ? String(text.dropFirst()) : text
    }

    private static func piece(_ key: String) -> String {
        var isName = !key.isEmpty
        for (index, byte) in key.utf8.enumerated() {
            switch byte {
            case 0x41...0x5a, 0x61...0x7a, 0x5f: continue
            case 0x30...0x39, 0x2d: if index == 0 { isName = false }
            default: isName = false
            }
        }
        return isName ? "." + key : "[" + JSON.string(key).text + "]"
    }
}

/// One value held against a schema. Work is bounded by schemas times parts: what several references lead to is asked once of
/// each part. Beyond the bounds of steps and depth the answer is `unknown`.
struct SchemaRun {
    let nodes: [SchemaNode]
    let parts: SchemaParts
    private var steps: Int
    private let budget: Int
    private var depth = 0
    private var known: [UInt64: SchemaTruth] = [:]
    private var texts: [Int: SchemaText] = [:]

    /// Schemas within schemas and parts within parts, together.
    private static let deepest = 256

    init(_ nodes: [SchemaNode], _ value: JSON) {
        self.nodes = nodes
        parts = SchemaParts(value)
        budget = min(100_000 + 1_000 * parts.all.count, 4_000_000)
        steps = budget
    }

    /// Steps made: what it cost, as a number that no clock blurs.
    var used: Int { budget - steps }

    mutating func judge(_ node: Int, _ part: Int) -> SchemaTruth {
        guard nodes.indices.contains(node), depth < Self.deepest, spend(1) else { return .unknown }
        let key = UInt64(truncatingIfNeeded: node) << 32 | UInt64(truncatingIfNeeded: part)
        if nodes[node].isShared, let truth = known[key] { return truth }
        depth += 1
        var truth = own(nodes[node], part).truth
        if truth != .invalid { truth = truth && inside(nodes[node], part) }
        if truth != .invalid { truth = truth && combined(nodes[node], part) }
        depth -= 1
        if nodes[node].isShared { known[key] = truth }
        return truth
    }

    mutating func spend(_ count: Int) -> Bool {
        steps -= count
        return steps > 0
    }

    /// Written once, however many ask. Nil: the budget is used up.
    mutating func text(of part: Int) -> SchemaText? {
        if let known = texts[part] { return known }
        let text = SchemaText(parts.all[part].value)
        texts[part] = text
        return spend(text.exact.count / 16) ? text : nil
    }

    // MARK: The parts of a value

    private mutating func inside(_ node: SchemaNode, _ part: Int) -> SchemaTruth {
        switch parts.all[part].value {
        case .object: members(node, part)
        case .array: elements(node, part)
        default: .valid
        }
    }

    private mutating func members(_ node: SchemaNode, _ part: Int) -> SchemaTruth {
        guard !node.properties.isEmpty || node.additional != nil else { return .valid }
        var truth = SchemaTruth.valid
        for child in parts.all[part].children {
            truth = truth && member(node, child)
            if truth == .invalid { return truth }
        }
        return truth
    }

    private mutating func member(_ node: SchemaNode, _ child: Int) -> SchemaTruth {
        guard spend(1), let key = parts.all[child].key else { return .unknown }
        if let found = node.properties.index(forKey: key) {
            let (name, schema) = node.properties[found]
            // Equal to Unicode, and not to JSON.
            return name.utf8.elementsEqual(key.utf8) ? judge(schema, child) : .unknown
        }
        guard let additional = node.additional else { return .valid }
        let truth = judge(additional, child)
        return truth == .invalid && !node.areMembersKnown ? .unknown : truth
    }

    private mutating func elements(_ node: SchemaNode, _ part: Int) -> SchemaTruth {
        guard !node.prefix.isEmpty || node.items != nil else { return .valid }
        var truth = SchemaTruth.valid
        for (position, child) in parts.all[part].children.enumerated() {
            guard let schema = position < node.prefix.count ? node.prefix[position] : node.items else { break }
            truth = truth && judge(schema, child)
            if truth == .invalid { return truth }
        }
        return truth
    }

    // MARK: Other schemas for the same value

    private mutating func combined(_ node: SchemaNode, _ part: Int) -> SchemaTruth {
        var truth = SchemaTruth.valid
        for schema in (node.reference.map { [$0] } ?? []) + node.allOf {
            truth = truth && judge(schema, part)
            if truth == .invalid { return truth }
        }
        if !node.anyOf.isEmpty { truth = truth && some(of: node.anyOf, part) }
        if truth != .invalid, !node.oneOf.isEmpty { truth = truth && one(of: node.oneOf, part) }
        if truth != .invalid, let not = node.not { truth = truth && judge(not, part).inverted }
        return truth
    }

    private mutating func some(of schemas: [Int], _ part: Int) -> SchemaTruth {
        var truth = SchemaTruth.invalid
        for schema in schemas {
            switch judge(schema, part) {
            case .valid: return .valid
            case .unknown: truth = .unknown
            case .invalid: continue
            }
        }
        return truth
    }

    private mutating func one(of schemas: [Int], _ part: Int) -> SchemaTruth {
        var (valid, unknown) = (0, 0)
        for schema in schemas {
            switch judge(schema, part) {
            case .valid: valid += 1
            case .unknown: unknown += 1
            case .invalid: continue
            }
            if valid > 1 { return .invalid }
        }
        return unknown > 0 ? .unknown : SchemaTruth(valid == 1)
    }
}
