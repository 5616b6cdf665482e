package import Wire

/// A request that must be refused, made from the rule that says so (contract.md, semantics 16).
package struct Probe: Sendable, Hashable {
    /// The error kind that must come.
    package var kind: String
    /// Index into `contract.reject`.
    package var rule: Int
    package var message: JSON
}

extension Contract {
    /// One probe for each error kind that a rule can provoke, in the order of `errors.kinds`.
    package var probes: [Probe] {
        (errors?.kinds ?? []).compactMap { kind in
            reject.indices.lazy.compactMap { index -> Probe? in
                guard self.reject[index].outcomes.contains(.kind(kind)), !self.reject[index].mayAccept else { return nil }
                return self.probe(for: index).map { Probe(kind: kind, rule: index, message: $0) }
            }.first
        }
    }

    /// The request that provokes rule `index` of `reject`: `send`, or `when` made literal (first alternative, what may
    /// be absent left out); nil when neither is possible.
    package func probe(for index: Int) -> JSON? {
        guard reject.indices.contains(index) else { return nil }
        let rule = reject[index]
        if let send = rule.send { return send }
        // What an envelope makes of a message cannot be turned round.
        guard wire.envelope == nil, rule.before == nil, rule.after == nil, rule.run == nil, rule.unless.isEmpty else { return nil }
        guard case .pattern(let pattern)? = rule.when.first else { return nil }
        return pattern.test.literal
    }
}

extension Pattern.Test {
    /// The value that this test describes when it describes one.
    package var literal: JSON? {
        switch self {
        case .equal(let value): return value
        case .glob(let glob): return glob.isExact ? .string(glob.text) : nil
        case .anyOf(let tests): return tests.first?.literal
        case .regex, .words: return nil
        case .fields(let fields):
            var value = JSON.object([])
            for field in fields where !field.test.mayBeAbsent {
                guard let inner = field.test.literal, let keys = field.path.keys else { return nil }
                value = value.setting(keys[...], to: inner)
            }
            return value
        }
    }

    private var mayBeAbsent: Bool {
        switch self {
        case .words(let words): words.contains(.absent)
        case .anyOf(let tests): tests.first?.mayBeAbsent ?? false
        case .fields, .glob, .regex, .equal: false
        }
    }
}

extension Path {
    /// The names of a path that only walks through objects.
    package var keys: [String]? {
        guard parts.count == 1, let steps = parts.first, !steps.isEmpty else { return nil }
        var keys: [String] = []
        for step in steps {
            guard case .key(let name) = step else { return nil }
            keys.append(name)
        }
        return keys
    }
}

extension JSON {
    /// A copy with that member set; the depth is the path's, which a contract bounds.
    package func setting(_ keys: ArraySlice<String>, to value: JSON) -> JSON {
        guard let key = keys.first else { return value }
        guard case .object(var members) = self else { return JSON.object([]).setting(keys, to: value) }
        let place = members.lastIndex { $0.key == key }
        let old = place.map { members[$0].value } ?? .object([])
        let member = JSON.Member(key: key, value: old.setting(keys.dropFirst(), to: value))
        if let place { members[place] = member } else { members.append(member) }
        return .object(members)
    }
}
