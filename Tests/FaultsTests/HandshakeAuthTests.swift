import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// `drop-auth` beyond what one head alone allows: tokens past their time, other users' tokens, tokens in messages.
@Suite struct HandshakeAuthTests {
    static let key = Array("the contract's key".utf8)

    /// As a contract that names the key, the header and `request auth token`.
    struct KeyFinder: SecretFinder {
        private let names = NameFinder()
        var verificationKey: [UInt8]? { HandshakeAuthTests.key }
        var expectsJWT: Bool { true }
        func secrets(inRequest head: HeadView) -> [FoundSecret] { names.secrets(inRequest: head) }
        func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
        func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
            let document = JSONDocument(payload)
            guard let root = document.root, let node = document.member("token", of: root), let text = document.string(of: node)
            else { return [] }
            let range = document.nodes[node].range
            return [
                FoundSecret(
                    place: "request auth token", value: text, range: range.lowerBound + 1..<range.upperBound - 1,
                    isCredential: true)
            ]
        }
        func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
            names.users(inRequest: head, credential: credential)
        }
        func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? { nil }
    }

    private static func token(_ user: String, _ key: [UInt8] = key) -> String {
        JWT.sign(
            .object([
                .init(key: "sub", value: .string(user)), .init(key: "exp", value: .number("4000000000")),
                .init(key: "a", value: .null),
            ]),
            key: key)
    }

    private func begun(_ rules: FaultRule..., key: Bool = true) -> Net {
        var profile = Profile(name: "test")
        profile.faults = rules
        var net = Net(profile: profile)
        if key { net.configuration.finder = KeyFinder() }
        return net
    }

    private func bearer(_ token: String) -> String { "Authorization: Bearer \(token)\r\n" }

    private func head(_ net: inout Net, _ number: UInt32, _ user: String, _ token: String) -> (SessionID, String) {
        let id = net.open(number)
        net.send(.connected, to: id)
        net.client(id, Sample.request(user: user, fields: bearer(token)))
        return (id, String(buffer: net.takeServer(id)))
    }

    @Test func aTokenPastItsTimeIsSignedAllTheSame() throws {
        var net = begun(Sample.rule("drop-auth", ["how": ["expire"]]))
        let (id, sent) = head(&net, 1, "alice", Self.token("alice"))
        let start = Sample.request(user: "alice", fields: "Authorization: Bearer ").prefix { $0 != "B" }
        #expect(sent.hasPrefix(start))
        let old = try #require(JWT.first(in: sent))
        #expect(sent == Sample.request(user: "alice", fields: bearer(old.text)))
        #expect(old.isSigned(with: Self.key) && old.subject == "alice" && old.expires == 946_684_800)
        #expect(JWT.state(of: old.text, key: Self.key, now: 1_790_000_000) == .expired)
        #expect(net.faults(id).map(\.detail) == ["expired header authorization"])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func nobodyCanSignWithoutTheKey() {
        let rows = [(false, Self.token("alice")), (true, Self.token("alice", Array("another".utf8))), (true, "opaque-0123456789")]
        for (key, token) in rows {
            var net = begun(Sample.rule("drop-auth", ["how": ["expire"]]), key: key)
            let (id, sent) = head(&net, 1, "alice", token)
            #expect(sent == Sample.request(user: "alice", fields: bearer(token)))
            #expect(net.faults(id).map(\.applied) == [false])
        }
    }

    @Test func aSwapTakesTheCredentialOfWhoIsConnected() {
        var net = begun(Sample.rule("drop-auth", ["how": ["swap"], "among": ["alice", "bob"]]))
        let tokens = ["alice", "bob", "carol"].map { Self.token($0) }
        // Nobody is there yet to lend one.
        let (alice, first) = head(&net, 1, "alice", tokens[0])
        #expect(first == Sample.request(user: "alice", fields: bearer(tokens[0])))
        #expect(net.faults(alice).map(\.detail) == ["bob is not connected"])
        let (bob, second) = head(&net, 2, "bob", tokens[1])
        #expect(second == Sample.request(user: "bob", fields: bearer(tokens[0])))
        #expect(net.faults(bob).map(\.detail) == ["alice's credential in header authorization"])
        #expect(net.faults(bob).map(\.influence) == [Influence(.connection, [.success])])
        // Who is not named neither gets one nor gives one.
        let (carol, third) = head(&net, 3, "carol", tokens[2])
        #expect(third == Sample.request(user: "carol", fields: bearer(tokens[2])))
        #expect(net.faults(carol).map(\.applied) == [false])
        #expect(net.configuration.lender.loans(of: ["alice", "bob", "carol"]).map(\.user) == ["alice", "bob"])
        let raw = net.differences(.raw)
        let (entries, differences) = net.conclude()
        #expect(raw == [] && differences == [])
        // Nothing is lent by who is gone, and no recording holds a token.
        #expect(net.configuration.lender.loans(of: ["alice", "bob"]) == [])
        for entry in entries {
            if case .head(let head) = entry.body { #expect(!tokens.contains { String(buffer: head.bytes).contains($0) }) }
        }
    }

    @Test(arguments: ["strip", "truncate", "corrupt", "forge", "expire"]) func theFirstMessage(how: String) throws {
        var net = begun(Sample.rule("drop-auth", ["in": ["first-message"], "how": [how]]))
        let id = net.upgraded(1, user: "alice")
        _ = net.takeServer(id)
        let token = Self.token("alice")
        let hello = #"{ "type":"hello" }"#
        let auth = #"{"type":"auth", "token":"\#(token)" ,"n":1}"#
        for text in [hello, auth, auth] { net.client(id, Sample.frame(text, masked: true)) }
        let sent = Sample.messages(net.takeServer(id), .toServer)
        #expect(sent.count == 3 && sent[0] == hello && sent[2] == auth)
        if how == "strip" {
            #expect(sent[1] == #"{"type":"auth", "n":1}"#)
        } else {
            let parts = auth.split(separator: token, omittingEmptySubsequences: false).map(String.init)
            #expect(sent[1] != auth && sent[1].hasPrefix(parts[0]) && sent[1].hasSuffix(parts[1]))
            let spoilt = String(sent[1].dropFirst(parts[0].count).dropLast(parts[1].count))
            let state = JWT.state(of: spoilt, key: Self.key, now: 1_790_000_000)
            #expect(state == (how == "expire" ? .expired : how == "truncate" ? .corrupt : .forged))
        }
        #expect(net.faults(id).map(\.applied) == [true])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func headsStayWhenOnlyTheFirstMessageIsMeant() {
        var net = begun(Sample.rule("drop-auth", ["in": ["first-message"]]))
        let (id, sent) = head(&net, 1, "alice", Self.token("alice"))
        #expect(sent == Sample.request(user: "alice", fields: bearer(Self.token("alice"))))
        #expect(net.faults(id).isEmpty)
    }

    @Test(arguments: [
        ["how": ["swap"]], ["how": ["swap"], "among": ["alice", "alice"]],
        ["how": ["swap"], "among": ["a", "b"], "in": ["first-message"]],
    ])
    func settingsThatMakeNoSense(settings: [String: [String]]) {
        let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
        #expect(throws: SettingsError.self) { try DropAuth(Settings(values)) }
    }
}
