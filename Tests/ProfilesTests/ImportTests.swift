import Contracts
import Foundation
import Journaling
import Testing
import Wire

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
            #expect(words == [])
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
        #expect(words.map { String($0.drop { $0 != " " }) } == ["ask", "told"].map {
            " warning: \($0) has no value of its own at kind; it is known by its name alone; give it a match in \($0 == "ask" ? "requests" : "events")"
        })
        #expect(text.contains("answer: [\"told\"]") && text.contains("link: [\"meta.id = for\"]"), "\(text)")
        #expect(text.contains("paths: [\"/ws\"]") && text.contains("type: kind"))
    }

    /// Quoted it would be a text.
    @Test func numbersBelowZeroStayNumbers() throws {
        let (text, _) = try imported(api(asks: [], tells: ["{ properties: { t: { const: a }, n: { minimum: -5, maximum: -.5 } } }"]), "wire: { type: t }\n")
        #expect(text.contains("minimum: -5\n") && text.contains("maximum: -.5\n"), "\(text)")
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

    // MARK: What tells messages apart

    /// What becomes of an imported file, asked as the oracle would.
    private func contract(_ file: String, _ own: String = "") throws -> (contract: Contract, recognizer: Recognizer, words: [String]) {
        let directory = try Directory()
        try directory.write("api.yaml", file)
        try directory.write("c.yaml", "miswire-contract: 1\nname: t\nimport: api.yaml\n" + own)
        let (read, words) = read(directory)
        let contract = try #require(read, "\(words)")
        return (contract, Recognizer(contract), words)
    }

    /// Messages of clients (`ask` and the like) and of the server.
    private func api(asks: [String], tells: [String], _ rest: String = "") -> String {
        func messages(_ texts: [String], _ name: String) -> String {
            texts.enumerated().map { "      \(name)\($0.offset): { payload: \($0.element) }\n" }.joined()
        }
        func names(_ texts: [String], _ name: String) -> String {
            texts.indices.map { "{ $ref: '#/channels/c/messages/\(name)\($0)' }" }.joined(separator: ", ")
        }
        return """
            asyncapi: 3.0.0
            channels:
              c:
                address: /ws
                messages:
            \(messages(asks, "ask"))\(messages(tells, "tell"))
            operations:
              asks: { action: receive, channel: { $ref: '#/channels/c' }, messages: [\(names(asks, "ask"))] }
              tells: { action: send, channel: { $ref: '#/channels/c' }, messages: [\(names(tells, "tell"))] }
            \(rest)
            """
    }

    private static func said(_ fields: String, _ more: String = "") -> String { "{ type: object, properties: { \(fields) }\(more) }" }

    private func outcome(_ recognizer: Recognizer, _ text: String, _ direction: Direction = .toClient) throws -> (name: String?, outcome: Recognition.Outcome) {
        let read = recognizer.recognise(try JSON.parse(text), direction: direction)
        return (read.name, read.outcome)
    }

    @Test func aVersionThatAllBearIsNoType() throws {
        let version = "v: { const: '2.0' }, type: "
        let (contract, recognizer, words) = try contract(api(
            asks: [Self.said(version + "{ const: ask }")],
            tells: [Self.said(version + "{ const: said }, text: { type: string }", ", required: [text]"), Self.said(version + "{ const: ended }", ", required: [code]")]))
        #expect(words == [] && contract.wire.type?.text == "type" && contract.wire.unknownFails == nil)
        #expect(contract.requests.map(\.name) == ["ask"] && contract.events.map(\.name) == ["said", "ended"])
        #expect(try outcome(recognizer, #"{"v":"2.0","type":"ended","code":1}"#) == ("ended", .valid))
    }

    /// No path is in all of them: each by what it alone says.
    @Test func whatSeveralSayRecognisesNone() throws {
        let (contract, recognizer, words) = try contract(api(
            asks: [
                Self.said("v: { const: '1' }, kind: { const: a }", ", required: [x]"), Self.said("v: { const: '1' }, kind: { const: b }", ", required: [y]"),
                "{ oneOf: [ { type: object, required: [anything] }, { type: array } ] }",
            ], tells: [Self.said("v: { const: '1' }, kind: { const: c }"), "{ type: array }"]), "reject: [ { when: <unknown>, with: close } ]\n")
        #expect(contract.wire.type == nil && contract.wire.unknownFails == false)
        #expect(try outcome(recognizer, #"{"v":"1","kind":"b","y":1}"#, .toServer) == ("b", .valid))
        #expect(try outcome(recognizer, #"{"anything":1}"#, .toServer) == ("other", .valid), "it is of the file, so it is not unknown")
        #expect(words.count { $0.contains("from other messages; its schema is left out; give it a match in ") } == 2, "\(words)")
    }

    @Test func messagesOfOneTypeStandAsOne() throws {
        let kind = "type: { const: error }"
        let (contract, recognizer, words) = try contract(api(
            asks: [Self.said("type: { const: ask }")],
            tells: [Self.said(kind, ", required: [code]"), Self.said(kind, ", required: [why]"), Self.said("type: { const: told }")]))
        #expect(contract.events.map(\.name) == ["error", "told"])
        #expect(words.count == 1 && words[0].contains("warning: 2 messages are told apart by nothing and stand as one: error"), "\(words)")
        #expect(try outcome(recognizer, #"{"type":"error","code":1}"#) == ("error", .valid))
        #expect(try outcome(recognizer, #"{"type":"error","why":1}"#) == ("error", .valid))
        guard case .invalid = try outcome(recognizer, #"{"type":"error"}"#).outcome else { return #expect(Bool(false)) }
    }

    @Test func anAnswerThatNothingTellsIsNotOwed() throws {
        let file = """
            asyncapi: 3.0.0
            channels:
              one: { address: /ws, messages: { ask: { payload: { properties: { t: { const: ask } } } }, told: { payload: { type: object } } } }
            operations:
              onAsk:
                action: receive
                channel: { $ref: '#/channels/one' }
                messages: [{ $ref: '#/channels/one/messages/ask' }]
                reply: { messages: [{ $ref: '#/channels/one/messages/told' }] }
            """
        let (contract, _, words) = try contract(file, "wire: { type: t }\n")
        #expect(contract.requests.first { $0.name == "ask" }?.answer == [] && contract.wire.unknownFails == false)
        #expect(words.contains { $0.contains("ask owes no answer, because nothing tells told from other messages") }, "\(words)")
    }

    // MARK: What a schema says

    private func checked(_ schema: String, _ rest: String = "") throws -> (check: (String) throws -> String, words: [String]) {
        let (_, recognizer, words) = try contract(api(asks: [], tells: ["{ properties: { t: { const: a }, x: \(schema) } }"], rest), "wire: { type: t }\n")
        return (
            { text in
                let read = recognizer.recognise(try JSON.parse(#"{"t":"a","x":\#(text)}"#), direction: .toClient)
                if case .invalid = read.outcome { return "invalid" }
                return read.outcome == .valid ? "valid" : "\(read.outcome)"
            }, words
        )
    }

    @Test func aSchemaThatHoldsItselfIsKept() throws {
        let tree = "components: { schemas: { tree: { oneOf: [ { type: 'null' }, { type: object, required: [n], properties: { n: { $ref: '#/components/schemas/tree' } } } ] } } }"
        let (check, words) = try checked("{ $ref: '#/components/schemas/tree' }", tree)
        #expect(words == [])
        #expect(try check(#"{"n":{"n":null}}"#) == "valid" && check(#"{"n":{"n":{}}}"#) == "invalid")
    }

    /// Two that lead to each other, and one that leads to itself on the spot.
    @Test func circlesOfAllKinds() throws {
        let pair = "components: { schemas: { a: { properties: { b: { $ref: '#/components/schemas/b' } } }, b: { type: array, items: { $ref: '#/components/schemas/a' } }, "
            + "pet: { anyOf: [ { $ref: '#/components/schemas/cat' } ] }, cat: { allOf: [ { $ref: '#/components/schemas/pet' }, { required: [claws] } ] } } }"
        let (check, words) = try checked("{ properties: { a: { $ref: '#/components/schemas/a' }, pet: { $ref: '#/components/schemas/pet' } } }", pair)
        #expect(try check(#"{"a":{"b":[{"b":[]}]}}"#) == "valid" && check(#"{"a":{"b":[{"b":7}]}}"#) == "invalid")
        #expect(try check(#"{"pet":{}}"#) == "invalid" && check(#"{"pet":{"claws":1}}"#) == "valid")
        #expect(words.count == 1 && words[0].contains("leads back to itself without going into the value"), "\(words)")
    }

    /// Nobody knows what stands there: neither that it fits, nor that it does not.
    @Test(arguments: [
        ("{ oneOf: [ { $ref: 'other.yaml#/x' }, { type: object } ] }", #"{"a":1}"#), ("{ not: { $ref: 'other.yaml#/x' } }", "5"),
        ("{ oneOf: [ { $id: 'http://a/b', $ref: '#/x' }, { type: object } ] }", "{}"),
    ])
    func whatIsNotFollowedIsOpen(schema: String, value: String) throws {
        let (check, words) = try checked(schema)
        #expect(try check(value) == "valid")
        #expect(words.contains { $0.contains("is not followed") }, "\(words)")
    }

    /// Members, and values of examples, may be called as keywords are.
    @Test func onlySchemasAreRewritten() throws {
        let (check, words) = try checked(
            "{ additionalProperties: false, properties: { definitions: { type: array }, $defs: { enum: [ { $ref: '#/y', $id: 'http://a' } ] }, $id: { type: string } } }")
        #expect(words == [])
        #expect(try check(##"{"definitions":[],"$defs":{"$ref":"#/y","$id":"http://a"},"$id":"x"}"##) == "valid")
        #expect(try check(#"{"definitions":1}"#) == "invalid" && check(#"{"$defs":{}}"#) == "invalid" && check(#"{"$id":1}"#) == "invalid")
    }

    /// Since 2019 what stands beside a reference counts; before, it does not.
    @Test(arguments: [("https://json-schema.org/draft/2020-12/schema", "invalid"), ("http://json-schema.org/draft-07/schema#", "valid")])
    func siblingsOfAReference(dialect: String, found: String) throws {
        let file = ##"{"$schema": "\##(dialect)", "$defs": {"word": {"type": "string"}, "said": {"properties": {"x": {"$ref": "#/$defs/word", "maxLength": 1}}}}}"##
        let (_, recognizer, _) = try contract(file, "wire: { type: t }\nevents: { said: {} }\n")
        let read = recognizer.recognise(try JSON.parse(#"{"t":"said","x":"ab"}"#), direction: .toClient)
        #expect((read.outcome == .valid) == (found == "valid"))
        guard case .invalid = recognizer.recognise(try JSON.parse(#"{"t":"said","x":1}"#), direction: .toClient).outcome else { return #expect(Bool(false)) }
    }

    // MARK: Where it is spoken

    @Test(arguments: [
        ("url: 'wss://x.example/v1/rt'", ["/v1/rt/chat"]), ("url: x.example", ["/chat"]), ("url: 'wss://{host}:{port}/{stage}/rt?a=1'", ["/*/rt/chat"]),
        ("url: '{all}', variables: { all: { default: 'wss://x.example/v1' } }", []), ("protocol: ws", []),
    ])
    func aServersPathIsTheBase(server: String, paths: [String]) throws {
        let file = "asyncapi: 2.6.0\nservers: { a: { \(server) } }\nchannels: { /chat: { subscribe: { message: { payload: { properties: { t: { const: a } } } } } } }\n"
        let (contract, _, words) = try contract(file, "wire: { type: t }\n")
        #expect(contract.wire.paths.map(\.text) == paths)
        #expect(words.contains { $0.contains("wire.paths is left out: write it yourself") } == paths.isEmpty, "\(words)")
    }

    @Test func oneServerWithoutAPathIsABaseTooAndATopicIsNone() throws {
        let head = "asyncapi: 3.0.0\nservers: { a: { host: x, pathname: /v1 }, b: { host: y } }\n"
        let rest = "operations: { o: { action: send, channel: { $ref: '#/channels/c' } } }\n"
        func paths(_ channel: String) throws -> [String] {
            try contract(head + "channels: { c: { \(channel)messages: { m: { payload: { properties: { t: { const: a } } } } } } }\n" + rest, "wire: { type: t }\n")
                .contract.wire.paths.map(\.text)
        }
        #expect(try paths("address: /chat, ") == ["/v1/chat", "/chat"])
        #expect(try paths("address: ~, ") == [] && paths("") == [])
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
