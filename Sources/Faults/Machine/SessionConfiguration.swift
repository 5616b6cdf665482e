package import Contracts
import Journaling
package import NIOCore
import Wire

/// Everything a session machine needs to know beforehand; one value shared by all sessions of a proxy.
package struct SessionConfiguration: Sendable {
    package var profile: Profile?
    package var contract: Contract?
    package var seed: UInt64
    /// False: no `RawEntry` is made for bytes, heads or frames (nobody reads them); faults, limits and ends still are.
    package var record: Bool
    /// Counts that all sessions share: connection ordinals, the profile's whole budget, when it began.
    package var enrolment: Enrolment
    /// Reads who a request head (all its bytes) belongs to; nil when the contract does not tell.
    package var identify: @Sendable (ByteBuffer) -> String?

    package init(
        profile: Profile? = nil, contract: Contract? = nil, seed: UInt64 = 1, record: Bool = true,
        enrolment: Enrolment = Enrolment(), identify: @escaping @Sendable (ByteBuffer) -> String? = { _ in nil }
    ) {
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.record = record
        self.enrolment = enrolment
        self.identify = identify
    }
}
