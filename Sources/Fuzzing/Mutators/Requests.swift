import Contracts
import Journaling
import NIOCore
import Plans
import Wire

/// Requests of the contract as steps of a plan.
extension Workshop {
    /// The declared request that a step sends; nil for none.
    func request(of verb: Plan.Verb) -> MessageRule? {
        guard case .send(let json) = verb, let template = try? PlanTemplate(json: json),
            let text = try? template.render(value: { _ in "x" }, variable: { _ in "x" })
        else { return nil }
        let name = recognizer.recognise(ByteBuffer(string: text), opcode: .text, direction: .toServer).name
        return contract.requests.first { $0.name == name }
    }

    func startsRun(_ verb: Plan.Verb) -> Bool { request(of: verb)?.starts != nil }

    /// A message of the contract (with its variables) as it stands in a plan.
    static func verb(sending message: JSON) -> Plan.Verb {
        if case .string(let text) = message { return .sendText(ReferenceText.literal(text)) }
        return .send(ReferenceText.literal(message.text))
    }

    /// A flow's steps; values that it keeps are named in no other way here.
    func verbs(of flow: Flow) -> [Plan.Verb] {
        flow.steps.map { step in
            switch step {
            case .send(let message): Self.verb(sending: message)
            case .await(let event, let within, _, _): .until([event], within: within ?? contract.deadline)
            }
        }
    }

    /// A request with an answer that is worth waiting for: part of a flow, or one that must be refused.
    func exchange(dice: inout Dice) -> [Plan.Verb]? {
        let probes = contract.probes
        if !probes.isEmpty, dice.chance(0.6), let probe = dice.pick(probes) {
            let errors = contract.errors?.event.joined(separator: "|") ?? ""
            let wait = Plan.Verb.until([errors], within: contract.errors?.within ?? contract.deadline)
            return [Self.verb(sending: probe.message)] + (errors.isEmpty ? [] : [wait])
        }
        return dice.pick(contract.flows).map { verbs(of: $0) }
    }

    /// The member that holds a run's key, when it is a plain one: `run_id`.
    var runKey: String? {
        contract.runs.flatMap(\.key).map(\.text).first { text in
            !text.isEmpty && text.utf8.allSatisfy { ReferenceText.isNameByte($0) }
        }
    }

    /// What tells that a run has begun: `agent_started|error`.
    var runBegins: String? {
        guard let edges = contract.runs.first?.states.first?.edges else { return nil }
        let names = edges.filter { !$0.name.isRequest && $0.name.glob.isExact }.map(\.name.glob.text)
        return names.isEmpty ? nil : names.joined(separator: "|")
    }

    /// Requests that name a run and start none, with that run's key: `{"type":"cancel","run_id":$run2.run_id}`.
    func requests(naming run: Int) -> [Plan.Verb] {
        guard let key = runKey, let type = contract.wire.type?.text,
            type.utf8.allSatisfy({ ReferenceText.isNameByte($0) })
        else { return [] }
        return contract.requests.compactMap { rule in
            guard rule.starts == nil, let shape = rule.shape, !rule.name.contains("*") else { return nil }
            var members = [JSON.Member(key: type, value: .string(rule.name))]
            // Each round adds the member that the shape misses first.
            for _ in 0..<8 {
                guard let missing = shape.violation(in: .object(members)) else { break }
                let field = String(missing.prefix { $0 != ":" })
                guard !members.contains(where: { $0.key == field }) else { return nil }
                let isNumber = missing.contains("number") || missing.contains("integer")
                members.append(JSON.Member(key: field, value: isNumber ? 1 : field == key ? .string("$") : "x"))
            }
            guard members.contains(where: { $0.key == key }), shape.holds(for: .object(members)) else { return nil }
            let text = members.map { member in
                let value = member.key == key ? "$run\(run).\(key)" : member.value.text
                return JSON.string(member.key).text + ":" + value
            }
            return .send("{" + text.joined(separator: ",") + "}")
        }
    }
}

extension Plan {
    /// Which of the user's runs the message there starts, from 1; nil when it starts none.
    func run(startedAt place: Int, in workshop: Workshop) -> Int? {
        guard steps.indices.contains(place), workshop.startsRun(steps[place].verb) else { return nil }
        let user = steps[place].user
        return steps[...place].count { $0.user == user && workshop.startsRun($0.verb) }
    }

    /// Messages that start runs.
    func starts(in workshop: Workshop) -> [Int] { sends().filter { workshop.startsRun(steps[$0].verb) } }
}
