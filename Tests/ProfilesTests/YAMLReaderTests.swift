import Contracts
import Journaling
import Testing

@testable import Profiles

@Suite("YAML")
struct YAMLReaderTests {
    private func errors(_ text: String, limits: Limits = .standard) -> [String] {
        do throws(ConfigurationErrors) {
            _ = try YAMLReader.read(text, file: "f.yaml", limits: limits)
            return []
        } catch {
            return error.errors.map(\.plain)
        }
    }

    @Test func valuesAndPlaces() throws {
        let document = try YAMLReader.read(
            """
            # comment
            a: 1
            b: {c: "x # y", d: [1, 'it''s', two words]}
            "*": >-
              folded
              text
            list:
            - one
            - k: v
              l: w
            nothing:
            """, file: "f.yaml")
        #expect(document["a"]?.scalar?.integer == 1)
        #expect(document["b"]?["c"]?.scalar == .init(text: "x # y", isPlain: false))
        #expect(document["b"]?["d"]?.list?.map(\.scalar?.text) == ["1", "it's", "two words"])
        #expect(document["*"]?.scalar?.text == "folded text")
        #expect(document["list"]?.list?[1]["l"]?.scalar?.text == "w")
        #expect(document["nothing"]?.scalar?.isNull == true)
        #expect(document["b"]?["d"]?.mark == Mark(file: "f.yaml", line: 3, column: 20))
        #expect(document["list"]?.list?[1].map?.last?.mark == Mark(file: "f.yaml", line: 10, column: 3))
    }

    @Test(arguments: [
        ("a: &x 1", "f.yaml:1:4: error: anchors are not allowed: &x; write the value out, or put quotes around it if it is text"),
        ("a: *x", "f.yaml:1:4: error: aliases are not allowed: *x; write the value out, or put quotes around it if it is text"),
        ("- *x", "f.yaml:1:3: error: aliases are not allowed: *x; write the value out, or put quotes around it if it is text"),
        ("a: [b, *x]", "f.yaml:1:8: error: aliases are not allowed: *x; write the value out, or put quotes around it if it is text"),
        ("a: !t 1", "f.yaml:1:4: error: tags are not allowed: !t; leave it out, or put quotes around it if it is text"),
        ("a: !!int 1", "f.yaml:1:4: error: tags are not allowed: !!int; leave it out, or put quotes around it if it is text"),
        ("<<: {a: 1}", "f.yaml:1:1: error: merge keys are not allowed: <<; write the entries out, or use extends"),
        ("*: {}", "f.yaml:1:1: error: \"*\" at the start must be quoted: \"*\""),
        ("a:\n  - *", "f.yaml:2:5: error: \"*\" at the start must be quoted: \"*\""),
        ("a: **", "f.yaml:1:4: error: \"*\" at the start must be quoted: \"**\""),
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: error: `a` is given twice; again here; keep one"),
        ("{a: 1, \"a\": 2}", "f.yaml:1:8: error: `a` is given twice; again here; keep one"),
        ("x:\n  - k: 1\n    k: 2\n  - k: 3", "f.yaml:3:5: error: `k` is given twice; again here; keep one"),
        ("? a\n: b", "f.yaml:1:1: error: a \"?\" in front of a key is not supported; write KEY: VALUE"),
        ("", Self.empty), ("# only a comment", Self.empty),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: error: not readable as YAML: but found another document; keep one, and leave out the line ---"),
    ])
    func refuses(text: String, message: String) {
        #expect(errors(text) == [message])
    }

    @Test(arguments: [
        "a: \"*\"", "a: 'x&y *z !w'", "a: b*c", "a: x & y", "a: |\n  *x\n  &y\n  a: 1\n  a: 2\nb: 1", "a: # *x\n  b",
        "x: {k: 1}\ny: {k: 1}", "x:\n  k: 1\ny:\n  k: 1", "- k: 1\n- k: 2", "a:\n- k: 1\n- k: 1\nb: 1", "a: [\"<<\"]",
        "a: \"say \\\"*x\\\" & go\"", "a:\n  - |\n    *x\n  - b", "---\na: 1", "%YAML 1.1\n---\na: 1", "a: >\n\n  *b\n\n  c\nd: e",
        "when: { type: <a|b>, x: re:(?<y>z) }", "a: \"x\": y".replacing("\": y", with: "y\""),
    ])
    func accepts(text: String) {
        #expect(errors(text) == [])
    }

