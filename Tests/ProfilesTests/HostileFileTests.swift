import Contracts
import Foundation
import Journaling
import Testing
import Wire

@testable import Profiles

/// Files that nobody means well with, and files from other systems: one error with its place, or read as they are.
@Suite("Files from elsewhere")
struct HostileFileTests {
    private func check(_ bytes: [UInt8]) throws -> ConfigurationErrors {
        let directory = try Directory()
        let path = directory.path("f.yaml")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return ConfigurationCheck.check(path)
    }

    private func shown(_ bytes: [UInt8]) throws -> [String] {
        try check(bytes).errors.map { error in
            String(error.plain.dropFirst(error.file.count - SourceFile.baseName(of: error.file).count))
        }
    }

    private func shown(_ text: String) throws -> [String] { try shown(Array(text.utf8)) }

    @Test func bytesThatAreNoText() throws {
        let head = Array("miswire: 1\nname: caf".utf8)
        #expect(try shown(head + [0xe9, 0x0a]) == ["f.yaml:2:10: error: the file is not UTF-8 text; found the byte 0xe9, save it as UTF-8"])
        #expect(try shown(head + [0xc3]) == ["f.yaml:2:10: error: the file is not UTF-8 text; found the byte 0xc3, save it as UTF-8"])
        #expect(try shown([0xff, 0xfe, 0x6d, 0x00]) == ["f.yaml:1:1: error: the file is not UTF-8 text; found the byte 0xff, save it as UTF-8"])
        #expect(try shown(Array("a: ä".utf8) + [0xed, 0xa0, 0x80]) == ["f.yaml:1:5: error: the file is not UTF-8 text; found the byte 0xed, save it as UTF-8"])
        #expect(try check(head + [0xe9, 0x0a]).errors.first?.spot?.source == "name: caf\u{fffd}")
    }

    @Test func textOfOtherSystems() throws {
        let lines = ["miswire: 1", "name: t", "sed: 1", ""]
        for separator in ["\n", "\r\n", "\r"] {
            let text = lines.joined(separator: separator)
            #expect(try shown(text) == ["f.yaml:3:1: error: the profile has no `sed`; write `seed`"])
            #expect(try shown("\u{feff}" + text) == ["f.yaml:3:1: error: the profile has no `sed`; write `seed`"])
            #expect(try check(Array(text.utf8)).errors.first?.spot?.source == "sed: 1")
        }
        #expect(try shown("miswire: 1\r\nname: t\r\n") == [])
    }

    @Test func extendedContractsWithTwoCharacterLineEnds() throws {
        let directory = try Directory()
        try directory.write("base.yaml", "miswire-contract: 1\r\nname: base\r\nwire: { type: type }\r\nrequests: { a: {} }\r\n")
        try directory.write("top.yaml", "miswire-contract: 1\r\nname: top\r\nextends: base\r\nrequests: { b: {} }\r\n")
        let contract = try ContractLoader().load(directory.path("top.yaml"))
        #expect(contract.requests.map(\.name) == ["b", "a"])
        let again = try ContractLoader.parse(text: contract.text, file: "top.yaml")
        #expect(written(again) == written(contract))
    }

    @Test func columnsCountCharacters() throws {
        // A tab is one; so is a flag of two scalars, and a letter with its accent.
        #expect(try shown("miswire: 1\nname: t\nabout: [\"🇩🇪e\u{301}\", x]") == ["f.yaml:3:8: error: `about` needs a text; found a list, write one of them"])
        #expect(try shown("miswire: 1\nname: t\nscope: { \"🇩🇪e\u{301}\": 1, y: 2 }").last == "f.yaml:3:19: error: `scope` has no `y`; known: paths users share expires budget")
        #expect(try shown("miswire: 1\nname: t\nscope: {\ty: 2 }") == ["f.yaml:3:10: error: `scope` has no `y`; known: paths users share expires budget"])
    }

