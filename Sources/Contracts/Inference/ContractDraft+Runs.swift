import Wire

extension ContractDraft {
    mutating func writeLinks() {
        guard without[.links] == nil, !choices.links.isEmpty else { return }
        let texts = choices.links.map { $0.request == $0.event ? $0.request : "\($0.request) = \($0.event)" }
        let hits = choices.links.reduce(0) { $0 + $1.hits }
        let misses = choices.links.reduce(0) { $0 + $1.misses }
        yaml.line(
            0, "link", CommentedYAML.list(texts),
                why: "the client's value came back in \(hits) of \(Self.count(hits + misses, "event"))")
    }

    /// `run_id` is the key of run.
    func runName(_ run: InferredChoices.Run) -> String {
        let words = InferredName.words(run.path).filter { !["id", "uuid", "key", "ref"].contains($0) }
        return words.isEmpty ? "run" : words.joined(separator: "-")
    }

    mutating func writeRuns() {
        guard without[.runs] == nil, let run = choices.run else { return }
        let starter = starter()
        yaml.line(0, "runs")
        yaml.line(1, runName(run))
        yaml.line(
            2, "key", CommentedYAML.value(run.path),
            why: "\(run.ended) of \(Self.count(run.count, "run")) came to an end, after \(Self.shown(follow.longestRun)) at most")
        if starter == nil || run.count < scale.plenty {
            yaml.line(2, "unasked", "true", why: starter == nil ? "nothing that was asked began them"
                : "\(run.count) of \(run.count) were asked for, too few to forbid others")
        }
        yaml.line(2, "states")
        let first = CommentedYAML.key(events[run.first].name)
        yaml.line(3, "asked", "{ \(first): running }", why: "the first event of \(run.count) of \(run.count)")
        let parts = without[.parts] == nil ? self.parts() : []
        let closed = Set(parts.filter(\.isSure).flatMap { [$0.pair.start, $0.pair.end] })
        let edges = run.members.filter { $0 != run.first && !closed.contains($0) }.map { kind in
            (events[kind].name, run.ends.contains(kind) ? "done" : "running")
        }
        yaml.line(3, "running", CommentedYAML.map(edges), why: "what is done came last each time")
        let hasKeylessErrors = choices.errors.contains { !run.members.contains($0) }
        let isBounded = run.ended >= scale.plenty && run.ended == run.count && !hasKeylessErrors
        yaml.line(
            2, "hot", "{ running: \(isBounded ? Self.bound(follow.longestRun, times: 20, least: 120) : "never") }",
            why: isBounded ? "twenty times the longest" : "the longest took \(Self.shown(follow.longestRun)); a bound asks for an end")
        writeParts(parts, run)
    }

    private struct Part {
        var pair: InferredChoices.Pair
        var key: String?
        var tally: InferenceFollow.PairTally
        var isSure: Bool
    }

    /// Beginnings that each had their end, by the first way of telling them apart that fits.
    private func parts() -> [Part] {
        var parts: [Part] = []
        var used: Set<Int> = []
        for (place, pair) in choices.pairs.enumerated() where !used.contains(pair.start) && !used.contains(pair.end) {
            guard let way = follow.pairs[place].indices.first(where: { follow.pairs[place][$0].bad == 0 }) else { continue }
            let tally = follow.pairs[place][way]
            guard tally.closed > 0 else { continue }
            used.formUnion([pair.start, pair.end])
            parts.append(Part(pair: pair, key: pair.keys[way], tally: tally, isSure: tally.closed >= scale.kept))
        }
        return parts
    }

