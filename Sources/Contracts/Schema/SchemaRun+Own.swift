import Journaling
import Wire

/// What a schema asks of a value itself, whatever is in it.
extension SchemaRun {
    /// - Returns: with `invalid`, what was expected.
    mutating func own(_ node: SchemaNode, _ part: Int) -> (truth: SchemaTruth, expected: String?) {
        let value = parts.all[part].value
        if node.refusesAll { return (.invalid, "nothing") }
        let kind = SchemaKinds(of: value)
        // `nullable` widens what the other keywords say.
        if kind == .null, node.isOpenFor.contains(.null) { return (.unknown, nil) }
        // What redaction hides may have been as it must.
        if case .string(let text) = value, Redactor.mayBeRedacted(text) { return (.unknown, nil) }
        var truth = node.isOpenFor.contains(kind) ? SchemaTruth.unknown : .valid
        if let types = node.types {
            let found = Self.isOf(types, value)
            if found == .invalid { return (found, types.phrase) }
            truth = truth && found
        }
        for choices in [node.constant, node.choices].compactMap({ $0 }) {
            let found = among(choices, part)
            if found == .invalid { return (found, Self.phrase(choices.values)) }
            truth = truth && found
        }
        let found =
            switch value {
            case .number(let text): number(node, text)
            case .string(let text): string(node, text)
            case .array(let elements): counted(node.itemCount, elements.count)
            case .object(let members): named(node, value, members.count)
            case .null, .bool: (truth: SchemaTruth.valid, expected: String?.none)
            }
        return (truth && found.truth, found.expected)
    }

    private static func isOf(_ types: SchemaKinds, _ value: JSON) -> SchemaTruth {
        if types.contains(SchemaKinds(of: value)) { return .valid }
        guard case .number(let text) = value, types.contains(.integer) else { return .invalid }
        return SchemaTruth(isWhole(text), asDouble: isWhole(JSONNumber.rounded(text)))
    }

    /// 1, 1.0 and 10e-1 are integers.
    private static func isWhole(_ text: String) -> Bool { JSONNumber(text).map { $0.exponent >= 0 } ?? false }

    private mutating func among(_ choices: SchemaChoices, _ part: Int) -> SchemaTruth {
        guard spend(1), let text = text(of: part) else { return .unknown }
        return choices.truth(of: text)
    }

    private static func phrase(_ choices: [JSON]) -> String {
        let texts = choices.prefix(6).map { String($0.text.unicodeScalars.prefix(60)) }
        return texts.joined(separator: " or ") + (choices.count > texts.count ? " or \(choices.count - texts.count) others" : "")
    }

    private func number(_ node: SchemaNode, _ text: String) -> (truth: SchemaTruth, expected: String?) {
        guard !node.bounds.isEmpty else { return (.valid, nil) }
        guard let exact = JSONNumber(text), let rounded = JSONNumber(JSONNumber.rounded(text)) else { return (.unknown, nil) }
        var truth = SchemaTruth.valid
        for bound in node.bounds {
            let found = SchemaTruth(bound.holds(for: exact), asDouble: bound.holdsAsDouble(for: rounded))
            if found == .invalid { return (found, bound.phrase) }
            truth = truth && found
        }
        return (truth, nil)
    }

    private mutating func string(_ node: SchemaNode, _ text: String) -> (truth: SchemaTruth, expected: String?) {
        var truth = SchemaTruth.valid
        if node.length != SchemaRange() {
            guard spend(text.utf8.count / 16) else { return (.unknown, nil) }
            // Characters are scalars; some servers count bytes, UTF-16 or what people see as one.
            let scalars = text.unicodeScalars.count
            if let least = node.length.least, scalars < least {
                if text.utf8.count < least { return (.invalid, Self.atLeast(least, "character")) }
                truth = .unknown
            }
            if let most = node.length.most, scalars > most {
                if text.count > most { return (.invalid, Self.atMost(most, "character")) }
                truth = .unknown
            }
        }
        if let pattern = node.pattern {
            guard spend(text.utf8.count) else { return (.unknown, nil) }
            switch pattern.occurs(in: text) {
            case true?: break
            case false?: return (.invalid, "a text in which \(pattern.regex.text) is found")
            case nil: truth = .unknown
            }
        }
        return (truth, nil)
    }

    private func counted(_ range: SchemaRange, _ count: Int) -> (truth: SchemaTruth, expected: String?) {
        if let least = range.least, count < least { return (.invalid, Self.atLeast(least, "element")) }
        if let most = range.most, count > most { return (.invalid, Self.atMost(most, "element")) }
        return (.valid, nil)
    }

    private static func atLeast(_ count: Int, _ noun: String) -> String { "at least \(count) \(noun)\(count == 1 ? "" : "s")" }
    private static func atMost(_ count: Int, _ noun: String) -> String { "at most \(count) \(noun)\(count == 1 ? "" : "s")" }

    private mutating func named(_ node: SchemaNode, _ value: JSON, _ count: Int) -> (truth: SchemaTruth, expected: String?) {
        var truth = SchemaTruth.valid
        for name in node.required {
            guard spend(1 + count / 16) else { return (.unknown, nil) }
            if value[name] != nil { continue }
            if !node.softlyRequired.contains(name) { return (.invalid, Self.missing + name) }
            truth = .unknown
        }
        return (truth, nil)
    }

    /// Before the name of a member that is not there.
    static let missing = "missing "
}

extension SchemaBound {
    /// As a program sees it that keeps both numbers as doubles.
    func holdsAsDouble(for rounded: JSONNumber) -> Bool {
        guard let other = JSONNumber(JSONNumber.rounded(text)) else { return holds(for: rounded) }
        return SchemaBound(relation: relation, text: text, value: other).holds(for: rounded)
    }
}
