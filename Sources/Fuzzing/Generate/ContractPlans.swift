package import Journaling
package import Plans

/// Plans from a contract alone, as decks of a fixed order: the same contract, words and users give the same plans.
package struct ContractPlans: Sendable {
    /// Each flow of the contract for one user, once for each place of a credential.
    package let flows: Deck
    /// Flows that can be no plan, and why.
    package let leftOut: [(flow: String, reason: String)]
    /// Every rule, field and form of malformed message, a handful to a plan between two exchanges of a flow.
    package let boundaries: Deck
    /// Several users at once, values of others, and every kind of credential.
    package let isolation: Deck

    package init(_ workshop: Workshop) {
        flows = .empty
        leftOut = []
        boundaries = .empty
        isolation = .empty
    }

    /// A small conversation of one to three users.
    package func fresh(_ dice: inout Dice) -> Plan { Plan() }
}
