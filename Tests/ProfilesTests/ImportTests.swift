import Contracts
import Foundation
import Journaling
import Testing

@testable import Profiles

/// `import` of a contract: AsyncAPI 2.6 and 3.0, JSON Schema, and the files that are refused.
@Suite("Imports") struct ImportTests {
    static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/corpus/imports/"

    private func text(_ name: String) throws -> String { try String(contentsOfFile: Self.corpus + name, encoding: .utf8) }

    private func read(_ directory: Directory, _ name: String = "c.yaml") -> (contract: Contract?, words: [String]) {
        do throws(ConfigurationErrors) {
            let reading = try ContractLoader().read(directory.path(name), from: nil)
            let words = reading.found.errors.map { $0.plain.replacingOccurrences(of: directory.path(""), with: "") }
            return (reading.found.isFatal ? nil : reading.contract, words)
        } catch {
            return (nil, error.errors.map { $0.plain.replacingOccurrences(of: directory.path(""), with: "") })
        }
    }

    private func imported(_ file: String, _ own: String) throws -> (text: String, words: [String]) {
        let directory = try Directory()
        try directory.write("api.yaml", file)
        try directory.write("c.yaml", "miswire-contract: 1\nname: t\nimport: api.yaml\n" + own)
        let source = try SourceFile.read(directory.path("c.yaml"))
        let (document, problems) = try ContractBundle(source, directories: []).contract()
        return (DocumentYAML.text(document), problems.map { $0.plain.replacingOccurrences(of: directory.path(""), with: "") })
    }

    // MARK: The same application

    @Test func bothVersionsOfAsyncAPIGiveOneContract() throws {
        let two = try imported(try text("desk-2.6.yaml"), "")
        let three = try imported(try text("desk-3.0.yaml"), "")
        #expect(two.text == three.text)
        for piece in [
            "type: \"op\"", "paths: [\"/desk/*\"]", "credential: [\"query ticket\", \"header authorization\"]", "link: [\"number\"]", "ask:",
            "withdraw:", "reply:", "failure:", "notice:", "minLength: 1", "maxLength: 2000", "op: ask",
        ] {
            #expect(two.text.contains(piece), "\(piece) in \(two.text)")
        }
        for words in [two.words, three.words] {
            #expect(words.count == 1 && words[0].contains("warning: the schema \"#/components/schemas/note\" holds itself"), "\(words)")
        }
    }

    @Test func whoSendsWhatIsKept() throws {
        let directory = try Directory()
        try directory.write("desk-3.0.yaml", try text("desk-3.0.yaml"))
        try directory.write("c.yaml", try text("desk.yaml"))
        let (contract, words) = read(directory)
        let read = try #require(contract, "\(words)")
        #expect(read.requests.map(\.name).sorted() == ["ask", "withdraw"])
        #expect(read.events.map(\.name).sorted() == ["failure", "notice", "reply"])
        #expect(read.requests.first { $0.name == "ask" }?.answer == ["reply"])
        #expect(read.wire.type?.text == "op" && read.link.map(\.request.text) == ["number"])
        #expect(read.identity.credential.map(\.text) == ["query ticket", "header authorization"])
        // The text that a recording holds reads the same without any file.
        let again = try ContractLoader.parse(text: read.text, file: "c.yaml")
        #expect(again.hash == read.hash && again.events.map(\.name) == read.events.map(\.name))
    }

    @Test func aReplyIsAnAnswer() throws {
        let file = """
            asyncapi: 3.0.0
            channels:
              one: { address: /ws, messages: { ask: { $ref: '#/components/messages/ask' }, told: { $ref: '#/components/messages/told' } } }
            operations:
              onAsk:
                action: receive
                channel: { $ref: '#/channels/one' }
                messages: [{ $ref: '#/channels/one/messages/ask' }]
                reply: { messages: [{ $ref: '#/channels/one/messages/told' }] }
            components:
              messages:
                ask: { correlationId: { location: '$message.payload#/meta/id' }, payload: { type: object } }
                told: { correlationId: { location: '$message.payload#/for' }, payload: { type: object } }
            """
        let (text, words) = try imported(file, "wire: { type: kind }\n")
        #expect(words == [])
        #expect(text.contains("answer: [\"told\"]") && text.contains("link: [\"meta.id = for\"]"), "\(text)")
        #expect(text.contains("paths: [\"/ws\"]") && text.contains("type: kind"))
    }

    @Test func ownEntriesWin() throws {
        let (text, _) = try imported(
            try self.text("desk-2.6.yaml"),
            "wire: { paths: [\"/mine\"] }\nidentity: { credential: cookie mine }\nevents: { reply: { shape: { text: <text> } }, notice: ~ }\nlink: [$]\n")
        #expect(text.contains("paths: [\"/mine\"]") && text.contains("credential: cookie mine") && text.contains("link: [\"$\"]"))
        #expect(!text.contains("notice") && text.contains("text: \"<text>\""), "\(text)")
    }