    @Test func controlCharactersAndTabs() throws {
        let tab = try #require(shown("miswire: 1\nname: t\nscope:\n\tshare: 5%\n").first)
        #expect(tab.hasPrefix("f.yaml:4:1: error: not readable as YAML: "), "\(tab)")
        let bell = try #require(shown("miswire: 1\nname: ä\u{7}b").first)
        #expect(bell.hasPrefix("f.yaml:2:8: error: not readable as YAML: "), "\(bell)")
        #expect(try shown("miswire: 1\nname: t\u{2028}x: &a [*a]\n") == [
            "f.yaml:2:8: error: the character U+2028 ends a line for some readers only; write \"\\u2028\" in double quotes"
        ])
        #expect(try shown("a: \u{85}- - - -").count == 1)
        #expect(try shown("\0").count == 1)
    }

    /// A block scalar must not hide what stands behind it.
    @Test(arguments: [
        "- a: |\n  a: 2\n", "- a: |2\n  a: 2\n", "x:\n  - a: >-\n    b: 1\n    a: 2\n", "a: |\na: 2\n", "- a: |1\n  a: 2\n",
    ])
    func blockScalarsEnd(text: String) throws {
        let found = try shown(text)
        #expect(found.contains { $0.contains("`a` is given twice") }, "\(found)")
    }

    @Test func marksOfBundlesInsideAFile() throws {
        let mark = "# miswire: extended contract x.yaml"
        for text in [mark, mark + "\n", "miswire-contract: 1\nname: t\n" + mark, String(repeating: mark + "\n", count: 5_000)] {
            // The version is not the first line of some: they are read as profiles. None may trap.
            _ = try shown(text)
            _ = try? ContractLoader.parse(text: text, file: "t.yaml")
        }
        let alone = try ContractLoader.parse(text: "miswire-contract: 1\nname: t\n# miswire: extended contract", file: "t.yaml")
        #expect(alone.name == "t")
    }

    @Test func longWordsAreCutInSentences() throws {
        let word = String(repeating: "x", count: 900_000)
        for text in [
            "miswire: 1\nname: \(word)\n", "miswire: 1\nname: t\n\(word): 1", "miswire-contract: 1\nname: t\nwire: { type: \(word)! }",
            "miswire-contract: 1\nname: t\nlink: ['\(word) |']",
        ] {
            let errors = try check(Array(text.utf8)).errors
            #expect(!errors.isEmpty)
            for error in errors {
                #expect(error.plain.utf8.count < 2_000)
                #expect(error.block.allSatisfy { $0.text.utf8.count < 2_000 })
            }
        }
    }

    /// Each has thousands of something for which a careless reader looks at each other thing.
    @Test func manyOfEverything() throws {
        let many = 3_000
        func list(_ item: (Int) -> String) -> String { (0..<many).map(item).joined(separator: ", ") }
        let head = "miswire-contract: 1\nname: t\nwire: { type: type }\n"
        for text in [
            "{ miswire: 1, " + list { "k\($0): 1" } + " }",
            "{ miswire-contract: 1, " + list { "k\($0): 1" } + " }",
            head + "events: { " + list { "event\($0)*: {}" } + " }\nrequests: { a: { answer: [" + list { "evnt\($0)" } + "] } }",
            head + "reject: [" + list { "{ when: { type: a\($0) } }" } + "]",
            head + "reject: [{ when: [" + list { "a\($0)" } + "] }, { when: [" + list { "b\($0)" } + "] }]",
            head + "reject: [" + (0..<1_000).map { "{ when: { type: 're:(a|b)*\($0)' } }" }.joined(separator: ", ")
                + "]\nflows: { f: [" + (0..<500).map { "{ send: { type: \(String(repeating: "ab", count: 500))\($0) } }" }.joined(separator: ", ") + "] }",
            head + "flows: { f: [{ send: '" + String(repeating: "{", count: 500_000) + "}' }] }",
            head + "volatile: ['re" + String(repeating: "[", count: 900_000) + "']",
            head + "requests: { a: { match: { type: 're:" + String(repeating: "a|", count: 400_000) + "' } } }",
            head + "requests: { a: { match: { type: 're:" + String(repeating: "(?:a{1900}){0}", count: 60_000) + "' } } }",
            head + "runs: { r: { states: { " + list { "s\($0): { a: s\($0 + 1) }" } + " } } }",
        ] {
            #expect(try check(Array(text.utf8)).errors.count <= 201)
        }
    }

    @Test func manyOfEverythingExtended() throws {
        let directory = try Directory()
        let fields = (0..<4_000).map { "  e\($0): {}\n" }.joined()
        try directory.write("base.yaml", "miswire-contract: 1\nname: base\nwire: { type: type }\nevents:\n" + fields)
        try directory.write("top.yaml", "miswire-contract: 1\nname: top\nextends: base\nevents:\n" + fields)
        #expect(try ContractLoader().load(directory.path("top.yaml")).events.count == 4_000)
    }

    /// Whatever bytes are turned over in a good file: an answer, no trap.
    @Test func spoiltFilesAreReadOrRefused() throws {
        for name in ["agent-chat", "lost-credential"] {
            let good = Array(try #require(Shipped.contract(name) ?? Shipped.profile(name)).utf8)
            var state: UInt64 = 42
            for _ in 0..<300 {
                var bytes = good
                for _ in 0..<3 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let place = Int((state >> 33) % UInt64(bytes.count))
                    let signs = Array("{}[]:,-&*!|>'\"#%@`\t\n\r \u{7}<?~x9".utf8)
                    bytes[place] = signs[Int((state >> 20) % UInt64(signs.count))]
                }
                let text = String(decoding: bytes, as: UTF8.self)
                do throws(ConfigurationErrors) {
                    if name == "agent-chat" { _ = try ContractLoader.parse(text: text, file: "f.yaml") } else { _ = try ProfileLoader.parse(text: text, file: "f.yaml") }
                } catch {
                    #expect(error.isFatal)
                    #expect(error.errors.allSatisfy { $0.line >= 1 && $0.column >= 1 }, "\(error.errors.map(\.plain))\n\(text)")
                }
            }
        }
    }
}
