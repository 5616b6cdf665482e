import Wire

extension ContractDraft {
    mutating func writeMessages() {
        let refused = refusedKinds()
        if requests.contains(where: { $0.count > 0 }) {
            yaml.line(0, "requests")
            for (index, kind) in requests.enumerated() where !refused.contains(index) {
                writeRequest(kind, index)
            }
            if study.requests.left > 0 { yaml.comment(1, "and \(study.requests.left) messages of more types") }
        }
        if !events.isEmpty {
            yaml.line(0, "events")
            for kind in events { writeEvent(kind) }
            if study.events.left > 0 { yaml.comment(1, "and \(study.events.left) messages of more types") }
        }
        if study.untyped > 0 { yaml.comment(0, "\(Self.count(study.untyped, "message")) had no type, or one more than are kept.") }
    }

    private mutating func writeRequest(_ kind: KindTally, _ index: Int) {
        var fields: [(key: String, value: String)] = []
        if let match = match(kind, isRequest: true) { fields.append(("match", match)) }
        if let shape = shape(kind, isRequest: true) { fields.append(("shape", shape)) }
        var why = Self.count(kind.count, "message")
        if starter() == index, let run = choices.run {
            fields.append(("starts", runName(run)))
            why += ", \(follow.starts[index]?.matched ?? 0) of \(Self.count(run.count, "run")) came after one"
        } else if let answer = answer(index) {
            fields.append(("answer", CommentedYAML.list(answer.names)))
            fields.append(("within", answer.within))
            why += ", " + answer.why
        }
        yaml.line(1, kind.name, fields.isEmpty ? "{}" : CommentedYAML.map(fields), why: why)
    }

    private mutating func writeEvent(_ kind: KindTally) {
        var fields: [(key: String, value: String)] = []
        if let match = match(kind, isRequest: false) { fields.append(("match", match)) }
        if without[.shapes] == nil, let shape = shape(kind, isRequest: false) { fields.append(("shape", shape)) }
        yaml.line(1, kind.name, fields.isEmpty ? "{}" : CommentedYAML.map(fields), why: Self.count(kind.count, "message"))
    }

    /// Needed where the type stands elsewhere than `wire.type` says, or nowhere.
    private func match(_ kind: KindTally, isRequest: Bool) -> String? {
        let wire = plan.eventType ?? plan.requestType
        let own = isRequest ? plan.requestType : plan.eventType
        if own == nil { return "<any>" }
        guard let own, own != wire else { return nil }
        return CommentedYAML.map([(own, CommentedYAML.quoted("is:" + kind.name))])
    }

    /// A field that stood in each of enough messages is required, another may be left out. What is in an object that
    /// may be left out is not said.
    private mutating func shape(_ kind: KindTally, isRequest: Bool) -> String? {
        let type = isRequest ? plan.requestType : plan.eventType
        var fields: [(key: String, value: String)] = []
        var required: Set<String> = [""]
        for field in kind.fields where field.path != type {
            guard required.contains(field.outer), (try? Path(field.path)) != nil else { continue }
            let isRequired = kind.count >= scale.required && kind.isAlways(field)
            guard let word = word(field, kind, isRequired: isRequired, isRequest: isRequest), takeField() else { continue }
            if isRequired, field.word == "object" { required.insert(field.path) }
            fields.append((field.path, word))
        }
        return fields.isEmpty ? nil : CommentedYAML.map(fields)
    }

    private func word(_ field: FieldTally, _ kind: KindTally, isRequired: Bool, isRequest: Bool) -> String? {
        if isRequired, let values = enumerated(field, kind, isRequest: isRequest) { return values }
        guard let word = field.word else { return isRequired ? "<any>" : nil }
        guard isRequired else { return "<\(word)|null|absent>" }
        // An identifier that is empty names nothing.
        return word == "string" && !field.isEmptyText && InferredName.isIdentifier(field.path) ? "<text>" : "<\(word)>"
    }

