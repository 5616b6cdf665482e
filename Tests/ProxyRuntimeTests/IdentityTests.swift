import Contracts
import Faults
import Journaling
import NIOCore
import Profiles
import ProxyRuntime
import Testing
import Wire

/// Whose session it is, the contract says: wherever that stands, faults and scopes that name users find them.
@Suite struct IdentityTests {
    private static let key = Array("key".utf8)
    private static func token(_ user: String) -> String {
        JWT.sign(.object([JSON.Member(key: "sub", value: .string(user))]), key: key)
    }

    private struct Way: Sendable {
        var identity: String
        var path = "/ws"
        var fields = ""
        var first: String?
    }

    /// How alice says who she is; bob says it alike.
    private static func way(_ name: String, _ user: String) -> Way {
        let token = token(user)
        return switch name {
        case "jwt in a header": Way(identity: "credential: [header authorization]\n  user: credential|jwt.sub", fields: "Authorization: Bearer \(token)\r\n")
        case "jwt in a query": Way(identity: "credential: [query token]\n  user: credential|jwt.sub", path: "/ws?token=\(token)")
        case "header": Way(identity: "user: header x-user", fields: "X-User: \(user)\r\n")
        case "cookie": Way(identity: "user: cookie who", fields: "Cookie: a=1; who=\(user)\r\n")
        case "query": Way(identity: "user: query who", path: "/ws?who=\(user)")
        case "subprotocol": Way(identity: "user: subprotocol user.*", fields: "Sec-WebSocket-Protocol: chat, user.\(user)\r\n")
        case "path": Way(identity: "user: path /ws/*", path: "/ws/\(user)")
        case "first message": Way(identity: "user: request hello name", first: #"{"type":"hello","name":"\#(user)"}"#)
        default: Way(identity: "credential: [request hello token]\n  user: credential|jwt.sub", first: #"{"type":"hello","token":"\#(token)"}"#)
        }
    }
    static let ways = [
        "jwt in a header", "jwt in a query", "header", "cookie", "query", "subprotocol", "path", "first message",
        "jwt in the first message",
    ]

    private static func contract(_ identity: String) throws -> Contract {
        let text = """
            miswire-contract: 1
            name: t
            wire: { paths: ["/ws", "/ws/**"], type: type }
            identity:
              \(identity)
            requests:
              hello: { shape: { type: <text> } }
              say: { shape: { type: <text> } }
            """
        return try ContractLoader.parse(text: text, file: "t.yaml")
    }

    private static func profile(_ rest: String) throws -> Profile {
        try ProfileLoader.parse(text: "miswire: 1\nname: t\n" + rest, file: "t.yaml")
    }

    /// What the server gets of what the user says, message by message.
    private func heard(_ name: String, _ user: String, _ profile: Profile, says: [String]) throws -> (texts: [String], labels: [String]) {
        let way = Self.way(name, user)
        let contract = try Self.contract(way.identity)
        let configuration = SessionConfiguration(
            profile: profile, contract: contract, seed: 1, finder: ContractSecrets(contract, key: Self.key))
        var machine = SessionMachine(configuration: configuration, id: SessionID(1))
        var output = SessionOutput()
        var now = Instant(nanoseconds: 1)
        var sent = ByteBuffer()
        var labels: [String] = []
        func tell(_ event: SessionEvent) {
            now = now.advanced(by: .milliseconds(1))
            machine.handle(event, at: now, into: &output)
            for command in output.commands {
                if case .write(.server, let bytes) = command { sent.writeImmutableBuffer(bytes) }
                if case .label(let label) = command { labels.append(label) }
            }
            output.removeAll()
        }
        tell(.accepted(Opened(transport: TransportID(1), peer: "127.0.0.1:1")))
        tell(.connected)
        let head = "GET \(way.path) HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(way.fields)"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        tell(.received(.client, ByteBuffer(string: head)))
        sent.clear()
        tell(.received(.server, ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")))
        for text in (way.first.map { [$0] } ?? []) + says {
            tell(.received(.client, FrameWriter.bytes(Frame(opcode: .text, maskKey: 7, payload: ByteBuffer(string: text)))))
        }
        var parser = FrameParser()
        var assembler = MessageAssembler(.toServer)
        parser.feed(sent)
        var texts: [String] = []
        while case .frame(let frame, _) = parser.next() {
            if let payload = assembler.take(frame)?.payload { texts.append(String(buffer: payload)) }
        }
        return (texts, labels)
    }

    private static let says = (1...3).map { #"{"type":"say","n":\#($0)}"# }

    @Test(arguments: ways) func faultsFindTheirUser(name: String) throws {
        let profile = try Self.profile("faults:\n  - { fault: drop, when: { user: alice, match: { type: say } } }\n")
        let first = Self.way(name, "alice").first.map { [$0] } ?? []
        let alice = try heard(name, "alice", profile, says: Self.says)
        #expect(alice.texts == first)
        #expect(alice.labels.last == "alice")
        let others = Self.way(name, "bob").first.map { [$0] } ?? []
        let bob = try heard(name, "bob", profile, says: Self.says)
        #expect(bob.texts == others + Self.says)
        #expect(bob.labels.last == "bob")
    }

    @Test(arguments: ways) func scopesFindTheirUser(name: String) throws {
        let profile = try Self.profile("scope: { users: [\"al*\"] }\nfaults:\n  - { fault: drop, when: { match: { type: say } } }\n")
        #expect(try heard(name, "alice", profile, says: Self.says).texts.count == (Self.way(name, "alice").first == nil ? 0 : 1))
        #expect(try heard(name, "bob", profile, says: Self.says).texts.count == (Self.way(name, "bob").first == nil ? 3 : 4))
    }

    /// Who says it in a message is met by what says it: a fault on that very message acts.
    @Test func theFirstMessageItself() throws {
        let profile = try Self.profile("faults:\n  - { fault: drop, when: { user: alice, message: nth 1 } }\n")
        #expect(try heard("first message", "alice", profile, says: Self.says).texts == Self.says)
    }

    /// The dice's label is fixed at the upgrade: who is known only by a message draws as a nameless one does.
    @Test func theDiceKnowNoLaterName() throws {
        let profile = try Self.profile("faults:\n  - { fault: drop, when: { message: share 50%, match: { type: say } } }\n")
        let says = (1...40).map { #"{"type":"say","n":\#($0)}"# }
        let alice = try heard("first message", "alice", profile, says: says).texts.dropFirst()
        let bob = try heard("first message", "bob", profile, says: says).texts.dropFirst()
        #expect(Array(alice) == Array(bob) && alice.count > 8 && alice.count < 32)
    }
}
