import Contracts
import Faults
import Foundation
import Journaling
import Testing
import Wire

@testable import Profiles

/// The schema and the reader are made from one registry; here each is asked the same of thousands of profiles.
@Suite struct SchemaTests {
    private static let check = SchemaCheck(root: ProfileSchema.json)

    /// What the reader refuses, and what the schema does.
    private func asked(_ text: String) throws -> (reader: [String], schema: [String]) {
        let document = try YAMLReader.read(text, file: "p.yaml")
        let schema = Self.check.complaints(document.json)
        do throws(ConfigurationErrors) {
            _ = try ProfileLoader.parse(text: text, file: "p.yaml")
            return ([], schema)
        } catch { return (error.errors.filter { $0.severity == .error }.map(\.plain), schema) }
    }

    @Test(arguments: ProfileLoader.shipped)
    func shippedProfilesConform(name: String) throws {
        let text = try #require(Shipped.profile(name))
        #expect(Self.check.complaints(try YAMLReader.read(text, file: name).json) == [])
    }

    // MARK: Settings

    /// Candidates for every unit, right ones and wrong ones, as they stand in a flow mapping.
    private static let candidates = [
        "0", "1", "7", "126", "1000", "4096", "-1", "1.5", "''", "~", "x", "'5'", "five", "true", "false", "[]", "[a]", "[a, b]", "{ a: b }",
        "5ms", "250ms", "1.5s", "2m", "1h", "3us", "5 ms", "5sec", "s", "ms", ".5s", "1.s", "-5ms", "5MS", "1.2.3s", "'0'",
        "64B", "1KiB", "2MiB", "1GiB", "64KB", "1.5KiB", "KiB", "64 KiB", "64kib",
        "64KiB/s", "100KB/s", "1MB/s", "5B/s", "0/s", "64/s", "64KiBps",
        "0%", "5%", "12.5%", "100%", "100.0%", "101%", "099%", "5.%", "'%'", "-5%", "5 %", "1e1%",
    ]

    /// A setting's words besides.
    private func words(_ parameter: Parameter) -> [String] {
        switch parameter.unit {
        case .choice(let words), .choices(let words):
            words.map { "'\($0)'" } + words.prefix(3).map { "[\($0)]" } + words.prefix(2).map { $0 } + ["['\(words[0])', nonsense]", "'\(words[0])x'"]
        case .names: ["alice", "[alice, bob]", "'a b'", "[[a]]"]
        case .duration, .bytes, .rate, .share, .count, .text: []
        }
    }

    /// Each text of the value is one of the unit's; what settings mean together no schema can say.
    private func isAdmitted(_ document: Document, _ parameter: Parameter) -> Bool {
        let items = parameter.unit.isPlural ? document.list ?? [document] : [document]
        return items.allSatisfy { item in
            item.scalar.map { !$0.isNull && (parameter.unit.admits($0.text) || isNumber($0.text, of: parameter.unit)) } ?? false
        }
    }

    /// To a schema `1` is the word `1.0` too.
    private func isNumber(_ text: String, of unit: Parameter.Unit) -> Bool {
        guard case .choice(let words) = unit, let number = Double(text) else { return false }
        return words.contains { Double($0) == number }
    }

