import Wire

/// What a finding was found with (oracle.md, "Evidence" 6): enough to have it again.
package struct RunFacts: Sendable, Equatable {
    package var seed: UInt64?
    /// The file, and the first 6 hex digits over its text: `corpus/bugs/B05.plan 3f9c21`.
    package var plan: String?
    /// `delayed-accept 9be012`, `none`.
    package var profile: String?
    /// `agent-chat 930698`
    package var contract: String?
    /// Of miswire.
    package var version: String

    package init(seed: UInt64?, plan: String? = nil, profile: String? = nil, contract: String? = nil, version: String) {
        self.seed = seed
        self.plan = plan
        self.profile = profile
        self.contract = contract
        self.version = version
    }

    /// What is not known is left out.
    var json: JSON {
        var members: [JSON.Member] = []
        if let seed { members.append(.init(key: "seed", value: .number(String(seed)))) }
        for (key, text) in [("plan", plan), ("profile", profile), ("contract", contract), ("version", version)] {
            if let text { members.append(.init(key: key, value: .string(text))) }
        }
        return .object(members)
    }
}