    @Test func definitionsGiveTheirFormToWhatIsDeclared() throws {
        let (text, words) = try imported(try self.text("desk-schema.json"), "wire: { type: op }\nrequests: { ask: {} }\nevents: { reply: {}, failure: { shape: { code: <text> } } }\n")
        #expect(text.components(separatedBy: "schema:").count == 3, "\(text)")
        #expect(text.contains("minLength: 1") && text.contains("minimum: 1") && !text.contains("$ref"))
        #expect(words.count == 1 && words[0].contains("the definition Notice is used by no message"), "\(words)")
    }

    // MARK: What is refused, and what is listed

    @Test(arguments: [
        ("asyncapi: 1.2.0\n", "api.yaml:1:11: error: AsyncAPI 1.2.0 cannot be imported; 2.x and 3.x can"),
        ("openapi: 3.1.0\n", "api.yaml:1:1: error: this file is neither AsyncAPI nor a JSON Schema with $defs; an AsyncAPI file says asyncapi: 3.0.0, a schema has $defs"),
        ("asyncapi: 3.0.0\noperations:\n  a: { action: shout }\n", "api.yaml:3:3: error: the operation a needs action: send or receive; found \"shout\""),
        ("asyncapi: 3.0.0\noperations:\n  a: { $ref: '#/x' }\n", "api.yaml:3:14: error: the reference \"#/x\" leads nowhere; nothing stands at that place of this file"),
        ("asyncapi: 3.0.0\nx: { $ref: '#/y' }\ny: { $ref: '#/x' }\noperations:\n  a: { $ref: '#/x' }\n", "api.yaml:3:12: error: the reference \"#/x\" leads in a circle; let it lead to a value"),
    ])
    func badFilesAreRefusedInWords(file: String, words: String) throws {
        let found = try imported(file, "").words
        #expect(found.first?.hasSuffix(words) == true, "\(found)")
    }

    @Test func whatCannotBeUsedIsListed() throws {
        let file = """
            asyncapi: 2.6.0
            servers: { a: { url: x, protocol: ws, security: [{ certificate: [] }] } }
            channels:
              /ws:
                bindings: { ws: { method: GET } }
                publish:
                  message:
                    name: ask
                    headers: { type: object }
                    contentType: application/octet-stream
                    payload: { type: string }
                subscribe:
                  message:
                    name: told
                    schemaFormat: application/vnd.apache.avro;version=1.9.0
                    payload: { type: record }
                    correlationId: { location: '$message.header#/id' }
              /more:
                subscribe: { message: { name: far, payload: { $ref: 'other.yaml#/x' } } }
            components: { securitySchemes: { certificate: { type: X509 } } }
            """
        let found = try imported(file, "wire: { type: t }\n").words
        for piece in [
            "bindings of the channel /ws cannot be used", "headers of the message ask cannot be used",
            "the payload of ask is application/octet-stream", "the payload of told is described in application/vnd.apache.avro",
            "the correlationId at $message.header#/id cannot be used", "the reference \"other.yaml#/x\" leads to another file",
            "the security scheme certificate cannot be used",
        ] {
            #expect(found.contains { $0.contains(piece) && $0.contains(": warning: ") }, "\(piece) in \(found)")
        }
    }

    @Test(arguments: ["../api.yaml", "/etc/passwd", "a/../../b.yaml", "~/api.yaml", "http://127.0.0.1/a.yaml", "a\\b.yaml"])
    func nothingOutsideTheDirectoryIsRead(name: String) throws {
        let directory = try Directory()
        try directory.write("c.yaml", "miswire-contract: 1\nname: t\nimport: '\(name)'\n")
        let (contract, words) = read(directory)
        #expect(contract == nil && words.first?.contains("c.yaml:3:9: error: import: \"\(name)\" leaves the contract's directory") == true, "\(words)")
    }

    @Test func aLinkOutOfTheDirectoryIsNotFollowed() throws {
        let outside = try Directory()
        try outside.write("api.yaml", try text("desk-3.0.yaml"))
        let directory = try Directory()
        try FileManager.default.createSymbolicLink(atPath: directory.path("api.yaml"), withDestinationPath: outside.path("api.yaml"))
        try directory.write("c.yaml", "miswire-contract: 1\nname: t\nimport: api.yaml\n")
        let (contract, words) = read(directory)
        #expect(contract == nil && words.first?.contains("leads out of the contract's directory") == true, "\(words)")
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let directory = try Directory()
        try directory.write("c.yaml", "miswire-contract: 1\nname: t\nimport: gone.yaml\n")
        let (contract, words) = read(directory)
        #expect(contract == nil && words.first?.contains("c.yaml:3:9: error: import: there is no file") == true, "\(words)")
    }

    /// Each level doubles what is below: written out it would be a million schemas.
    @Test(.timeLimit(.minutes(1))) func aBombIsRefused() throws {
        var file = "asyncapi: 3.0.0\noperations:\n  a: { action: receive, messages: [{ payload: { $ref: '#/s/a0' } }] }\ns:\n"
        for level in 0..<24 { file += "  a\(level): { allOf: [{ $ref: '#/s/a\(level + 1)' }, { $ref: '#/s/a\(level + 1)' }] }\n" }
        file += "  a24: { type: object }\n"
        let found = try imported(file, "wire: { type: t }\n").words
        #expect(found.contains { $0.contains("error: the schemas are too large when every $ref is written out") }, "\(found)")
    }
}
