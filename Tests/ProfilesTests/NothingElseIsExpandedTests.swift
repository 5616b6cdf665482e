import Contracts
import Testing

@testable import Profiles

/// `${NAME}` means something in texts of faults and nowhere else (trust.md T32).
@Suite struct NothingElseIsExpandedTests {
    @Test func contractsAreData() throws {
        let contract = try ContractLoader.parse(
            text: "miswire-contract: 1\nname: c\nabout: costs ${HOME}\nwire: { type: type }\nrequests: { \"${HOME}\": {} }\ndictionary: [\"${HOME}\"]\n",
            file: "c.yaml")
        #expect(contract.about == "costs ${HOME}")
        #expect(contract.requests.map(\.name) == ["${HOME}"])
        #expect(contract.text.contains("${HOME}"))
    }

    @Test func ofProfilesOnlyTextsOfFaults() throws {
        let text = """
            miswire: 1
            name: p
            about: ${HOME}
            scope: { users: ["${HOME}"], paths: ["/${HOME}"] }
            faults:
              - { fault: drop, when: { user: "${HOME}", path: "/${HOME}", match: { type: "${HOME}" } } }
            """
        let profile = try ProfileLoader.parse(text: text, file: "p.yaml")
        #expect(profile.about == "${HOME}" && profile.scope.users.map(\.text) == ["${HOME}"])
        #expect(profile.faults.first?.when.user?.text == "${HOME}" && profile.faults.first?.when.path?.text == "/${HOME}")
        #expect(profile.secrets.isEmpty)
    }
}
