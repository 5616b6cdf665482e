import Contracts
import Journaling
import Plans
import Wire

/// Random small conversations: flows, requests with values of every kind, refused ones, waits.
struct Conversation: Sendable {
    let stage: Stage
    private let trials: [Trial]

    init(_ stage: Stage, trials: [Trial]) {
        self.stage = stage
        self.trials = trials
    }

    private static let mostTurns = 8

    func plan(_ dice: inout Dice) -> Plan {
        let count = 1 + dice.below(min(3, stage.workshop.users.count))
        let users = stage.users(count)
        var builder = PlanBuilder()
        for user in users {
            let credential = stage.credentials[dice.below(stage.credentials.count)]
            builder.user(user, credential)
            builder.add(user, stage.entrance)
        }
        // Guards that some user still has to wait by.
        var owed: [(user: String, verbs: [Plan.Verb])] = []
        for _ in 0..<(2 + dice.below(Self.mostTurns - 1)) {
            let user = users[dice.below(users.count)]
            let verbs = turn(of: user, &dice)
            owed = owed.filter { debt in
                if debt.user == user { builder.add(user, debt.verbs) }
                return debt.user != user
            }
            if let first = verbs.first, first.sends, users.count > 1, dice.chance(0.5) {
                builder.add(user, first)
                owed.append((user, Array(verbs.dropFirst())))
            } else {
                builder.add(user, verbs)
            }
        }
        for debt in owed { builder.add(debt.user, debt.verbs) }
        return builder.plan
    }

    private func turn(of user: String, _ dice: inout Dice) -> [Plan.Verb] {
        switch dice.below(10) {
        case 0..<3: return stage.flow(of: user)?.last ?? [.quiet(.milliseconds(20))]
        case 3..<7:
            guard let verb = request(of: user, &dice) else { return stage.flow(of: user)?.last ?? [] }
            let isPatient = dice.chance(0.8)
            return [verb, isPatient ? stage.guards.behind(verb) : stage.guards.firstSign(of: verb)]
        case 7, 8:
            let light = trials.filter { !$0.ends }
            guard !light.isEmpty else { return stage.flow(of: user)?.last ?? [] }
            return stage.exchange(light[dice.below(light.count)].verb)
        default: return [.reconnect(cursor: nil)] + stage.arrival + (stage.flow(of: user)?.verbs ?? [])
        }
    }

    /// A request with some of its fields filled anew.
    private func request(of user: String, _ dice: inout Dice) -> Plan.Verb? {
        let contract = stage.contract
        guard !contract.requests.isEmpty else { return nil }
        if contract.wire.format == .raw {
            let texts = OddTexts.short.map(\.text) + stage.workshop.dictionary
            return .sendText(TemplateText.escaped(texts[dice.below(texts.count)]))
        }
        let messages = stage.messages(of: user)
        let rule = dice.below(contract.requests.count)
        guard var message = messages.message(of: rule) else { return nil }
        let values = ValueMaker(dictionary: stage.workshop.dictionary)
        let links = messages.linkKeys
        for field in messages.fields(of: rule) where !field.isIdentifier && !links.contains(field.keys) && dice.chance(0.5) {
            guard let value = values.conforming(field.test, dice: &dice) else { continue }
            message = message.setting(field.keys[...], to: value)
        }
        return TemplateText.verb(messages.linked(message))
    }
}
