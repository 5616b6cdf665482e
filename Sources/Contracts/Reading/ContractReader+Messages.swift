import Journaling

extension ContractReader {
    mutating func readMessages(_ fields: [String: Document]) {
        let requests = named(fields["requests"], "requests")
        let events = named(fields["events"], "events")
        eventNames = KnownNames(events.map(\.key))
        requestNames = KnownNames(requests.map(\.key))
        runNames = KnownNames(fields["runs"]?.map?.map(\.key) ?? [])
        for field in events {
            let inner = message(field, .event(field.key))
            var rule = rule(field, inner, "events.\(field.key)")
            for item in items(inner["answer"], "events.\(field.key).answer") {
                guard let name = text(item, "events.\(field.key).answer") else { continue }
                checkOne(name, among: requestNames, "request", "events.\(field.key).answer", item.mark)
                rule.answer.append(name)
            }
            contract.events.append(rule)
        }
        for field in requests {
            let place = "requests.\(field.key)"
            let inner = message(field, .request(field.key))
            var rule = rule(field, inner, place)
            readAnswer(inner["answer"], "\(place).answer", &rule)
            if let name = text(inner["starts"], "\(place).starts"), let mark = inner["starts"]?.mark {
                rule.starts = name
                checkRun(name, "\(place).starts", mark)
            }
            contract.requests.append(rule)
        }
    }

    mutating func checkRun(_ name: String, _ place: String, _ mark: Mark) {
        guard !isFull, !runNames.declares(name) else { return }
        let runs = runNames.names
        fail(
            mark, "run \"\(name)\" in \(place) is declared nowhere",
            remedy: runs.isEmpty ? "declare it in runs" : Nearest.remedy(for: name, among: runs))
    }

    /// Events, and `close 4400`.
    private mutating func readAnswer(_ document: Document?, _ place: String, _ rule: inout MessageRule) {
        for item in items(document, place) {
            guard let name = text(item, place) else { continue }
            if name.hasPrefix("close ") {
                if let code = closeCode(name, place, item.mark) { rule.answerCloses.append(code) }
                continue
            }
            checkOneEvent(name, place, item.mark)
            rule.answer.append(name)
        }
    }

    /// The code of `close 1008`.
    mutating func closeCode(_ text: String, _ place: String, _ mark: Mark) -> Int? {
        if let code = Int(text.dropFirst("close ".count)), (1000...4999).contains(code) { return code }
        fail(mark, "\"\(text)\" in \(place) is no close code", remedy: "write close 1008, or another from 1000 to 4999")
        return nil
    }

    /// `ping: {}` and `ping:` declare a message of any shape.
    private mutating func message(_ field: Document.Field, _ table: KeyTable) -> [String: Document] {
        if field.value.scalar?.isNull == true { return [:] }
        return mapping(field.value, table)
    }

    private mutating func rule(_ field: Document.Field, _ inner: [String: Document], _ place: String) -> MessageRule {
        var rule = MessageRule(
            name: field.key, match: pattern(inner["match"], "match"), shape: pattern(inner["shape"], "shape"),
            line: line(field.mark))
        if let schema = inner["schema"] {
            if schema.map == nil, schema.scalar?.bool == nil {
                fail(schema.mark, "\(place).schema needs a mapping", remedy: "found \(schema.found)")
            } else if inner["shape"] != nil {
                fail(schema.mark, "\(place) has both shape and schema", remedy: "keep one")
            } else {
                rule.schema = self.schema(schema)
            }
        }
        if let closed = flag(inner["closed"], "\(place).closed") {
            rule.closed = closed
            if closed, rule.shape == nil, let mark = inner["closed"]?.mark {
                fail(mark, "\(place).closed needs a shape", remedy: "a schema closes itself: additionalProperties: false")
            }
        }
        readExamples(inner["examples"], "\(place).examples", &rule)
        if let within = bound(inner["within"], "\(place).within") {
            rule.within = within
            rule.isBoundless = within == nil
        }
        return rule
    }

