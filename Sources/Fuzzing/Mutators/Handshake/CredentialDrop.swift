package import Journaling
package import Plans

package struct CredentialDrop: Mutator {
    package static let name = "credential-drop"
    package static let level = MutatorLevel.handshake
    package static let summary = "A user, or a stranger, connects without a credential."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        BadCredential.mutate(plan, nil, in: workshop, dice: &dice)
    }
}
