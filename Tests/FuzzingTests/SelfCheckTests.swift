import Contracts
import Journaling
import Oracles
import Profiles
import Testing

@testable import Fuzzing

@Suite struct SelfCheckTests {
    @Test func everyPropertyHasItsSpecimen() throws {
        let outcome = SelfCheck.run(try ContractLoader().load("agent-chat"))
        #expect(outcome.missed == [])
        #expect(outcome.caught == PropertyRegistry.all.map { $0.id })
    }

    /// A judge that hears nothing catches nothing: the check can fail.
    @Test func aContractWithoutRulesCatchesNothingButEarlyBytes() {
        let outcome = SelfCheck.run(Contract(name: "empty"))
        #expect(outcome.missed.contains("E3") && outcome.missed.contains("I2"))
    }
}