    /// What is shown of a message should be one. Of very many only some are looked at.
    private mutating func readExamples(_ document: Document?, _ place: String, _ rule: inout MessageRule) {
        let written = items(document, place)
        rule.examples = written.map(\.json)
        guard !written.isEmpty else { return }
        let type = contract.wire.type
        let form = MessageForm(rule, type: type, MemberTable((type.map { [$0] } ?? []) + MessageForm.paths(of: rule)))
        for (item, example) in zip(written, rule.examples) where examplesLeft > 0 {
            examplesLeft -= 1
            guard let found = form.violation(in: example) else { continue }
            warn(item.mark, "an example of \(place.dropLast(".examples".count)) is not valid", remedy: "expected \(found.text)")
        }
    }

    private mutating func schema(_ document: Document) -> JSONSchema? {
        let (schema, found) = JSONSchema.reading(document)
        for problem in found {
            switch problem.severity {
            case .error: fail(problem.mark, problem.error)
            case .warning: warn(problem.mark, problem.error.message, remedy: problem.error.remedy ?? "")
            }
        }
        return schema
    }

    /// Whether an event of that name, or of a glob that covers it, is declared.
    mutating func checkEvent(_ name: String, _ place: String, _ mark: Mark) {
        check(name, among: eventNames, "event", place, mark)
    }

    /// Where one event is meant.
    mutating func checkOneEvent(_ name: String, _ place: String, _ mark: Mark) {
        checkOne(name, among: eventNames, "event", place, mark)
    }

    /// A glob is compared as it stands: it names what is declared by that very key, and nothing else.
    mutating func checkOne(_ name: String, among known: KnownNames, _ kind: String, _ place: String, _ mark: Mark) {
        if isFull || Glob(name).isExact || known.declares(name) { return check(name, among: known, kind, place, mark) }
        fail(mark, "\"\(name)\" in \(place) is a glob", remedy: "name the \(kind)")
    }

    mutating func check(_ name: String, among known: KnownNames, _ kind: String, _ place: String, _ mark: Mark) {
        // Once there is more to complain about than is shown, looking costs more than it tells.
        if isFull || !Glob(name).isExact || known.covers(name) { return }
        fail(
            mark, "\(kind) \"\(name)\" in \(place) is declared nowhere",
            remedy: known.names.isEmpty ? "declare it in \(kind)s" : Nearest.remedy(for: name, among: known.names))
    }

    /// `agent_started`, `response.*` or `request complete`, as in edges and part lists.
    mutating func messageName(_ text: String, _ place: String, _ mark: Mark) -> MessageName {
        guard text.hasPrefix("request ") else {
            checkEvent(text, place, mark)
            return MessageName(isRequest: false, glob: Glob(text))
        }
        let name = String(text.dropFirst("request ".count).drop { $0 == " " })
        check(name, among: requestNames, "request", place, mark)
        return MessageName(isRequest: true, glob: Glob(name))
    }

    mutating func messageNames(_ document: Document?, _ place: String) -> [MessageName] {
        var names: [MessageName] = []
        for item in items(document, place) {
            if let text = text(item, place) { names.append(messageName(text, place, item.mark)) }
        }
        return names
    }

    /// Events that mean success: those of answers, states and parts, less errors.
    func successes() -> Set<String> {
        let answers = contract.requests.flatMap(\.answer)
        let named = contract.events.map(\.name).filter { name in
            contract.runs.contains { $0.names(isRequest: false, name: name, type: name) }
        }
        return Set(answers + named).subtracting(contract.errors?.event ?? [])
    }

    /// A message without `wire.type` and `match` can be told from nothing.
    mutating func checkRecognition() {
        guard contract.wire.type == nil else { return }
        for section in ["requests", "events"] {
            for field in document[section]?.map ?? [] where field.value["match"] == nil {
                warn(field.mark, "\(section).\(field.key) can never be recognised", remedy: "write wire.type, or give it a match")
            }
        }
    }
}
