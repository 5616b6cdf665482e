import Contracts
import Journaling
import NIOCore
import Profiles
import Testing
import Wire

@testable import ProxyRuntime

/// Secrets that a contract names are found in messages however these are written (trust.md T34).
@Suite struct ContractSecretsTests {
    private func redacted(_ message: String, _ direction: Direction = .toServer) throws -> String {
        let secrets = ContractSecrets(try ContractLoader().load("agent-chat"), key: nil)
        let payload = ByteBuffer(string: message)
        let found = secrets.secrets(inMessage: payload, opcode: .text, direction)
        var redactor = Redactor(key: [1])
        let spans = found.map { Redactor.Span(range: $0.range, secret: Array($0.value.utf8)) }
        let bytes = Array(payload.readableBytesView)
        return String(decoding: redactor.redact(bytes, spans)?.bytes ?? bytes, as: UTF8.self)
    }

    @Test(arguments: [
        #"{"type":"auth","token":"opaque-1"}"#, #"{"type":"auth","token":"opa\/que-1"}"#,
        #"{"type":"auth","token":"\u006fpaque-1"}"#, #"{"token":"opaque-1","type":"auth","again":"opaque-1"}"#,
        #"{"type":"auth","token":"opaque-1","token":"opaque-2"}"#, #"{"type":"auth","token":"opaque-1"}}"#,
        #"{"type":"auth","token":"opaque-1""#, #"{"type":"auth","token":"opaque-"#, #"{"type":"auth","token": "opaque-1\"#,
        #"{"type":"auth","token":"opaque-1",,"x":1}"#,
    ])
    func noSpellingHidesAToken(message: String) throws {
        let text = try redacted(message)
        #expect(text.contains("‹secret:"), "\(text)")
        for piece in ["paque-", "que-1", "opaque"] { #expect(!text.contains(piece), "\(text)") }
    }

    @Test func theValueGoesAndNotWhatLooksLikeIt() throws {
        let text = try redacted(#"{"type":"auth","authority":"x","token":"a"}"#)
        #expect(text.hasPrefix(#"{"type":"auth","authority":"x","token":"‹secret:"#))
        let other = #"{"type":"user_message","token":"mine"}"#
        #expect(try redacted(other) == other)
    }

    /// A token that says the same as a message's name hides no message.
    @Test func aTokenHidesNoName() throws {
        let text = try redacted(#"{"token":"agent_started","type":"auth","note":"agent_started"}"#)
        #expect(text.hasPrefix(#"{"token":"‹secret:"#) && text.hasSuffix(#"›","type":"auth","note":"agent_started"}"#))
        let finder = ContractSecrets(try ContractLoader().load("agent-chat"), key: [])
        let found = finder.secrets(
            inMessage: ByteBuffer(string: #"{"type":"auth","token":"agent_started"}"#), opcode: .text, .toServer)
        #expect(found.map(\.isWord) == [true])
    }

    /// What is known as a secret is cut out of later messages too, which must stay what they are.
    @Test(arguments: [
        #""auth","token":"opaque-1"#, #"{"type":"auth","token" : "opaque-1""#, #"{"type":"auth","token":"opaque-1",,"x":1}"#,
    ])
    func theMarksBeforeATokenAreNoPartOfIt(message: String) throws {
        let finder = ContractSecrets(try ContractLoader().load("agent-chat"), key: [])
        let found = finder.secrets(inMessage: ByteBuffer(string: message), opcode: .text, .toServer)
        #expect(found.map(\.value) == ["opaque-1"])
        #expect(found.first.map { message.utf8.dropFirst($0.range.lowerBound).starts(with: "opaque-1".utf8) } == true)
        for text in [#"{"type":"auth","token":"#, #"{"type":"auth","token":""#] {
            #expect(finder.secrets(inMessage: ByteBuffer(string: text), opcode: .text, .toServer).isEmpty, "\(text)")
        }
    }

    // MARK: `secrets`

    private static func finder() throws -> ContractSecrets {
        let text = #"{"miswire-contract":1,"name":"bank","wire":{"type":"type"},"requests":{"pay":{}},"events":{"balance":{}},"#
            + #""secrets":["..pin","card","header x-session","request pay to.iban","event balance amount"]}"#
        var reader = ContractReader(Document(try JSON.parse(text), file: "bank.yaml"))
        let contract = reader.read()
        try #require(!reader.problems.contains { $0.severity == .error }, "\(reader.problems)")
        return ContractSecrets(contract, key: nil)
    }

    private func hidden(_ message: String, _ direction: Direction) throws -> String {
        let finder = try Self.finder()
        let payload = ByteBuffer(string: message)
        var redactor = Redactor(key: [1])
        let spans = finder.secrets(inMessage: payload, opcode: .text, direction).map {
            Redactor.Span(range: $0.range, secret: Array($0.value.utf8), isBare: $0.isBare)
        }
        let bytes = Array(payload.readableBytesView)
        return String(decoding: redactor.redact(bytes, spans)?.bytes ?? bytes, as: UTF8.self)
    }

    /// Paths in whatever anybody says, places where they say; numbers as well, and the message stays JSON.
    @Test(arguments: [
        (#"{"type":"x","pin":"12345"}"#, Direction.toServer, ["12345"]), (#"{"type":"x","pin":"12345"}"#, .toClient, ["12345"]),
        (#"{"type":"x","a":[{"pin":4711}]}"#, .toClient, ["4711"]), (#"{"type":"x","\u0070in":"12345"}"#, .toServer, ["12345"]),
        (#"{"type":"x","card":{"number":"4111-1111","cvc":123,"on":[true]}}"#, .toServer, ["4111", "123"]),
        (#"{"type":"pay","to":{"iban":"DE02"},"n":1}"#, .toServer, ["DE02"]), (#"{"type":"balance","amount":99.5}"#, .toClient, ["99.5"]),
    ])
    func whatTheContractCallsSecret(message: String, direction: Direction, gone: [String]) throws {
        let text = try hidden(message, direction)
        for piece in gone { #expect(!text.contains(piece), "\(text)") }
        #expect(text.contains("‹secret:") && JSON.decode(ByteBuffer(string: text)).value != nil, "\(text)")
    }

    @Test(arguments: [
        (#"{"type":"x","spin":"12345","n":4711}"#, Direction.toServer), (#"{"type":"balance","amount":99.5}"#, .toServer),
        (#"{"type":"pay","to":{"iban":"DE02"}}"#, .toClient), (#"{"type":"x","pin":true}"#, .toClient),
    ])
    func andNothingElse(message: String, direction: Direction) throws {
        #expect(try hidden(message, direction) == message)
    }

    /// A secret that says the same as something else hides nothing but itself.
    @Test func aShortSecretHidesItselfAlone() throws {
        let text = try hidden(#"{"type":"x","pin":"x","card":{"on":"x"},"note":"x"}"#, .toServer)
        #expect(text.hasPrefix(#"{"type":"x","pin":"‹secret:"#) && text.hasSuffix(#"›"},"note":"x"}"#), "\(text)")
    }

    @Test func headersOfBothSides() throws {
        let finder = try Self.finder()
        let head = HeadView(Array("HTTP/1.1 101 x\r\nX-Session: abc\r\n\r\n".utf8))
        #expect(finder.secrets(inResponse: head).map(\.value) == ["abc"])
        #expect(finder.secrets(inRequest: HeadView(Array("GET / HTTP/1.1\r\nX-Session: abc\r\n\r\n".utf8))).map(\.value) == ["abc"])
    }

    // MARK: One message cannot keep us busy

    private func secrets(in message: String, _ finder: ContractSecrets) -> [FoundSecret] {
        finder.secrets(inMessage: ByteBuffer(string: message), opcode: .text, .toServer)
    }

    /// Looked for one by one in all of the message they would take hours.
    @Test(.timeLimit(.minutes(2))) func manySecretsAreFoundInOnePass() throws {
        let texts = (0..<8_000).map { #""a\#($0)""# }.joined(separator: ",")
        let numbers = (0..<8_000).map { "1\($0)" }.joined(separator: ",")
        let message = #"{"type":"x","card":{"a":[\#(texts)],"b":[\#(numbers)]},"note":"a1"}"#
        let found = secrets(in: message, try Self.finder())
        #expect(found.count == 16_000 && !found.contains(where: \.withholds))
        #expect(Set(found.map(\.range)).count == 16_000 && found.count(where: \.isBare) == 8_000)
        let bytes = Array(message.utf8)
        #expect(found.allSatisfy { $0.value == String(decoding: bytes[$0.range], as: UTF8.self) })
    }

    @Test(.timeLimit(.minutes(2))) func moreThanAnybodyCutsOutAreWithheld() throws {
        let texts = (0..<200_000).map { #""a\#($0)""# }.joined(separator: ",")
        let found = secrets(in: #"{"type":"x","card":[\#(texts)]}"#, try Self.finder())
        #expect(found.map(\.withholds) == [true])
        // No text is no credential, and hidden all the same.
        let agent = ContractSecrets(try ContractLoader().load("agent-chat"), key: [])
        #expect(secrets(in: #"{"type":"auth","token":[\#(texts)]}"#, agent).map(\.withholds) == [true])
        let few = secrets(in: #"{"type":"auth","token":["opaque-1",{"a":17}]}"#, agent)
        #expect(few.map(\.value) == ["opaque-1", "17"] && !few.contains(where: \.isCredential))
    }

    /// Texts that no string of the message is.
    @Test(.timeLimit(.minutes(2))) func wordsAreLookedForSoOftenAndNoOftener() throws {
        let text = #"{"miswire-contract":1,"name":"x","wire":{"type":"type"},"requests":{"pay":{}},"secrets":["request pay in|json.pin"]}"#
        var reader = ContractReader(Document(try JSON.parse(text), file: "x.yaml"))
        let contract = reader.read()
        try #require(!reader.problems.contains { $0.severity == .error }, "\(reader.problems)")
        let finder = ContractSecrets(contract, key: nil)
        func message(_ count: Int) -> String {
            let pins = (0..<count).map { #"\"pin-\#($0)\""# }.joined(separator: ",")
            return #"{"type":"pay","in":"{\"pin\":[\#(pins)]}"}"#
        }
        #expect(Set(secrets(in: message(60), finder).map(\.value)).count == 60)
        #expect(secrets(in: message(100_000), finder).map(\.withholds) == [true])
    }
}
