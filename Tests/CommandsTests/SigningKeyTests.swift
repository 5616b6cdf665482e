import Contracts
import Journaling
import NIOCore
import Profiles
import ProxyRuntime
import Testing
import Wire

@testable import Commands

/// Which key signs, and which one says that a credential of others is forged.
@Suite struct SigningKeyTests {
    private static func contract(_ mint: String) throws -> Contract {
        let text = "miswire-contract: 1\nname: t\nidentity: { credential: [header authorization]\(mint) }\n"
        return try ContractLoader.parse(text: text, file: "t.yaml")
    }

    @Test func theContractNamesTheVariable() throws {
        let mine = try Self.contract(", mint: { alg: HS512, key: env MINE }")
        #expect(SigningKey.signing(mine, ["MINE": "m", "MISWIRE_JWT_KEY": "d"]) == "m")
        #expect(SigningKey.checking(mine, ["MINE": "m"])?.text == "m" && SigningKey.checking(mine, ["MINE": "m"])?.isPresumed == false)
        #expect(SigningKey.checking(mine, ["MISWIRE_JWT_KEY": "d"]) == nil, "nobody told it")
        #expect(SigningKey.telling(mine, ["MINE": "m"]).map { "\($0)=\($1)" } == ["MISWIRE_JWT_KEY=miswire-development-key", "MINE=m"])
        #expect(SigningKey.checking(try Self.contract(""), ["MISWIRE_JWT_KEY": "d"]) == nil, "no mint")
        #expect(SigningKey.checking(nil, ["MISWIRE_JWT_KEY": "d"]) == nil)
    }

    @Test func theDevelopmentKeyIsAGuess() throws {
        let demo = try ContractLoader().load("agent-chat")
        let unset = try #require(SigningKey.checking(demo, ["MISWIRE_JWT_KEY": ""]))
        #expect(unset.text == SigningKey.development && unset.isPresumed)
        let named = try #require(SigningKey.checking(demo, ["MISWIRE_JWT_KEY": "theirs"]))
        #expect(named.text == "theirs" && !named.isPresumed)
        #expect(SigningKey.signing(demo, [:]) == SigningKey.development)
        #expect(SigningKey.telling(demo, ["MISWIRE_JWT_KEY": "x"]).map { "\($0)=\($1)" } == ["MISWIRE_JWT_KEY=x"])
    }

    /// Without `mint` nobody said that ours is the key.
    @Test func withoutMintNoSignatureIsChecked() throws {
        #expect(ContractSecrets(try Self.contract(""), key: [1]).verificationKey == nil)
        #expect(ContractSecrets(try Self.contract(", mint: { key: env K }"), key: [1]).verificationKey == [1])
        let health = ["ws://127.0.0.1:1", "--contract", "agent-chat", "--health-run", "60s"]
        for (words, isChecked) in [(health, false), (Array(health.prefix(3)), true)] {
            let options = try Proxy.parse(words).options()
            #expect((options.mintKey != nil) == (isChecked || !SigningKey.isDevelopment) , "a health run signs with the guess itself")
            #expect(options.finder.isKeyPresumed == SigningKey.isDevelopment)
        }
    }
}
