import Contracts
import Plans
import Wire

/// A single message that a contract is tried with.
struct Trial: Sendable {
    /// `agent_started without user_id`
    var name: String
    var verb: Plan.Verb
    /// It may well end the connection: whatever follows needs a new one.
    var ends = false
}

/// Every message that the contract gives reason to try, nearest to its words first.
struct Boundaries: Sendable {
    let stage: Stage
    private let messages: MessageMaker
    private let values: ValueMaker

    init(_ stage: Stage) {
        self.stage = stage
        messages = stage.messages(of: stage.soloist)
        values = ValueMaker(dictionary: stage.workshop.dictionary)
    }

    private var contract: Contract { stage.contract }

    /// All messages that leave a connection usable if the server is sound, then those that may well end it.
    var trials: [Trial] { (contract.wire.format == .raw ? rawTexts() : jsonTrials()) + endingTrials() }

    /// In plans of `width` messages between two exchanges of the flow, those that end connections one by one.
    func deck(_ trials: [Trial], width: Int = 5) -> Deck {
        let light = trials.filter { !$0.ends }
        var groups = stride(from: 0, to: light.count, by: width).map { Array(light[$0..<min($0 + width, light.count)]) }
        groups += trials.filter(\.ends).map { [$0] }
        let plans = groups
        let stage = stage
        return Deck(count: plans.count) { Self.plan(plans[$0], stage) }
    }

    private func jsonTrials() -> [Trial] {
        let malformed = malformedTrials()
        let invalid = invalids()
        // A few of everything in front: a short run shall have met each kind.
        var trials = rejects(overlaid: false)
        trials += malformed.prefix(4)
        trials += invalid.prefix(6)
        trials += words()
        trials += rejects(overlaid: true)
        trials += invalid.dropFirst(6)
        trials += malformed.dropFirst(4)
        trials += unknowns()
        trials += conforming()
        trials += toleratedTrials()
        return trials
    }

    private static func plan(_ trials: [Trial], _ stage: Stage) -> Plan {
        let user = stage.soloist
        var builder = PlanBuilder("Boundaries: " + trials.map(\.name).joined(separator: ", ") + ".")
        builder.user(user, stage.credential)
        builder.add(user, stage.entrance)
        if let flow = stage.flow(of: user) { builder.add(user, flow.verbs) }
        for trial in trials {
            builder.add(user, stage.exchange(trial.verb))
            if trial.ends { builder.add(user, [.reconnect(cursor: nil)] + stage.arrival) }
        }
        if let flow = stage.flow(of: user) {
            builder.add(user, trials.last?.ends == true ? flow.verbs : flow.last)
        }
        return builder.plan
    }

    // What the rules of `reject` name

    private func rejects(overlaid: Bool) -> [Trial] {
        contract.reject.indices.flatMap { index -> [Trial] in
            var made: [JSON] = []
            if !overlaid, let probe = contract.probe(for: index) { made.append(probe) }
            for case .pattern(let pattern) in contract.reject[index].when where !pattern.asksForeign {
                guard case .fields(let fields) = pattern.test else { continue }
                made += alternatives(fields, on: overlaid ? base(fields) : .object([]))
            }
            var known: Set<JSON> = []
            return made.filter { known.insert($0).inserted }.prefix(16).enumerated().map { number, message in
                Trial(name: "rule \(index + 1), form \(number + 1)", verb: TemplateText.verb(messages.linked(message)))
            }
        }
    }

    /// The valid message of the request that these conditions speak of.
    private func base(_ fields: [Pattern.Field]) -> JSON {
        let literal = Pattern.Test.fields(fields).literal ?? .object([])
        let read = stage.workshop.recognizer.recognise(literal, direction: .toServer)
        return read.rule.flatMap { messages.message(of: $0) } ?? .object([])
    }

    /// The message with these conditions met, in every combination of their alternatives, 16 at most.
    private func alternatives(_ fields: [Pattern.Field], on base: JSON) -> [JSON] {
        var made = [base]
        for field in fields {
            guard let keys = field.path.keys, !keys.isEmpty else { return [] }
            let forms = values.conformingForms(field.test).filter { $0.change != .value(base) }
            let exact = isOpen(field.test) ? Array(forms.prefix(2)) : forms
            made = made.flatMap { message in
                exact.prefix(8).map { form in
                    switch form.change {
                    case .value(let value): message.setting(keys[...], to: value)
                    case .missing: message.removing(keys[...])
                    }
                }
            }
            made = Array(made.prefix(16))
        }
        return made
    }

    /// It takes more than a list of values.
    private func isOpen(_ test: Pattern.Test) -> Bool {
        switch test {
        case .equal: false
        case .glob(let glob): !glob.isExact
        case .anyOf(let tests): tests.contains(where: isOpen)
        case .words(let words): !words.isSubset(of: [.absent, .null, .boolean])
        case .fields, .regex: true
        }
    }

    // What the shapes of requests name

    private func eachField(_ body: (_ request: String, _ message: JSON, _ field: MessageMaker.Field) -> [Trial]) -> [Trial] {
        contract.requests.indices.flatMap { rule -> [Trial] in
            guard let message = messages.message(of: rule), case .object = message else { return [] }
            return messages.fields(of: rule).flatMap { body(contract.requests[rule].name, message, $0) }
        }
    }

    private func invalids() -> [Trial] {
        eachField { request, message, field in
            values.violatingForms(field.test).map { trial(request, message, field, $0) }
        }
    }

