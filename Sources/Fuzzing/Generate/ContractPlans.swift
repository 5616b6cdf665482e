import Contracts
package import Journaling
package import Plans

/// Plans from a contract alone, as decks of a fixed order: the same contract, words and users give the same plans.
package struct ContractPlans: Sendable {
    /// Each flow of the contract for one user, once for each place of a credential, once and twice on one connection.
    /// They hold nothing that the contract refuses.
    package let flows: Deck
    /// Flows that can be no plan, and why.
    package let leftOut: [(flow: String, reason: String)]
    /// Every rule, field and form of malformed message, a handful to a plan between two exchanges of a flow.
    package let boundaries: Deck
    /// Several users at once, values of others, and every kind of credential. Empty with a single user, but for the
    /// credentials.
    package let isolation: Deck
    private let conversation: Conversation

    package init(_ workshop: Workshop) {
        let stage = Stage(workshop)
        (flows, leftOut) = Self.flows(stage)
        let boundaries = Boundaries(stage)
        let trials = boundaries.trials
        self.boundaries = boundaries.deck(trials)
        isolation = Isolation(stage: stage).deck()
        conversation = Conversation(stage, trials: trials)
    }

    /// A small conversation of one to three users.
    package func fresh(_ dice: inout Dice) -> Plan { conversation.plan(&dice) }

    private static func flows(_ stage: Stage) -> (Deck, [(flow: String, reason: String)]) {
        var plans: [Plan] = []
        var leftOut: [(flow: String, reason: String)] = []
        let user = stage.soloist
        for flow in stage.contract.flows {
            let script: FlowScript
            do { script = try FlowScript(flow, in: stage.contract, user: user) } catch {
                leftOut.append((flow.name, error.reason))
                continue
            }
            for (index, credential) in stage.credentials.enumerated() {
                for again in index == 0 ? [false, true] : [false] {
                    var builder = PlanBuilder("The flow \(flow.name)\(again ? ", and its end once more" : "").")
                    builder.user(user, credential)
                    builder.add(user, stage.entrance)
                    builder.add(user, script.verbs + (again ? script.last : []))
                    plans.append(builder.plan)
                }
            }
        }
        if stage.contract.flows.isEmpty {
            // Nothing is promised but the upgrade.
            plans = stage.credentials.map { credential in
                var builder = PlanBuilder("The way in.")
                builder.user(user, credential)
                builder.add(user, stage.entrance)
                return builder.plan
            }
        }
        let made = plans
        return (Deck(count: made.count) { made[$0] }, leftOut)
    }
}