    /// The few words that a client says there, and the one that a protocol writes into each message. What a server may
    /// say tomorrow is not in what it said: its words are never listed.
    private func enumerated(_ field: FieldTally, _ kind: KindTally, isRequest: Bool) -> String? {
        guard !field.isMany, field.word == "string", field.instants == 0 else { return nil }
        // A version is new tomorrow; that of JSON-RPC is its name.
        let isVersion = !Set(InferredName.words(field.path)).isDisjoint(with: ["version", "protocol", "ver", "build", "release", "v"])
        guard kind.count >= scale.plenty, isRequest || field.path == "jsonrpc" && field.values.count == 1 else { return nil }
        guard !isVersion, !InferredName.isIdentifier(field.path) else { return nil }
        guard field.values.count <= 8, field.values.allSatisfy({ InferredName.isType($0.value, longest: 32) && $0.count >= 3 }) else {
            return nil
        }
        let words = field.values.map { CommentedYAML.quoted("is:" + $0.value) }
        return words.count == 1 ? words[0] : "[" + words.joined(separator: ", ") + "]"
    }

    // MARK: What answers

    /// Exactly one event of these came each time, by a link or next on the connection.
    func answer(_ kind: Int) -> (names: [String], within: String, why: String)? {
        guard without[.answers] == nil, let tally = follow.answers[kind] else { return nil }
        let count = requests[kind].count
        let within = Self.bound(tally.longest, times: 20, least: 30)
        let linked = tally.linked.filter { !choices.errors.contains($0.key) }
        let byLink = linked.values.reduce(0, +)
        if byLink >= scale.kept, tally.several == 0, tally.none == 0, linked.count <= 3, !carriesRun(linked.keys.sorted()) {
            let names = linked.keys.sorted().map { events[$0].name }
            return (names, within, "\(byLink) of \(count) were answered so, after \(Self.shown(tally.longest)) at most")
        }
        let next = tally.next.filter { !choices.errors.contains($0.key) }
        guard follow.choices.links.isEmpty || tally.linked.isEmpty, next.count == 1, let only = next.keys.first else { return nil }
        let seen = next[only] ?? 0
        guard seen >= scale.required, tally.overtaken == 0, seen + tally.unanswered >= count, !carriesRun([only]) else { return nil }
        // It never came for another reason.
        let all = follow.answers.values.reduce(0) { $0 + ($1.next[only] ?? 0) }
        guard events[only].count == all else { return nil }
        return ([events[only].name], within,
            "next came \(events[only].name) \(seen) of \(count) times, after \(Self.shown(tally.longest)) at most")
    }

    private func carriesRun(_ kinds: [Int]) -> Bool {
        guard without[.runs] == nil, let run = choices.run else { return false }
        return kinds.contains { run.members.contains($0) }
    }

    /// How many met an error: next on their connection, or by a link.
    func refused(_ tally: InferenceFollow.AnswerTally) -> Int {
        func count(_ table: [Int: Int]) -> Int { table.filter { choices.errors.contains($0.key) }.values.reduce(0, +) }
        return max(count(tally.next), count(tally.linked))
    }

    /// Types of requests that met nothing but errors: no model for what clients say.
    func refusedKinds() -> [Int] {
        guard without[.refusals] == nil else { return [] }
        return requests.indices.filter { kind in
            guard starter() != kind, let tally = follow.answers[kind], !tally.next.isEmpty else { return false }
            let refused = self.refused(tally)
            let isElse = tally.next.keys.contains { !choices.errors.contains($0) }
                || tally.linked.keys.contains { !choices.errors.contains($0) }
            return !isElse && 2 * refused >= requests[kind].count
        }
    }

    /// The type of request behind which the runs began.
    func starter() -> Int? {
        guard without[.runs] == nil, let run = choices.run else { return nil }
        let able = follow.starts.filter { $0.value.matched == run.count && 2 * $0.value.matched >= requests[$0.key].count }
        return able.keys.sorted().min { requests[$0].count < requests[$1].count }
    }
}
