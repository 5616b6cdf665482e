package import Contracts
package import Journaling
import Wire

/// Everything a session machine needs to know beforehand; one value shared by all sessions of a proxy.
package struct SessionConfiguration: Sendable {
    package let profile: Profile?
    package let contract: Contract?
    package var seed: UInt64
    package var limits: Limits
    /// Finds the credential and the user of a request head, by the contract or by custom.
    package var finder: any SecretFinder
    /// False: no `RawEntry` is made for heads, frames and bytes (nobody reads them); faults, limits and ends still are.
    package var record: Bool
    /// Behind exchanges that are no upgrade, or a refused one, the connection is followed to the next upgrade, and the shell
    /// obeys `succeed`.
    package var followsExchanges = false
    /// Counts that all sessions share: connection ordinals, the profile's whole budget, when it began.
    package var enrolment: Enrolment
    /// What those who are connected, and whom the profile names, may be asked to lend.
    package var lender: CredentialLender

    /// The profile's faults, made once. A rule that no fault takes is left out: `ProfileLoader` refuses such profiles.
    let armed: [ArmedRule]
    let recognizer: Recognizer?

    /// Users whose credentials some fault may take to another of them.
    let borrows: [String]

    /// Some fault takes messages from one session to another.
    package var crosses: Bool { armed.contains(where: \.crosses) }

    package init(
        profile: Profile? = nil, contract: Contract? = nil, seed: UInt64 = 1, limits: Limits = .standard,
        finder: any SecretFinder = StandardSecrets(), record: Bool = true, enrolment: Enrolment = Enrolment(),
        lender: CredentialLender = CredentialLender()
    ) {
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.limits = limits
        self.finder = finder
        self.record = record
        self.enrolment = enrolment
        self.lender = lender
        armed = (profile?.faults ?? []).compactMap(ArmedRule.init)
        borrows = armed.flatMap(\.fault.borrows)
        recognizer = contract.map(Recognizer.init)
    }
}
