package import Journaling
package import Plans

package struct CredentialForge: Mutator {
    package static let name = "credential-forge"
    package static let level = MutatorLevel.handshake
    package static let summary = "The credential is signed with another key."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        BadCredential.mutate(plan, .forged, in: workshop, dice: &dice)
    }
}
