import NIOCore
import Testing

@testable import Wire

@Suite struct JSONDocumentTests {
    private static func document(_ text: String) -> JSONDocument { JSONDocument(ByteBuffer(string: text)) }

    @Test func spans() throws {
        let text = #" {"a" : 1.50 , "b":["x\n", null ,{}],"a":true} tail"#
        let document = Self.document(text)
        let root = try #require(document.root)
        #expect(document.problem?.reason == "characters behind the value")
        #expect(document.text(document.tail) == " tail")
        let members = document.nodes[root].children
        #expect(members.map { document.key(of: $0) } == ["a", "b", "a"])
        #expect(members.map { document.text(document.nodes[$0].range) } == ["1.50", #"["x\n", null ,{}]"#, "true"])
        #expect(document.text(document.nodes[members[0]].wholeRange) == #""a" : 1.50"#)
        #expect(document.member("a", of: root) == members[2])
        #expect(document.members("a", of: root) == [members[0], members[2]])
        let list = try #require(document.node(at: ["b"]))
        #expect(document.element(0, of: list).flatMap { document.string(of: $0) } == "x\n")
        #expect(document.element(-1, of: list).map { document.nodes[$0].kind } == .object)
        #expect(document.element(3, of: list) == nil && document.element(-4, of: list) == nil)
        #expect(document.value(of: root)?["a"] == true)
        #expect(document.node(at: ["b", "x"]) == nil && document.node(at: ["z"]) == nil && document.node(at: []) == 0)
    }

    @Test func editsKeepAllOtherBytes() throws {
        let text = #"{ "a" : 1.50 , "b":[ 1 , 2,3 ],"a":{} }x"#
        let document = Self.document(text)
        let a = try #require(document.members("a", of: 0).first)
        let b = try #require(document.node(at: ["b"]))
        let last = try #require(document.members("a", of: 0).last)
        let string = { (buffer: ByteBuffer) in String(buffer: buffer) }
        #expect(string(document.replacing(node: a, with: "z")) == #"{ "a" : "z" , "b":[ 1 , 2,3 ],"a":{} }x"#)
        #expect(string(document.renaming(node: a, to: "q\"")) == #"{ "q\"" : 1.50 , "b":[ 1 , 2,3 ],"a":{} }x"#)
        #expect(string(document.removing(node: a)) == #"{ "b":[ 1 , 2,3 ],"a":{} }x"#)
        #expect(string(document.removing(node: b)) == #"{ "a" : 1.50 , "a":{} }x"#)
        #expect(string(document.removing(node: last)) == #"{ "a" : 1.50 , "b":[ 1 , 2,3 ] }x"#)
        #expect(string(document.removing(node: 0)) == text)
        let two = try #require(document.element(1, of: b))
        #expect(string(document.removing(node: two)) == #"{ "a" : 1.50 , "b":[ 1 , 3 ],"a":{} }x"#)
        #expect(string(document.adding("k", [1], to: 0)) == #"{ "a" : 1.50 , "b":[ 1 , 2,3 ],"a":{},"k":[1] }x"#)
        #expect(
            string(document.adding("k", text: "NaN", to: last)) == #"{ "a" : 1.50 , "b":[ 1 , 2,3 ],"a":{"k":NaN} }x"#)
        #expect(string(document.appending(element: "4", to: b)) == #"{ "a" : 1.50 , "b":[ 1 , 2,3,4 ],"a":{} }x"#)
        #expect(string(document.adding("k", 1, to: b)) == text)
        #expect(string(document.replacing(500..<900, with: "!")) == text + "!")
        let lone = Self.document(#"{"a":1}"#)
        #expect(string(lone.removing(node: 1)) == "{}")
    }

    @Test func brokenOff() throws {
        let document = Self.document(#"{"a":1,"b":[true,"#)
        #expect(document.root == nil && document.problem != nil)
        #expect(document.nodes.map(\.isClosed) == [false, true, false, true])
        #expect(document.node(at: ["a"]).flatMap { document.value(of: $0) } == 1)
        #expect(document.value(of: 0) == nil)
        #expect(Self.document("").nodes.isEmpty && Self.document("").root == nil)
        #expect(Self.document("nope").tail == 0..<4)
    }

    @Test func readerFindsWhatTheTreeHas() throws {
        let texts = [
            #"{"type":"t","a":{"b":{"c":1}},"d":[{"b":2}]}"#, #"{"a":{"b":1},"a":2}"#, #"{"a":{"b":1},"a":[{"b":3}]}"#,
            #"{"a":[1],"a":{"b":{"c":"x"},"b":{"c":"y"}}}"#, #"{"\u0061":{"b":1}}"#, #"[{"a":1}]"#, "3",
            #"{"b":{"a":{"b":9}}}"#,
            #"{"a":{"b":{"c":1}},"a":{"x":1}}"#, #"{"a":{"a":{"a":1}}}"#,
        ]
        let paths = [["type"], ["a"], ["a", "b"], ["a", "b", "c"], ["b"], ["d"], ["a", "a"], ["a", "a", "a"], []]
        for text in texts {
            let value = try JSON.parse(text)
            let reader = JSONReader(ByteBuffer(string: text))
            let found = reader.values(at: paths)
            for (path, result) in zip(paths, found) {
                let expected = path.reduce(Optional(value)) { $0?[$1] }
                #expect(result == expected, "\(text) \(path)")
            }
        }
        #expect(JSONReader(ByteBuffer(string: #"{"a":"x"} y"#)).string("a") == nil)
        #expect(JSONReader(ByteBuffer(string: #"{"a":"x"}"#)).string("a") == "x")
        #expect(JSONReader(ByteBuffer(string: #"{"a":1}"#)).string("a") == nil)
    }
}