    private func conforming() -> [Trial] {
        eachField { request, message, field in
            if field.isIdentifier { return [] }
            // Credentials are all alike: a few that nobody gave out will do.
            let forms = values.conformingForms(field.test, heavy: !field.isCredential)
            return forms.prefix(field.isCredential ? 3 : forms.count).map { trial(request, message, field, $0) }
        }
    }

    /// Words of the dictionary, two fields at a time: what a team lists often works only together.
    private func words() -> [Trial] {
        let words = stage.workshop.dictionary.prefix(12)
        return contract.requests.indices.flatMap { rule -> [Trial] in
            guard let message = messages.message(of: rule), case .object = message else { return [] }
            let links = messages.linkKeys
            let open = messages.fields(of: rule).filter { field in
                !field.isIdentifier && !field.isCredential && !links.contains(field.keys) && field.test.holds("x")
            }
            guard let first = open.first else { return [] }
            return words.flatMap { word -> [Trial] in
                let one = message.setting(first.keys[...], to: .string(word))
                let name = "\(contract.requests[rule].name) with \(first.name) \(word)"
                guard open.count > 1 else { return [Trial(name: name, verb: verb(one))] }
                return open.dropFirst().flatMap { field in
                    words.map { other in
                        let text = "\(other) {canary}"
                        return Trial(
                            name: name + " and \(field.name) \(other)",
                            verb: verb(one.setting(field.keys[...], to: .string(text))))
                    }
                }
            }
        }
    }

    private func trial(_ request: String, _ message: JSON, _ field: MessageMaker.Field, _ form: ValueMaker.Form) -> Trial {
        let changed =
            switch form.change {
            case .value(let value): message.setting(field.keys[...], to: value)
            case .missing: message.removing(field.keys[...])
            }
        return Trial(name: "\(request), \(field.name) \(form.name)", verb: verb(changed), ends: field.isCredential)
    }

    private func verb(_ message: JSON) -> Plan.Verb { TemplateText.verb(messages.linked(message)) }

    // What no rule names

    private var sample: String {
        // Best one that is answered: then it shows whether the server lives.
        let rules = contract.requests.indices.sorted { one, other in
            let isAnswered = [one, other].map { contract.requests[$0].starts != nil || !contract.requests[$0].answer.isEmpty }
            return isAnswered[0] == isAnswered[1] ? one < other : isAnswered[0]
        }
        let any = rules.lazy.compactMap { messages.message(of: $0) }.first
        return TemplateText.marked(any.map { messages.linked($0) } ?? ["type": "x"])
    }

    private func malformedTrials() -> [Trial] {
        BadTexts.malformed(sample).map { Trial(name: $0.name, verb: TemplateText.verb(marked: $0.text)) }
    }

    private func toleratedTrials() -> [Trial] {
        BadTexts.tolerated(sample).map { Trial(name: $0.name, verb: TemplateText.verb(marked: $0.text)) }
    }

    private func unknowns() -> [Trial] {
        var trials = BadTexts.wrongTopLevels.map { Trial(name: $0.name, verb: TemplateText.verb(marked: $0.text)) }
        guard let keys = contract.wire.type?.keys else { return trials }
        let names = contract.requests.map(\.name)
        var types: [JSON] = ["no_such_type", "", .null, 0, true, [], [:]]
        types += names.prefix(4).flatMap { name -> [JSON] in
            [.string(name.uppercased()), .string(name + " "), .string(name + "\u{0}"), [.string(name)]]
        }
        types += contract.events.map { .string($0.name) }.filter { $0.string.map { !names.contains($0) } ?? false }.prefix(6)
        trials += types.map { type in
            Trial(name: "type \(type.text)", verb: verb(JSON.object([]).setting(keys[...], to: type)))
        }
        return trials
    }

    /// Binary frames, bytes that are no text, and messages that cost a lot.
    private func endingTrials() -> [Trial] {
        let sample = TemplateText.unmarked(sample, bare: false)
        var trials = [
            Trial(
                name: "a binary frame", verb: .sendBytes(BadTexts.frame(Array(sample.utf8), opcode: .binary)), ends: true)
        ]
        trials += BadTexts.invalidUTF8.map {
            Trial(name: $0.name, verb: .sendBytes(BadTexts.frame($0.bytes, opcode: .text)), ends: true)
        }
        if contract.wire.format == .json {
            trials += BadTexts.heavy(self.sample).map {
                Trial(name: $0.name, verb: TemplateText.verb(marked: $0.text), ends: true)
            }
        } else {
            trials += [65_535, 65_536, 1_048_576].map {
                Trial(name: "\($0) letters", verb: .sendText(OddTexts.long($0)), ends: true)
            }
        }
        return trials
    }

    private func rawTexts() -> [Trial] {
        var texts = OddTexts.short + [("empty", "")] + BadTexts.wrongTopLevels
        texts += OddTexts.lengths.map { ("\($0) letters", OddTexts.long($0)) }
        texts += stage.workshop.dictionary.map { ("the word \($0)", $0) }
        return texts.map { Trial(name: $0.name, verb: .sendText(TemplateText.escaped($0.text))) }
    }
}

extension JSON {
    /// A copy without that member.
    func removing(_ keys: ArraySlice<String>) -> JSON {
        guard let key = keys.first, case .object(let members) = self else { return self }
        if keys.count == 1 { return .object(members.filter { $0.key != key }) }
        return .object(members.map { $0.key == key ? .init(key: key, value: $0.value.removing(keys.dropFirst())) : $0 })
    }
}
