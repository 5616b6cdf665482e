package import Contracts
package import Journaling
import Wire

/// Everything a session machine needs to know beforehand; one value shared by all sessions of a proxy.
package struct SessionConfiguration: Sendable {
    package private(set) var profile: Profile?
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
    /// Where sessions wait for one another.
    package var rendezvous: Rendezvous

    /// What users said and were told before.
    package var past: Past
    /// What faults hold in all sessions (trust.md L10).
    package var held: HeldBytes

    /// Compression contexts are followed on every session, so that a fault which comes later can change messages.
    package var followsContexts: Bool

    /// The profile's faults, made once. A rule that no fault takes is left out: `ProfileLoader` refuses such profiles.
    private(set) var armed: [ArmedRule]
    let recognizer: Recognizer?

    /// Users whose credentials some fault may take to another of them.
    private(set) var borrows: [String]

    /// What the dice know of the profile. It is the run's first one for good: where others take its place, faults that
    /// stay decide as they did.
    private(set) var diceName: String

    /// How faults of the profile reach beyond their sessions.
    private(set) var joins: Set<Joining>

    /// Some fault takes messages from one session to another.
    package var crosses: Bool { armed.contains(where: \.crosses) }

    package init(
        profile: Profile? = nil, contract: Contract? = nil, seed: UInt64 = 1, limits: Limits = .standard,
        finder: any SecretFinder = StandardSecrets(), record: Bool = true, enrolment: Enrolment = Enrolment(),
        lender: CredentialLender = CredentialLender(), rendezvous: Rendezvous = Rendezvous(),
        held: HeldBytes = HeldBytes(), past: Past = Past(), followsContexts: Bool = false
    ) {
        self.past = past
        self.held = held
        self.rendezvous = rendezvous
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.limits = limits
        self.finder = finder
        self.record = record
        self.enrolment = enrolment
        self.lender = lender
        armed = Self.armed(profile)
        borrows = armed.flatMap(\.fault.borrows)
        joins = Set(armed.flatMap(\.fault.joins))
        recognizer = contract.map { Recognizer($0) }
        diceName = profile.map { "\($0.name) \($0.hash)" } ?? ""
        self.followsContexts = followsContexts || profile != nil
    }

    private static func armed(_ profile: Profile?) -> [ArmedRule] {
        guard let profile else { return [] }
        return profile.faults.compactMap { ArmedRule($0, profile.scope) }
    }

    /// The same proxy with another profile.
    package func with(_ profile: Profile?) -> SessionConfiguration {
        var other = self
        other.profile = profile
        other.armed = Self.armed(profile)
        other.borrows = other.armed.flatMap(\.fault.borrows)
        other.joins = Set(other.armed.flatMap(\.fault.joins))
        other.followsContexts = followsContexts || profile != nil
        if diceName.isEmpty, let profile { other.diceName = "\(profile.name) \(profile.hash)" }
        return other
    }

    /// Some rule of that id may act.
    func names(_ fault: String) -> Bool { armed.contains { $0.rule.id == fault } }

    /// For sessions that faults opened.
    var withoutFaults: SessionConfiguration {
        SessionConfiguration(contract: contract, seed: seed, limits: limits, finder: finder, record: record)
    }
}
