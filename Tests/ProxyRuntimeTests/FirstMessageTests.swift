import Contracts
import Faults
import Journaling
import NIOCore
import Profiles
import ProxyRuntime
import Testing
import Wire

/// On sockets: two clients who say in their first message who they are; `IdentityTests` has every place on the machine.
@Suite(.timeLimit(.minutes(5))) struct FirstMessageTests {
    private static let contract = """
        miswire-contract: 1
        name: places
        wire: { type: type }
        identity: { credential: [header authorization, request auth token], user: credential|jwt.sub }
        requests: { auth: {}, ask: {} }
        events: { told: {} }

        """
    private static let profile = "miswire: 1\nname: p\nfaults:\n  - { fault: drop, when: { user: alice, to: client } }\n"

    private static func says(_ user: String) -> [UInt8] {
        let token = JWT.sign(.object([.init(key: "sub", value: .string(user))]), key: Array("k".utf8))
        return Sample.text(#"{"type":"auth","token":"\#(token)"}"#, masked: true)
    }

    @Test func faultsOnOneOfThem() async throws {
        let told = (0...1).map { Sample.text(#"{"type":"told","n":\#($0)}"#, masked: false) }
        let server = try await RawServer { peer in
            let opening = Sample.request().utf8.count
            _ = try await peer.prefix(opening)
            try await peer.send(Sample.accepted)
            try await peer.send(told[0])
            // Whoever has said a name is told once more.
            _ = try await peer.prefix(opening + Self.says("bob").count)
            try await peer.send(told[1])
            try await peer.finish()
        }
        let contract = try ContractLoader.parse(text: Self.contract, file: "places.yaml")
        let profile = try ProfileLoader.parse(text: Self.profile, file: "p.yaml")
        let proxy = try await proxy(to: server.port) { options in
            options.profile = profile
            options.contract = contract
            options.judge = true
        }
        for user in ["alice", "bob"] {
            let client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send(Sample.request())
            var due = Array(Sample.accepted.utf8) + told[0]
            _ = try await client.prefix(due.count)
            try await client.send(Self.says(user))
            if user == "bob" { due += told[1] }
            #expect(try await client.everything() == due, "\(user)")
            await client.close()
        }
        let result = await proxy.drain(grace: .seconds(10))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(proxy.faultsActed == 1)
    }
}
