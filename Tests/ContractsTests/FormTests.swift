import Journaling
import Testing
import Wire

@testable import Contracts

/// What is valid for a message that was recognised: a shape, a closed one, or a JSON Schema.
@Suite struct FormTests {
    /// What is wrong with an event of a contract that declares `it` so; nil = nothing.
    private func wrong(_ declared: String, _ message: String) throws -> String? {
        let contract = try contract(
            #"{"miswire-contract": 1, "name": "x", "wire": {"type": "type"}, "events": {"it": \#(declared)}}"#)
        let recognizer = Recognizer(contract)
        let found = recognizer.recognise(try JSON.parse(message), direction: .toClient)
        let violation = recognizer.violation(of: found, direction: .toClient)
        if case .invalid(let text) = found.outcome { #expect(text == violation?.text) } else { #expect(violation == nil) }
        return violation.map { $0.text + ($0.value.map { " not " + $0.text } ?? "") }
    }

    @Test func aShapeNamesTheValueThatDoesNotFit() throws {
        let shape = #"{"shape": {"id": "<text>", "body.n": "<integer>", "list[*].x": "<string>"}}"#
        #expect(try wrong(shape, #"{"type":"it","id":"a","body":{"n":1},"list":[{"x":"y"}]}"#) == nil)
        #expect(try wrong(shape, #"{"type":"it","id":"","body":{"n":1},"list":[{"x":"y"}]}"#) == #"id: <text> not """#)
        #expect(try wrong(shape, #"{"type":"it","id":"a","body":{},"list":[{"x":"y"}]}"#) == "body.n: <integer>")
        #expect(try wrong(shape, #"{"type":"it","id":"a","body":{"n":1},"list":[{"x":"y"},{"x":7}]}"#) == "list[*].x: <string> not 7")
    }

    @Test func aSchemaStandsInPlaceOfAShape() throws {
        let schema = #"{"schema": {"required": ["id"], "properties": {"id": {"type": "string"}}}}"#
        #expect(try wrong(schema, #"{"type":"it","id":"a"}"#) == nil)
        #expect(try wrong(schema, #"{"type":"it"}"#) == "id: a value")
        #expect(try wrong(schema, #"{"type":"it","id":7}"#) == "id: a string not 7")
        let ignored = #"{"schema": {"uniqueItems": true, "multipleOf": 2}}"#
        #expect(try wrong(ignored, #"{"type":"it"}"#) == nil, "what is ignored accuses nobody")
    }

    @Test func aClosedMessageHasNoOtherFields() throws {
        let shape = #"{"id": "<text>", "body.n": "<any>", "free": "<object|absent>", "list[*].x": "<any|absent>"}"#
        let closed = #"{"shape": \#(shape), "closed": true}"#
        let fine = [
            #"{"type":"it","id":"a","body":{"n":1},"list":[]}"#, #"{"type":"it","id":"a","body":{"n":1},"free":{"z":1},"list":[{"x":1}]}"#,
        ]
        for message in fine { #expect(try wrong(closed, message) == nil, "\(message)") }
        #expect(try wrong(closed, #"{"type":"it","id":"a","body":{"n":1},"list":[],"more":2}"#) == "more: <absent> not 2")
        let deeper = #"{"type":"it","id":"a","body":{"n":1,"m":2},"list":[]}"#
        #expect(try wrong(closed, deeper) == nil, "a field of a field is not the message's")
    }

    /// What is wrong with a schema stands at its place in the contract.
    @Test func problemsOfASchemaAreTheContracts() throws {
        var reader = ContractReader(
            Document(
                try JSON.parse(
                    #"""
                    {"miswire-contract": 1, "name": "x", "wire": {"type": "type"},
                     "events": {"it": {"schema": {"type": "strng", "uniqueItems": true}}}}
                    """#),
                file: "c.yaml"))
        _ = reader.read()
        #expect(reader.problems.map(\.severity) == [.error, .warning])
        #expect(reader.problems.first?.remedy == "nearest: string")
        #expect(reader.problems.last?.message == #"keyword "uniqueItems" is ignored; what it forbids is not judged"#)
    }
}