    private static let empty =
        "f.yaml:1:1: error: the file is empty; begin a profile with miswire: 1, a contract with miswire-contract: 1"

    /// libyaml says what it looked for; we say what to write.
    @Test(arguments: [
        ("a:\n\tb: 1", "f.yaml:2:1: error: not readable as YAML: found character that cannot start any token; found a tab, expected spaces; indent with spaces"),
        ("a: [1,\n  2", "f.yaml:2:4: error: not readable as YAML: did not find expected ',' or ']'; close the \"[\" of line 1, or write a comma"),
        ("a: {b: 1\nc: 2", "f.yaml:2:2: error: not readable as YAML: did not find expected ',' or '}'; close the \"{\" of line 1, or write a comma"),
        ("a: \"x\n", "f.yaml:2:1: error: not readable as YAML: found unexpected end of stream; close the quotes of line 1"),
        ("a: b: c", "f.yaml:1:5: error: not readable as YAML: mapping values are not allowed in this context; put quotes around text that holds \": \", or indent the line like its neighbours"),
        ("a: @x", "f.yaml:1:4: error: not readable as YAML: found character that cannot start any token; found \"@\"; put quotes around text that begins so"),
        ("a: 1\n- b", "f.yaml:2:1: error: not readable as YAML: did not find expected key; indent it like the entries that begin in line 1"),
        ("a: \"\\q\"", "f.yaml:1:5: error: not readable as YAML: found unknown escape character; double the backslash, or use single quotes"),
        ("ä: \u{7}", "f.yaml:1:4: error: not readable as YAML: control characters are not allowed; leave it out, or write it as \"\\xNN\" in double quotes"),
    ])
    func brokenTextHasARemedy(text: String, message: String) {
        #expect(errors(text) == [message])
    }

    @Test func everyProblemAtOnceInOrder() {
        #expect(errors("a: &x 1\nb: *x\nb: 2\n").count == 3)
    }

    @Test(arguments: ["a: [1", "a: \"x", "a: b: c", "\ta: 1", "a: 1\n b: 2", "[a]]", "{a", "a: \u{7}b", "- a\nb: c", "key: @x"])
    func brokenTextHasAPlace(text: String) throws {
        let found = #expect(throws: ConfigurationErrors.self) { _ = try YAMLReader.read(text, file: "f.yaml") }
        let error = try #require(found?.errors.first)
        #expect(error.line >= 1)
        #expect(error.message.hasPrefix("not readable as YAML: "))
    }

    @Test func boundsOfBytesDepthAndNodes() {
        var limits = Limits()
        limits.documentBytes = 10
        #expect(errors("a: 1234567", limits: limits) == [])
        #expect(errors("a: 12345678", limits: limits) == ["f.yaml:1:11: error: the file is larger than 0 KiB; make it smaller (limit L6)"])
        limits = Limits()
        limits.documentDepth = 3
        #expect(errors("[[[1]]]", limits: limits) == [])
        #expect(errors("[[[[1]]]]", limits: limits) == ["f.yaml:1:4: error: values are nested deeper than 3 levels; flatten it (limit L6)"])
        limits = Limits()
        limits.documentNodes = 5
        #expect(errors("[1, 2, 3, 4]", limits: limits) == [])
        #expect(errors("[1, 2, 3, 4, 5]", limits: limits).first?.hasSuffix("more than 5 values; make it smaller (limit L6)") == true)
    }

    /// Each of these stops a naive reader: time, memory or stack.
    @Test func bombs() {
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let items = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            laughs += "a\(level): &a\(level) [\(items)]\n"
        }
        for text in [
            laughs, String(repeating: "[", count: 1_000_000), String(repeating: "{a: ", count: 200_000),
            String(repeating: "- ", count: 400_000), String(repeating: "a: 1\n", count: 100_000),
            String(repeating: "&a ", count: 300_000), String(repeating: "? ", count: 400_000),
            "a: [" + String(repeating: "1,", count: 500_000) + "]", String(repeating: "'", count: 999_999),
        ] {
            #expect(!errors(text).isEmpty)
            #expect(errors(text).count <= 100)
        }
    }

    @Test func everyCutOfAFileIsReadOrRefused() throws {
        let text = try #require(Shipped.contract("agent-chat"))
        for length in stride(from: 0, to: text.count, by: 7) {
            let cut = String(text.prefix(length))
            do throws(ConfigurationErrors) { _ = try ContractLoader.parse(text: cut, file: "cut.yaml") } catch {
                #expect(!error.errors.isEmpty)
            }
        }
    }
}
