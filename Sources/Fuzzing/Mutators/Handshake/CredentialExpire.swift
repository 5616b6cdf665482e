package import Journaling
package import Plans

package struct CredentialExpire: Mutator {
    package static let name = "credential-expire"
    package static let level = MutatorLevel.handshake
    package static let summary = "The credential was over long ago."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        BadCredential.mutate(plan, .expired, in: workshop, dice: &dice)
    }
}
