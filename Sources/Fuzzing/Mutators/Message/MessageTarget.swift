import Contracts
import Journaling
import Plans
import NIOCore
import Wire

/// One message of a plan that a mutator is about to change.
struct MessageTarget {
    let plan: Plan
    /// Of its step.
    let index: Int
    let user: String
    let verb: Plan.Verb
    /// Marked text (`TemplateText`): JSON for `send`, the text itself for `send text`.
    let text: String

    /// Largest message that is looked at, and what all messages of a plan may come to.
    static let largest = 131_072
    static let largestPlan = 1_200_000

    /// - Parameter json: only messages that are JSON.
    init?(_ plan: Plan, json: Bool, dice: inout Dice, where isWanted: (String) -> Bool = { _ in true }) {
        let candidates = plan.steps.indices.compactMap { index -> (Int, String, String)? in
            guard let user = plan.steps[index].user, let text = Self.text(plan.steps[index].verb, json: json),
                isWanted(text)
            else { return nil }
            return (index, user, text)
        }
        guard !candidates.isEmpty else { return nil }
        let chosen = candidates[dice.below(candidates.count)]
        (index, user, text) = chosen
        verb = plan.steps[chosen.0].verb
        self.plan = plan
    }

    static func text(_ verb: Plan.Verb, json: Bool) -> String? {
        switch verb {
        case .send(let text) where text.utf8.count <= largest: TemplateText.marked(template: text)
        case .sendText(let text) where !json && text.utf8.count <= largest: text
        default: nil
        }
    }

    /// With the places of its values.
    var document: JSONDocument { JSONDocument(ByteBuffer(string: text)) }
    var isJSON: Bool { if case .send = verb { true } else { false } }

    /// Users of the plan beside the one who sends this.
    var others: [String] { plan.users.map(\.name).filter { $0 != user } }

    /// The plan with that marked text in place of the message; nil when nothing changed or it cannot be a plan.
    func replaced(by marked: String, in workshop: Workshop) -> Plan? {
        isJSON || marked.unicodeScalars.contains(TemplateText.opening)
            ? replaced(by: TemplateText.verb(marked: marked), in: workshop)
            : replaced(by: .sendText(marked), in: workshop)
    }

    func replaced(by edited: ByteBuffer, in workshop: Workshop) -> Plan? {
        replaced(by: String(buffer: edited), in: workshop)
    }

    /// What the guard behind it waits for follows what is owed to the new message.
    func replaced(by new: Plan.Verb, in workshop: Workshop) -> Plan? {
        guard new != verb, Self.names(new).allSatisfy(isKnown), plan.messageBytes + new.messageBytes <= Self.largestPlan
        else { return nil }
        var changed = plan
        changed.steps[index].verb = new
        let guards = Guards(workshop)
        let isRefused = if case .mustReject = guards.labels.label(new) { true } else { false }
        var isFirst = true
        for place in plan.steps.indices.dropFirst(index + 1) {
            let step = plan.steps[place]
            guard step.user == user, step.connection == plan.steps[index].connection else { continue }
            guard case .until(_, let bound) = step.verb else {
                if step.verb.isGuard { continue }
                break
            }
            if case .until(let names, _) = step.verb, names.contains("open") { break }
            let adapted = guards.admittingRefusal(step.verb)
            if isFirst, case .until(let names, _) = adapted {
                changed.steps[place].verb = .until(
                    names, within: min(bound, isRefused ? guards.errorBound : Guards.longestDoubt))
            } else if case .until(let names, _) = step.verb {
                changed.steps[place].verb = .until(names, within: min(bound, guards.errorBound))
            }
            isFirst = false
        }
        return changed.settled(from: plan, in: workshop)
    }

    /// That value in place of one of the message's own.
    func putting(_ value: JSON, _ workshop: Workshop, _ dice: inout Dice) -> Plan? {
        let document = document
        guard let node = document.any(document.inner, &dice) else { return nil }
        return replaced(by: document.replacing(document.nodes[node].range, with: value.text), in: workshop)
    }

    private func isKnown(_ name: String) -> Bool {
        if plan.users.contains(where: { $0.name == name }) { return true }
        return name.hasPrefix("run") && name.count > 3 && name.dropFirst(3).allSatisfy(\.isNumber)
    }

    static func names(_ verb: Plan.Verb) -> [String] {
        switch verb {
        case .send(let text): (try? PlanTemplate(json: text))?.names ?? []
        case .sendText(let text): PlanTemplate(text: text).names
        default: []
        }
    }
}

extension Plan {
    /// Bytes of all its messages.
    var messageBytes: Int { steps.reduce(0) { $0 + $1.verb.messageBytes } }
}

extension Plan.Verb {
    var messageBytes: Int {
        switch self {
        case .send(let text), .sendText(let text): text.utf8.count
        case .sendBytes(let bytes): 3 * bytes.count
        default: 0
        }
    }
}

extension JSONDocument {
    /// Values inside of the outermost one.
    var inner: [Int] { Array(nodes.indices.dropFirst()) }
    var membersOfObjects: [Int] { inner.filter { nodes[$0].keyRange != nil } }
    var objects: [Int] { nodes.indices.filter { nodes[$0].kind == .object } }
    var strings: [Int] { inner.filter { nodes[$0].kind == .string } }

    /// One of these nodes.
    func any(_ nodes: [Int], _ dice: inout Dice) -> Int? { nodes.isEmpty ? nil : nodes[dice.below(nodes.count)] }
}

extension Array {
    func any(_ dice: inout Dice) -> Element? { isEmpty ? nil : self[dice.below(count)] }
}
