import Testing
import Wire

@testable import Contracts

@Suite struct MemberTableTests {
    private func isText(_ value: JSON?, _ text: String?) -> Bool {
        guard let value, let text else { return value == nil && text == nil }
        return value.string.map { Array($0.utf8) } == Array(text.utf8)
    }

    /// Swift takes them for equal; JSON does not.
    @Test func namesThatAreComposedOtherwiseAreOthers() throws {
        let paths = try [#"["\#u{e9}"]"#, #"["e\#u{301}"]"#].map { try Path($0) }
        let table = MemberTable(paths)
        let message = JSON.object([.init(key: "\u{e9}", value: .string("one"))])
        let found = table.find(in: message)
        #expect(found.value(table.entry(paths[0]))?.string == "one" && found.value(table.entry(paths[1])) == nil)
        for path in paths { #expect(found.value(table.entry(path)) == path.value(in: message)) }
    }

    /// Compared where they stand, values are the same texts as when they are taken out.
    @Test func whatStandsInAMessageIsSaidByIt() throws {
        let paths = try ["user", "thread", "run", "meta.id", "user", "run"].map { try Path($0) }
        let asked = [[paths[0]], [paths[1]], [paths[2], paths[1]], [paths[3]], []]
        let table = MemberTable(paths)
        let list = table.list(asked)
        let messages = [
            #"{"user":"u","thread":"a thread of many bytes","run":"r","meta":{"id":"m"}}"#, #"{"user":"u","thread":null,"run":null}"#,
            #"{"run":"r","user":"x","user":"u"}"#, #"{"user":5,"run":"5"}"#, #"{"user":"","thread":{},"run":[]}"#, "{}", "[]", "7",
            #"{"user":null,"thread":"r","meta":{"id":null}}"#, #"{"user":"e\u0301"}"#,
            "{" + (0..<300).map { "\"m\($0)\":0" }.joined(separator: ",") + #","user":"u","run":"r"}"#,
        ]
        let texts: [String?] = [nil, "u", "r", "5", "", "m", "a thread of many bytes", "\u{e9}", "e\u{301}"]
        var said = 0
        for message in messages {
            let value = try JSON.parse(message)
            let found = table.find(in: value)
            let taken = asked.map { paths in paths.lazy.compactMap { $0.value(in: value) }.first }
            for index in asked.indices {
                for text in texts {
                    var wanted = taken.map { $0?.string }
                    wanted[index] = text
                    let isSaid = zip(taken, wanted).allSatisfy(isText)
                    #expect(found.say(wanted, at: list) == isSaid, "\(message) \(index) \(text ?? "nothing")")
                    if isSaid { said += 1 }
                    #expect(found.says(text, at: asked[index].map(table.entry)) == isText(taken[index], text))
                }
            }
            #expect(!found.say([], at: list))
        }
        #expect(said > 20)
    }
}