    private mutating func writeParts(_ parts: [Part], _ run: InferredChoices.Run) {
        guard !parts.isEmpty else { return }
        if parts.contains(where: \.isSure) { yaml.line(2, "parts") } else { yaml.comment(2, "parts:") }
        let ends = run.ends.filter { !choices.errors.contains($0) }.map { events[$0].name }
        for part in parts {
            var fields: [(key: String, value: String)] = []
            if let key = part.key { fields.append(("key", CommentedYAML.value(key))) }
            fields.append(("start", CommentedYAML.value(events[part.pair.start].name)))
            fields.append(("end", CommentedYAML.value(events[part.pair.end].name)))
            fields.append(("in", "running"))
            if !ends.isEmpty { fields.append(("before", CommentedYAML.list(ends))) }
            fields.append(("within", Self.bound(part.tally.longest, times: 20, least: 120)))
            let name = InferredName.stem(events[part.pair.start].name)
            let why = "\(part.tally.closed) of \(part.tally.closed) were ended, after \(Self.shown(part.tally.longest)) at most"
            if part.isSure {
                yaml.line(3, name, CommentedYAML.map(fields), why: why)
            } else {
                yaml.comment(3, "\(CommentedYAML.key(name)): \(CommentedYAML.map(fields))   candidate: \(why)")
            }
        }
    }

    // MARK: Errors

    mutating func writeErrors() {
        guard without[.errors] == nil, !choices.errors.isEmpty else { return }
        let count = choices.errors.reduce(0) { $0 + events[$1].count }
        yaml.line(0, "errors")
        yaml.line(1, "event", CommentedYAML.list(choices.errors.map { events[$0].name }), why: Self.count(count, "event"))
        if let kind = errorKind() {
            yaml.line(1, "kind", CommentedYAML.value(kind.path))
            let words = CommentedYAML.list(kind.values.map(\.value))
            yaml.comment(1, "kinds: \(words)   those seen; written so, the list is closed, and rules can ask for each")
        }
        yaml.line(1, "ordered", "false", why: "order was not looked at")
        yaml.line(1, "recovers", "false", why: "nor what comes after an error")
    }

    /// Words of a program, not for people, in every error.
    private func errorKind() -> FieldTally? {
        let names = ["kind", "code", "error_code", "errorCode", "error.code", "error.kind", "error.type", "error", "reason",
            "payload.code"]
        for name in names {
            let fields = choices.errors.map { events[$0][name] }
            guard fields.allSatisfy({ $0 != nil }) else { continue }
            guard let field = fields.first ?? nil, let kind = choices.errors.first, events[kind].isAlways(field),
                !field.isMany else { continue }
            let isCode = field.word == "number" || field.word == "string"
                && field.values.allSatisfy { InferredName.isType($0.value, longest: 64) }
            if isCode { return field }
        }
        return nil
    }

    /// Requests that only errors answered. `accepted` keeps each from being must-reject.
    mutating func writeRefusals() {
        guard without[.errors] == nil, !choices.errors.isEmpty, plan.requestType != nil else { return }
        let refused = refusedKinds()
        guard !refused.isEmpty else { return }
        yaml.line(0, "reject", why: "take `accepted` out of a rule to demand the error")
        for kind in refused.prefix(32) {
            let tally = follow.answers[kind].map { self.refused($0) } ?? 0
            let when = CommentedYAML.map([(plan.requestType ?? "type", CommentedYAML.quoted("is:" + requests[kind].name))])
            yaml.item(
                1, "{ when: \(when), with: [any, accepted] }",
                why: "\(tally) of \(Self.count(requests[kind].count, "message")) met an error and no success")
        }
    }

    /// Fields that hold an instant in every message differ in each replay.
    mutating func writeVolatile() {
        var names: [String] = []
        for field in (events + requests).flatMap(\.fields) where field.present > 0 && field.instants == field.present {
            guard let last = field.path.split(separator: ".").last.map(String.init) else { continue }
            guard (try? Path(".." + last, deep: true)) != nil else { continue }
            if !names.contains(".." + last), names.count < 32 { names.append(".." + last) }
        }
        guard !names.isEmpty else { return }
        yaml.line(0, "volatile", "[" + names.map(CommentedYAML.quoted).joined(separator: ", ") + "]",
            why: "instants, in every message that had them")
    }
}