    @Test(arguments: FaultRegistry.all.map { $0.name })
    func settingsOfEveryKind(kind: String) throws {
        let type = try #require(FaultRegistry.kind(kind))
        for parameter in type.parameters {
            let others = type.parameters.filter { $0.required && $0.name != parameter.name }
            let needed = try others.map { other in
                let good = try #require((Self.candidates + words(other)).first { text in
                    (try? YAMLReader.read("v: \(text)", file: "v"))?["v"].map { isAdmitted($0, other) } ?? false
                })
                return ", \(other.name): \(good)"
            }.joined()
            for candidate in Self.candidates + words(parameter) {
                let text = "miswire: 1\nname: t\nfaults:\n  - { fault: \(kind), \(parameter.name): \(candidate)\(needed) }\n"
                let (reader, schema) = try asked(text)
                let value = try #require(try YAMLReader.read("v: \(candidate)", file: "v")["v"])
                if !schema.isEmpty { #expect(!reader.isEmpty, "only the schema refuses \(kind) \(parameter.name): \(candidate): \(schema)") }
                if !reader.isEmpty, !isAdmitted(value, parameter) {
                    #expect(!schema.isEmpty, "only the reader refuses \(kind) \(parameter.name): \(candidate): \(reader)")
                }
            }
        }
        for (settings, isGood) in [("", true), (", nonsense: 1", false), (", off: true", false)] as [(String, Bool)] where type.parameters.allSatisfy({ !$0.required }) {
            let (reader, schema) = try asked("miswire: 1\nname: t\nfaults: [{ fault: \(kind)\(settings) }]\n")
            let isAlone = reader.allSatisfy { !$0.contains("setting") && !$0.contains("`off`") }
            #expect(isAlone == isGood && schema.isEmpty == isGood, "\(kind)\(settings): \(reader) \(schema)")
        }
    }

    // MARK: Everything else

    private static let head = "miswire: 1\nname: t\n"

    /// Keys and values of which the reader and the schema must think alike, each alone in its profile.
    private static var others: [String] {
        let ordinals = ["nth 2", "every 3", "first 10", "share 5%", "share 0%", "nth 0", "third", "3", "every", "every x", "share 5", "[nth 2]", "nth  2", "~"]
        let bounds = ["30s", "10", "0", "-1", "soon", "5 s", "{ type: x }", "[a]", "1.5s", "~"]
        var all: [String] = []
        for (key, values) in [
            ("connection", ordinals), ("message", ordinals), ("after", bounds), ("until", bounds),
            ("user", ["alice", "'*'", "7", "[a]", "{ a: b }", "''", "~"]), ("path", ["/ws", "/ws/**", "[/ws]", "''"]),
            ("to", ["server", "client", "sever", "[server]", "~"]), ("opcode", ["text", "binary", "close", "ping", "pong", "txt", "[text]", "1", "3", "15", "'9'", "0", "16", "-1", "1.5"]),
            ("during", ["run", "session", "true"]), ("match", ["{ type: x }", "{ a: 1, b: true }"]), ("nonsense", ["1"]),
        ] as [(String, [String])] {
            all += values.map { head + "faults: [{ fault: drop, when: { \(key): \($0) } }]\n" }
        }
        let expectations = [
            "refused", "refused within 2s", "closed", "closed 1008", "closed 1008 4401 within 2s", "error event", "recovers within 5s", "delivered",
            "nothing lost", "nothing lost within 1m", "refused 1008", "closed 999", "closed 5000", "fine", "refused within", "refused within 2", "within 2s",
            "[refused]", "{ a: b }", "error", "delivered  within 2s",
        ]
        all += expectations.map { head + "faults: [{ fault: drop, expect: \($0) }]\n" }
        for (key, values) in [
            ("paths", ["/ws", "[/ws, /a]", "[]", "{ a: b }", "''"]), ("users", ["alice", "['*']", "[7]"]), ("share", ["5%", "1", "200%", "0%", "~"]),
            ("expires", ["0", "never", "30m", "30", "soon", "[1s]"]), ("nonsense", ["1"]),
            ("budget", ["{ total: 1 }", "{ per-connection: 2, total: 3 }", "{}", "{ total: -1 }", "{ total: x }", "{ all: 1 }", "20", "{ total: '7' }"]),
        ] as [(String, [String])] {
            all += values.map { head + "scope: { \(key): \($0) }\n" }
        }
        all += ["", "scope: x\n", "scope: []\n", "seed: 0\n", "seed: 42\n", "seed: -1\n", "seed: x\n", "seed: '1'\n", "seed: 1.5\n", "about: x\n", "about: [x]\n",
            "contract: agent-chat\n", "contract: { a: b }\n", "faults: []\n", "faults: ~\n", "faults: x\n", "faults: {}\n", "faults: [x]\n", "faults: [{}]\n",
            "faults: [{ id: a }]\n", "faults: [{ fault: dropp }]\n", "faults: [{ fault: drop, id: Bad_Id }]\n", "faults: [{ fault: drop, id: good-1 }]\n",
            "faults: [{ fault: drop, id: 7 }]\n", "nonsense: 1\n",
        ].map { head + $0 }
        return all + [
            "name: t\n", "miswire: 1\n", "miswire: 2\nname: t\n", "miswire: x\nname: t\n", "miswire: 1\nname: a/b\n", "miswire: 1\nname: .a\n", "miswire: 1\nname: 7\n",
            "[]\n", "x\n",
        ]
    }

    @Test(arguments: others)
    func theReaderAndTheSchemaThinkAlike(text: String) throws {
        let (reader, schema) = try asked(text)
        // A fault without a kind changes one of the profile that is extended: which there is, no schema knows.
        if text.contains("{ id: a }") { return #expect(schema.isEmpty && !reader.isEmpty) }
        #expect(reader.isEmpty == schema.isEmpty, "reader \(reader), schema \(schema)")
    }

    @Test func profilesThatExtendConform() throws {
        let text = Self.head + "extends: base\nscope: { share: 1% }\nfaults:\n  - { id: gone, off: true }\n  - { id: slow, latency: 10ms }\n  - { id: new, fault: chop }\n"
        #expect(Self.check.complaints(try YAMLReader.read(text, file: "p.yaml").json) == [])
        let bad = Self.head + "extends: base\nfaults: [{ id: gone, off: no }]\n"
        #expect(Self.check.complaints(try YAMLReader.read(bad, file: "p.yaml").json) != [])
    }
}
