import Journaling

extension ContractReader {
    mutating func readErrors(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .errors)
        var names: [String] = []
        for item in items(fields["event"], "errors.event") {
            guard let name = text(item, "errors.event") else { continue }
            checkOneEvent(name, "errors.event", item.mark)
            names.append(name)
        }
        if names.isEmpty, document.map != nil {
            fail(document.mark, "errors needs event", remedy: "name the event that carries errors")
        }
        var kinds: [String] = []
        for item in items(fields["kinds"], "errors.kinds") {
            if let text = text(item, "errors.kinds") { kinds.append(Self.kind(item, text)) }
        }
        var errors = ErrorRules(event: names, kind: path(fields["kind"], "errors.kind"), kinds: kinds)
        if !errors.kinds.isEmpty, errors.kind == nil, let mark = fields["kinds"]?.mark {
            fail(mark, "errors.kinds needs errors.kind", remedy: "name the path where the kind stands")
        }
        if let within = duration(fields["within"], "errors.within") { errors.within = within }
        errors.context = paths(fields["context"], "errors.context")
        errors.ordered = flag(fields["ordered"], "errors.ordered") ?? true
        errors.recovers = flag(fields["recovers"], "errors.recovers") ?? true
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
            readConditions(fields, number, &rule)
            contract.reject.append(rule)
        }
    }

    private mutating func readConditions(_ fields: [String: Document], _ number: Int, _ rule: inout RejectRule) {
        let place = "rule \(number) of reject"
        rule.unless = items(fields["unless"], "unless").compactMap { condition($0) }
        rule.before = messageNames(fields["before"], "before in \(place)").first
        rule.after = messageNames(fields["after"], "after in \(place)").first
        for key in ["before", "after"] where fields[key]?.list?.count ?? 1 != 1 {
            if let mark = fields[key]?.mark { fail(mark, "\(key) in \(place) needs one message", remedy: "write one rule for each") }
        }
        rule.within = duration(fields["within"], "within in \(place)")
        rule.recovers = flag(fields["recovers"], "recovers in \(place)")
        rule.send = fields["send"]?.json
        if let run = fields["run"] {
            rule.run = choice(run, "run in \(place)", ["open", "none"]).flatMap(RejectRule.RunState.init)
            let isHot = contract.runs.contains { !$0.hot.isEmpty }
            if rule.run == .open, !runNames.names.isEmpty, !isHot {
                warn(
                    run.mark, "rule \(number) can never hold: no state of a run is hot, so that none is open",
                    remedy: "write hot: { STATE: never } for states without a bound")
            }
            if rule.run != nil, runNames.names.isEmpty { fail(run.mark, "run in \(place) needs runs", remedy: "declare one in runs") }
        }
        if let inside = fields["inside"], let name = text(inside, "inside in \(place)") {
            rule.inside = name
            checkRun(name, "inside of rule \(number)", inside.mark)
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
        if text.hasPrefix("close ") { return closeCode(text, "with", document.mark).map { .close($0) } }
        let kind = Self.kind(document, text)
        checkKind(kind, document.mark)
        if contract.errors == nil {
            fail(document.mark, "kind \"\(text)\" in with needs errors", remedy: "declare errors: { event: NAME, kind: PATH }")
        }
        return .kind(kind)
    }

    /// A number in its shortest form, anything else as it is written.
    static func kind(_ document: Document, _ text: String) -> String { document.scalar?.json?.canonical ?? text }
}
