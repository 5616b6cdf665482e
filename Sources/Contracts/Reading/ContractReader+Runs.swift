import Journaling

extension ContractReader {
    mutating func readRuns(_ document: Document?) {
        for field in named(document, "runs") {
            let place = "runs.\(field.key)"
            let fields = mapping(field.value, .run(field.key))
            let states = states(fields["states"], field)
            let names = states.map(\.name)
            let scope = choice(fields["scope"], "\(place).scope", ["server", "connection"])
            let unasked = flag(fields["unasked"], "\(place).unasked") ?? false
            contract.runs.append(
                RunRule(
                    name: field.key, key: paths(fields["key"], "\(place).key"), serverScope: scope != "connection",
                    unasked: unasked,
                    states: states, hot: hot(fields["hot"], field.key, states),
                    kinds: fields["kinds"].map { kinds($0, "\(place).kinds") },
                    parts: parts(fields["parts"], field.key, names), line: line(field.mark)))
        }
    }

    private mutating func states(_ document: Document?, _ run: Document.Field) -> [RunRule.State] {
        let place = "runs.\(run.key).states"
        let written = named(document, place)
        if written.isEmpty, run.value.map != nil {
            fail(run.mark, "runs.\(run.key) needs states", remedy: "write states: { asked: { EVENT: done } }")
        }
        let names = written.map(\.key)
        var states: [RunRule.State] = []
        for state in written {
            if state.key == "done" {
                fail(state.mark, "state \"done\" of \(run.key) is the end and has no edges", remedy: "leave it out")
            }
            var edges: [RunRule.Edge] = []
            for edge in named(state.value, "\(place).\(state.key)") {
                let name = messageName(edge.key, place, edge.mark)
                guard let next = text(edge.value, "\(place).\(state.key).\(edge.key)") else { continue }
                checkState(next, run.key, names + ["done"], edge.value.mark)
                edges.append(.init(name: name, next: next, line: line(edge.mark)))
            }
            states.append(.init(name: state.key, edges: edges))
        }
        return states
    }

    private mutating func checkState(_ name: String, _ run: String, _ names: [String], _ mark: Mark) {
        guard !names.contains(name) else { return }
        fail(mark, "state \"\(name)\" is not a state of \(run)", remedy: Nearest.remedy(for: name, among: names))
    }

    private mutating func hot(
        _ document: Document?, _ run: String, _ states: [RunRule.State]
    ) -> [(state: String, within: Duration?)] {
        var hot: [(state: String, within: Duration?)] = []
        for field in named(document, "runs.\(run).hot") {
            guard let state = states.first(where: { $0.name == field.key }) else {
                checkState(field.key, run, states.map(\.name), field.mark)
                continue
            }
            if !state.edges.contains(where: { $0.next == "done" }) {
                fail(
                    field.mark, "state \"\(field.key)\" is hot and has no edge to done",
                    remedy: "add one for the event that ends it")
            }
            if let within = bound(field.value, "runs.\(run).hot.\(field.key)") { hot.append((field.key, within)) }
        }
        return hot
    }

    /// Error kinds, each of which `errors.kinds` must hold when it is given.
    mutating func kinds(_ document: Document, _ place: String) -> [String] {
        var kinds: [String] = []
        for item in items(document, place) {
            guard let kind = text(item, place).map({ Self.kind(item, $0) }) else { continue }
            checkKind(kind, item.mark)
            kinds.append(kind)
        }
        return kinds
    }

    mutating func checkKind(_ kind: String, _ mark: Mark) {
        guard let known = contract.errors?.kinds, !known.isEmpty, !known.contains(kind) else { return }
        fail(mark, "kind \"\(kind)\" is not in errors.kinds", remedy: Nearest.remedy(for: kind, among: known))
    }

    private mutating func parts(_ document: Document?, _ run: String, _ states: [String]) -> [RunRule.Part] {
        var parts: [RunRule.Part] = []
        for field in named(document, "runs.\(run).parts") {
            let place = "runs.\(run).parts.\(field.key)"
            let fields = mapping(field.value, .part(run, field.key))
            let starts = messageNames(fields["start"], "\(place).start")
            let ends = messageNames(fields["end"], "\(place).end")
            guard starts.count == 1, ends.count == 1 else {
                fail(field.mark, "\(place) needs one start and one end", remedy: "write start: EVENT, end: EVENT")
                continue
            }
            var within: [String] = []
            for item in items(fields["in"], "\(place).in") {
                guard let name = text(item, "\(place).in") else { continue }
                checkState(name, run, states, item.mark)
                within.append(name)
            }
            parts.append(
                RunRule.Part(
                    name: field.key, key: paths(fields["key"], "\(place).key"), start: starts[0], end: ends[0],
                    in: within, inside: messageNames(fields["inside"], "\(place).inside"),
                    before: messageNames(fields["before"], "\(place).before"),
                    within: duration(fields["within"], "\(place).within"), line: line(field.mark)))
        }
        return parts
    }
}
