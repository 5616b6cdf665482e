import Journaling

extension ContractReader {
    mutating func readMessages(_ fields: [String: Document]) {
        let requests = named(fields["requests"], "requests")
        let events = named(fields["events"], "events")
        let runs = fields["runs"]?.map?.map(\.key) ?? []
        for field in events {
            let inner = message(field, .event(field.key))
            contract.events.append(rule(field, inner))
        }
        eventNames = KnownNames(contract.events.map(\.name))
        for field in requests {
            let inner = message(field, .request(field.key))
            var rule = rule(field, inner)
            let place = "requests.\(field.key)"
            for item in items(inner["answer"], "\(place).answer") {
                guard let name = text(item, "\(place).answer") else { continue }
                checkEvent(name, "\(place).answer", item.mark)
                rule.answer.append(name)
            }
            rule.within = duration(inner["within"], "\(place).within")
            if let name = text(inner["starts"], "\(place).starts"), let mark = inner["starts"]?.mark {
                rule.starts = name
                if !runs.contains(name) {
                    fail(
                        mark, "run \"\(name)\" in \(place).starts is declared nowhere",
                        remedy: Nearest.remedy(for: name, among: runs))
                }
            }
            contract.requests.append(rule)
        }
        requestNames = KnownNames(contract.requests.map(\.name))
    }

    /// `ping: {}` and `ping:` declare a message of any shape.
    private mutating func message(_ field: Document.Field, _ table: KeyTable) -> [String: Document] {
        if field.value.scalar?.isNull == true { return [:] }
        return mapping(field.value, table)
    }

    private mutating func rule(_ field: Document.Field, _ inner: [String: Document]) -> MessageRule {
        MessageRule(
            name: field.key, match: pattern(inner["match"], "match"), shape: pattern(inner["shape"], "shape"),
            line: line(field.mark))
    }

    /// Whether an event of that name, or of a glob that covers it, is declared.
    mutating func checkEvent(_ name: String, _ place: String, _ mark: Mark) {
        check(name, among: eventNames, "event", place, mark)
    }

    mutating func check(_ name: String, among known: KnownNames, _ kind: String, _ place: String, _ mark: Mark) {
        // Once there is more to complain about than is shown, looking costs more than it tells.
        if isFull || !Glob(name).isExact || known.covers(name) { return }
        fail(
            mark, "\(kind) \"\(name)\" in \(place) is declared nowhere",
            remedy: Nearest.remedy(for: name, among: known.names))
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
