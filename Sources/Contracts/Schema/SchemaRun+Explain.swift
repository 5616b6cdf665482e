import Wire

/// Why a value is not what a schema asks for: the first reason, as deep as it can be told.
extension SchemaRun {
    /// Asked only of what was found invalid; walks down one way.
    mutating func explain(_ node: Int, _ part: Int) -> ShapeViolation {
        var (node, part) = (node, part)
        // Each turn goes into the value or on to the next schema; what is found out is kept, and circles are none.
        for _ in 0..<512 {
            guard nodes.indices.contains(node), parts.all.indices.contains(part) else { break }
            let own = own(nodes[node], part)
            if own.truth == .invalid { return violation(at: part, own.expected ?? "another value") }
            guard let next = culprit(nodes[node], part) else { return violation(at: part, alternatives(nodes[node], part)) }
            (node, part) = next
        }
        return violation(at: part, "what its schema asks for")
    }

    private func violation(at part: Int, _ expected: String) -> ShapeViolation {
        if expected.hasPrefix(Self.missing) {
            return ShapeViolation(path: parts.path(part, String(expected.dropFirst(Self.missing.count))), expected: "a value", value: nil)
        }
        return ShapeViolation(path: parts.path(part), expected: expected, value: parts.all[part].value)
    }

    /// The part, or the further schema, that is to blame.
    private mutating func culprit(_ node: SchemaNode, _ part: Int) -> (node: Int, part: Int)? {
        for (position, child) in parts.all[part].children.enumerated() {
            let schema: Int?
            if let key = parts.all[child].key {
                schema = node.properties[key] ?? (node.areMembersKnown ? node.additional : nil)
            } else {
                schema = position < node.prefix.count ? node.prefix[position] : node.items
            }
            if let schema, judge(schema, child) == .invalid { return (schema, child) }
        }
        for schema in (node.reference.map { [$0] } ?? []) + node.allOf where judge(schema, part) == .invalid {
            return (schema, part)
        }
        // Of several alternatives only one that is the only one of its kind can be meant.
        for schemas in [node.anyOf, node.oneOf] where !schemas.isEmpty && schemas.allSatisfy({ judge($0, part) == .invalid }) {
            var meant: [Int] = []
            for schema in schemas where isMeant(schema, part) { meant.append(schema) }
            if meant.count == 1, let only = meant.first { return (only, part) }
        }
        return nil
    }

    /// What an alternative asks of the value itself, and of its members with a fixed value, is there.
    private mutating func isMeant(_ schema: Int, _ part: Int) -> Bool {
        var next: Int? = schema
        // References may stand behind each other; further than this nobody looks.
        for _ in 0..<32 {
            guard let schema = next, nodes.indices.contains(schema) else { break }
            var node = nodes[schema]
            // What is missing is no sign of another kind.
            node.required = []
            if own(node, part).truth == .invalid { return false }
            for child in parts.all[part].children {
                guard let key = parts.all[child].key, let inner = node.properties[key], nodes[inner].constant != nil else { continue }
                if judge(inner, child) == .invalid { return false }
            }
            next = node.reference
        }
        return true
    }

    private func alternatives(_ node: SchemaNode, _ part: Int) -> String {
        if !node.oneOf.isEmpty { return "exactly one of \(node.oneOf.count) alternatives" }
        if !node.anyOf.isEmpty { return "one of \(node.anyOf.count) alternatives" }
        return node.not == nil ? "what its schema asks for" : "anything but what its schema excludes"
    }
}
