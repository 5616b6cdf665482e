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
}
