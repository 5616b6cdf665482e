import Journaling

extension ContractReader {
    mutating func readErrors(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .errors)
        var names: [String] = []
        for item in items(fields["event"], "errors.event") {
            guard let name = text(item, "errors.event") else { continue }
            checkEvent(name, "errors.event", item.mark)
            names.append(name)
        }
        if names.isEmpty, document.map != nil {
            fail(document.mark, "errors needs event", remedy: "name the event that carries errors")
        }
        var errors = ErrorRules(
            event: names, kind: path(fields["kind"], "errors.kind"), kinds: texts(fields["kinds"], "errors.kinds"))
        if !errors.kinds.isEmpty, errors.kind == nil, let mark = fields["kinds"]?.mark {
            fail(mark, "errors.kinds needs errors.kind", remedy: "name the path where the kind stands")
        }
        if let within = duration(fields["within"], "errors.within") { errors.within = within }
        errors.context = paths(fields["context"], "errors.context")
        errors.line = line(document.mark)
        contract.errors = errors
    }

    mutating func readReject(_ document: Document?) {
        for (index, item) in items(document, "reject").enumerated() {
            let number = index + 1
            let fields = mapping(item, .rule(number))
            let when = items(fields["when"], "when").compactMap { condition($0) }
            if fields["when"] == nil, item.map != nil {
                fail(item.mark, "rule \(number) of reject needs when", remedy: "write a pattern, or when: <invalid>")
            }
            var rule = RejectRule(when: when, line: line(item.mark))
            let outcomes = items(fields["with"], "with").compactMap { outcome($0) }
            if !outcomes.isEmpty { rule.outcomes = outcomes }
            contract.reject.append(rule)
        }
    }

    /// A pattern, or one of `<malformed>`, `<unknown>`, `<invalid>`.
    private mutating func condition(_ document: Document) -> RejectRule.Condition? {
        switch document.scalar?.text {
        case "<malformed>": return .malformed
        case "<unknown>": return .unknown
        case "<invalid>": return .invalid
        default: break
        }
        if let text = document.scalar?.text, text.hasPrefix("<"), text.hasSuffix(">") {
            let word = String(text.dropFirst().dropLast())
            let known = ["malformed", "unknown", "invalid"]
            let words = Pattern.TypeWord.allCases.map(\.rawValue)
            if !word.contains("|"), !words.contains(word), let near = Nearest.word(to: word, among: known) {
                fail(document.mark, "pattern \"\(text)\": not a type word", remedy: "nearest: \(near)")
                return nil
            }
        }
        return pattern(document, "when").map(RejectRule.Condition.pattern)
    }

    private mutating func outcome(_ document: Document) -> RejectRule.Outcome? {
        guard let text = text(document, "with") else { return nil }
        switch text {
        case "any": return .anyError
        case "close": return .anyClose
        case "silence": return .silence
        case "accepted": return .accepted
        default: break
        }
        if text.hasPrefix("close ") {
            if let code = Int(text.dropFirst("close ".count)), (1000...4999).contains(code) { return .close(code) }
            fail(document.mark, "\"\(text)\" in with is no close code", remedy: "write close 1008, or another from 1000 to 4999")
            return nil
        }
        checkKind(text, document.mark)
        if contract.errors == nil {
            fail(document.mark, "kind \"\(text)\" in with needs errors", remedy: "declare errors: { event: NAME, kind: PATH }")
        }
        return .kind(document.scalar?.json?.canonical ?? text)
    }
}
