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
            if let mark = fields["within"]?.mark {
                fail(mark, "within in \(place) belongs to an await", remedy: "move it to the next step")
            }
            return .send(send.json)
        case (nil, let event?):
            guard let name = text(event, "await") else { return nil }
            checkEvent(name, place, event.mark)
            return .await(event: name, within: duration(fields["within"], "within in \(place)"), keep: [])
        default:
            if document.map != nil {
                fail(document.mark, "\(place) needs either send or await", remedy: "write one of them")
            }
            return nil
        }
    }
}
