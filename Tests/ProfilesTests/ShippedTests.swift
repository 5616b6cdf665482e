import Contracts
import Faults
import Testing

@testable import Profiles

@Suite("Shipped profiles and contracts")
struct ShippedTests {
    @Test(arguments: ContractLoader.shipped)
    func contractReadsWithoutAnyComplaint(name: String) throws {
        #expect(ConfigurationCheck.check(name).errors.map(\.plain) == [])
        let contract = try ContractLoader().load(name)
        #expect(contract.name == name)
        #expect(contract.hash.count == 6)
        #expect(contract.file == name + ".yaml")
    }

    @Test(arguments: ProfileLoader.shipped)
    func profileReadsWithoutAnyComplaint(name: String) throws {
        #expect(ConfigurationCheck.check(name).errors.map(\.plain) == [])
        let profile = try ProfileLoader().load(name)
        #expect(profile.name == name)
        #expect(!profile.about.isEmpty)
        #expect(profile.contract == "agent-chat")
    }
}
