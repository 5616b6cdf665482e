import Foundation
import Journaling
import NIOCore
import Testing
import Wire

@testable import Contracts

/// One file of vectors a keyword: schemas with values and what these are to them, told by us; `.ci/schema-peers.py` asks a
/// library of another maker about the same files.
@Suite struct SchemaTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/Schema")

    static func vectors(_ name: String) throws -> [JSON] {
        let text = try String(contentsOf: directory.appending(path: name + ".json"), encoding: .utf8)
        let vectors = try JSON.parse(text).array
        return try #require(vectors)
    }

    static func read(_ schema: JSON) -> (schema: JSONSchema?, problems: [JSONSchema.Problem]) {
        JSONSchema.reading(Document(schema, file: "test.yaml"))
    }

    static func schema(_ text: String) throws -> JSONSchema {
        let read = read(try JSON.parse(text))
        return try #require(read.schema)
    }

    @Test(arguments: [
        "type", "enum", "const", "object", "array", "string", "pattern", "number", "combined", "ref", "ignored",
    ])
    func answersAsItsVectorsSay(name: String) throws {
        let vectors = try Self.vectors(name)
        #expect(vectors.count > 3)
        for vector in vectors {
            let source = try #require(vector["schema"])
            let read = Self.read(source)
            let ignored = vector["ignored"]?.array?.compactMap(\.string) ?? []
            #expect(read.problems.allSatisfy { $0.severity == .warning }, "\(source.text) \(read.problems)")
            #expect(read.problems.count == ignored.count, "\(source.text) \(read.problems.map(\.error.message))")
            for word in ignored {
                #expect(read.problems.contains { $0.error.message.contains(word) && $0.error.message.contains("is ignored") })
            }
            let schema = try #require(read.schema)
            let cases = try #require(vector["cases"]?.array)
            for example in cases {
                let value = try #require(example[0])
                let answer = schema.check(value)
                let found =
                    switch answer {
                    case .valid: "valid"
                    case .unknown: "unknown"
                    case .invalid: "invalid"
                    }
                #expect(found == example[1]?.string, "\(source.text) and \(value.text)")
                if case .invalid(let violation) = answer, let told = example[2]?.string {
                    #expect(violation.text == told, "\(source.text) and \(value.text)")
                }
            }
        }
    }

    @Test func saysAllThatIsWrongAtOnce() throws {
        for vector in try Self.vectors("errors") {
            let source = try #require(vector["schema"])
            let read = Self.read(source)
            let told = read.problems.map { [$0.error.message, $0.error.remedy ?? ""].filter { !$0.isEmpty }.joined(separator: "; ") }
            #expect(told == vector["errors"]?.array?.compactMap(\.string), "\(source.text)")
            #expect(read.schema == nil)
        }
    }

    /// A schema taken out of a larger document, whose references start from there, as AsyncAPI's do.
    @Test func refersToTheDocumentThatItWasTakenFrom() throws {
        let root = Document(
            try JSON.parse(
                ##"""
                {"components": {"schemas": {"name": {"type": "string"}}},
                 "it": {"properties": {"a": {"$ref": "#/components/schemas/name"}}}}
                """##))
        let it = try #require(root["it"])
        let schema = try #require(JSONSchema.reading(it, root: root).schema)
        #expect(schema.check(["a": "x"]) == .valid)
        #expect(schema.check(["a": 1]) == .invalid(ShapeViolation(path: "a", expected: "a string", value: 1)))
        #expect(JSONSchema.reading(it).schema == nil, "without it the reference leads nowhere")
    }

    /// Draft 7 and AsyncAPI 2 leave out what stands beside a reference.
    @Test func readsWhatStandsBesideAReferenceAsItsDialectSays() throws {
        let document = Document(try JSON.parse(##"{"$defs": {"s": {"type": "string"}}, "$ref": "#/$defs/s", "minLength": 2}"##))
        #expect(JSONSchema.reading(document, dialect: .draft7).schema?.check("x") == .valid)
        #expect(JSONSchema.reading(document).schema?.check("x") != .valid)
    }
}

/// Schemas and values that are meant to take long, or to go deep: an answer comes all the same, or none is given.
@Suite struct HostileSchemaTests {
    private func nested(_ depth: Int, _ open: String, _ core: String, _ close: String) -> String {
        String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
    }

    /// Each of thirty schemas asks the next one twice: two to the thirty ways, if nothing were kept.
    @Test func referencesThatDoubleAreAskedOnce() throws {
        var defs = ""
        for step in 0..<30 {
            defs += ##""d\##(step)": {"allOf": [{"$ref": "#/$defs/d\##(step + 1)"}, {"$ref": "#/$defs/d\##(step + 1)"}]}, "##
        }
        let schema = try SchemaTests.schema(##"{"$ref": "#/$defs/d0", "$defs": {\##(defs)"d30": {"type": "string"}}}"##)
        #expect(schema.check("x") == .valid)
        guard case .invalid(let violation) = schema.check(1) else { return #expect(Bool(false)) }
        #expect(violation.text == "$: a string")
    }

    /// Twice the value, twice the work, and not more.
    @Test func workIsLinearInTheValue() throws {
        let schema = try SchemaTests.schema(
            ##"{"items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"anyOf": [{"type": "null"}, {"items": {"$ref": "#/$defs/x"}}]}}}"##)
        func steps(_ count: Int) -> Int {
            let value = JSON.array(Array(repeating: .array([1, 2]), count: count))
            var run = SchemaRun(schema.nodes, value)
            #expect(run.judge(0, 0) == .valid)
            return run.used
        }
        #expect(steps(2_000) < 2 * steps(1_000) + 100)
    }

    /// Four thousand objects to choose from cost no more than one.
    @Test func choicesAreNotComparedOneByOne() throws {
        let choices = (0..<4_000).map { #"{"a": \#($0)}"# }.joined(separator: ", ")
        let schema = try SchemaTests.schema(#"{"items": {"enum": [\#(choices)]}}"#)
        let value = JSON.array(Array(repeating: .object([.init(key: "a", value: 3_999)]), count: 400))
        var run = SchemaRun(schema.nodes, value)
        #expect(run.judge(0, 0) == .valid)
        #expect(run.used < 10 * 400)
    }

    @Test func depthLeavesTheAnswerOpen() throws {
        let chain = (0..<2_000).map { ##""d\##($0)": {"$ref": "#/$defs/d\##($0 + 1)"}"## }.joined(separator: ", ")
        let long = try SchemaTests.schema(##"{"$ref": "#/$defs/d0", "$defs": {\##(chain), "d2000": {"type": "string"}}}"##)
        #expect(long.check(1) == .unknown)
        let deep = try SchemaTests.schema(##"{"items": {"$ref": "#"}, "type": "array"}"##)
        #expect(deep.check(try JSON.parse(nested(100, "[", "", "]"))) == .valid)
        #expect(deep.check(try JSON.parse(nested(100, "[", "1", "]"))) != .valid)
        let value = try JSON.parse(nested(120, #"{"a":"#, "1", "}"))
        #expect(try SchemaTests.schema(##"{"properties": {"a": {"allOf": [{"allOf": [{"$ref": "#"}]}]}}}"##).check(value) == .unknown)
    }

    @Test func tooManyPartsAreRefused() throws {
        let members = (0..<10_100).map { #""m\#($0)": {}"# }.joined(separator: ", ")
        let read = SchemaTests.read(try JSON.parse(#"{"properties": {\#(members)}}"#))
        #expect(read.schema == nil && read.problems.contains { $0.error.message == "the schema has more than 10,000 parts" })
    }

    @Test func aSlowPatternIsSearchedInTime() throws {
        let schema = try SchemaTests.schema(#"{"pattern": "(x+x+)+y"}"#)
        #expect(schema.check(.string(String(repeating: "x", count: 5_000))) != .valid)
        let pattern = try SchemaPattern("(x+x+)+y")
        #expect(pattern.occurs(in: String(repeating: "x", count: 5_000)) == false)
        #expect(pattern.occurs(in: String(repeating: "x", count: 70_000)) == nil, "too long to look at")
    }

    /// Every cut of a schema gives a schema or complaints, and every schema an answer.
    @Test func everyCutIsReadOrRefused() throws {
        for name in ["combined", "ref", "object"] {
            for vector in try SchemaTests.vectors(name) {
                let text = vector["schema"]?.text ?? ""
                for length in stride(from: 0, to: text.utf8.count, by: 3) {
                    let cut = String(text.prefix(length))
                    for close in ["", "}", "}}", "\"}", "]}", "null}}"] {
                        guard let schema = try? JSON.parse(cut + close) else { continue }
                        _ = SchemaTests.read(schema).schema?.check(schema)
                    }
                }
            }
        }
    }
}
