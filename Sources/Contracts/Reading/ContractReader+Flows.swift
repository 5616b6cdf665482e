import Journaling

extension ContractReader {
    mutating func readFlows(_ document: Document?) {
        for field in named(document, "flows") {
            guard let items = field.value.list else {
                fail(field.value.mark, "flow \(field.key) needs a list of steps", remedy: "found \(field.value.found)")
                continue
            }
            var steps: [Flow.Step] = []
            for (index, item) in items.enumerated() {
                if let step = step(item, field.key, index + 1) { steps.append(step) }
            }
            contract.flows.append(Flow(name: field.key, steps: steps))
        }
    }

    private mutating func step(_ document: Document, _ flow: String, _ number: Int) -> Flow.Step? {
        let place = "step \(number) of flow \(flow)"
        let fields = mapping(document, .step(flow, number))
        switch (fields["send"], fields["await"]) {
        case (let send?, nil):
            for key in ["within", "keep", "match"] {
                guard let mark = fields[key]?.mark else { continue }
                fail(mark, "\(key) in \(place) belongs to an await", remedy: "move it to the next step")
            }
            return .send(send.json)
        case (nil, let event?):
            guard let name = text(event, "await") else { return nil }
            checkOneEvent(name, place, event.mark)
            return .await(
                event: name, within: duration(fields["within"], "within in \(place)"), keep: keep(fields["keep"], place),
                match: pattern(fields["match"], "match in \(place)"))
        default:
            if document.map != nil {
                fail(document.mark, "\(place) needs either send or await", remedy: "write one of them")
            }
            return nil
        }
    }

    /// Names for values of the event, for the messages that follow.
    private mutating func keep(_ document: Document?, _ place: String) -> [(name: String, path: Path)] {
        var kept: [(name: String, path: Path)] = []
        for field in named(document, "keep in \(place)") {
            if Template.names.contains(field.key) || field.key == "now" {
                fail(field.mark, "keep in \(place) cannot be called \(field.key)", remedy: "that is a variable already")
            }
            if let path = path(field.value, "keep.\(field.key) in \(place)") { kept.append((field.key, path)) }
        }
        return kept
    }

    mutating func readHealth(_ document: Document?) {
        guard let document, let name = text(document, "health") else { return }
        contract.health = name
        let known = contract.flows.map(\.name)
        guard !known.contains(name) else { return }
        fail(document.mark, "flow \"\(name)\" in health is declared nowhere", remedy: Nearest.remedy(for: name, among: known))
    }
}
