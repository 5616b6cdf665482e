package import Journaling
package import Plans

package struct CredentialCorrupt: Mutator {
    package static let name = "credential-corrupt"
    package static let level = MutatorLevel.handshake
    package static let summary = "The credential's signature has lost its end."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        BadCredential.mutate(plan, .corrupt, in: workshop, dice: &dice)
    }
}
