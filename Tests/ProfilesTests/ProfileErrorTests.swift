import Contracts
import Faults
import Foundation
import Journaling
import Testing

@testable import Profiles

@Suite("Bad profiles")
struct ProfileErrorTests {
    private func errors(_ text: String, file: String = "profiles/lost.yaml") -> ConfigurationErrors {
        do throws(ConfigurationErrors) {
            _ = try ProfileLoader.parse(text: text, file: file)
            return ConfigurationErrors([])
        } catch {
            return error
        }
    }

    private func fault(_ lines: String) -> String { "miswire: 1\nname: t\nfaults:\n  - fault: accept-delay\n    " + lines }

    /// Transport faults have bytes in hand; a rule that asks for messages would hold for none of them.
    @Test(arguments: [
        ("message: nth 2", "`latency` acts on bytes, which `message` says nothing of"),
        ("match: { type: a }", "`latency` acts on bytes, which `match` says nothing of"),
        ("opcode: text", "`latency` acts on bytes, which `opcode` says nothing of"),
        ("during: run", "`latency` acts on bytes, which `during` says nothing of"),
        ("after: 3", "`latency` acts on bytes, which `after` says nothing of"),
        ("until: { type: a }", "`latency` acts on bytes, which `until` says nothing of"),
    ])
    func bytesAreNoMessages(condition: String, message: String) {
        let found = errors("miswire: 1\nname: t\nfaults:\n  - fault: latency\n    when: { \(condition) }\n").errors
        #expect(found.map(\.message) == [message])
        #expect(found.first?.line == 5)
        #expect(found.first?.remedy.hasPrefix("leave it out") == true)
    }

    @Test func bytesMayBeChosenByTime() {
        let when = "{ after: 2s, until: 1m, connection: share 5%, to: client, user: a, path: /b }"
        #expect(errors("miswire: 1\nname: t\nfaults:\n  - fault: latency\n    when: \(when)\n").errors.isEmpty)
    }

    /// The example of looks.md section 4, both forms.
    @Test func blockFormIsThatOfTheMockUp() {
        let text = """
            miswire: 1
            name: lost-credential
            about: Removes the credential from every third upgrade.
            contract: agent-chat
            seed: 42
            scope:
              paths: ["/ws/**"]
              users: ["*"]
              share: 100%
              expires: 30m
            faults:
              - id: stripped
                fault: drop-aut
                in: [header, query]
              - id: slow
                fault: accept-delay
                delay: fast
            """
        let found = errors(text)
        #expect(
            found.errors.map { $0.block.map(\.text).joined(separator: "\n") } == [
                """
                error: no fault is called `drop-aut`
                  --> profiles/lost.yaml:13:12
                13 |     fault: drop-aut
                   |            ^^^^^^^^ write `drop-auth`; `miswire faults` lists all
                """,
                """
                error: `delay` needs a duration
                  --> profiles/lost.yaml:17:12
                17 |     delay: fast
                   |            ^^^^ found a word, expected a number with ms, s or m, such as 250ms
                """,
            ])
        #expect(
            found.errors.map(\.plain) == [
                "profiles/lost.yaml:13:12: error: no fault is called `drop-aut`; write `drop-auth`",
                "profiles/lost.yaml:17:12: error: `delay` needs a duration; found a word, expected a number with ms, s or m, such as 250ms",
            ])
    }

    /// Such a rule reads, and never acts.
    @Test(arguments: [
        ("accept-delay", "to: server", "`accept-delay` with these settings never acts on the way to the server"),
        ("refuse", "to: client", "`refuse` with these settings never acts on the way to the client"),
        ("accept-delay", "message: nth 1", "`accept-delay` acts on no message, so `message` never holds"),
        ("handshake-mutate", "match: { a: b }", "`handshake-mutate` acts on no message, so `match` never holds"),
        ("drop-auth", "opcode: text", "`drop-auth` acts on no message, so `opcode` never holds"),
    ])
    func conditionsThatNeverHold(kind: String, condition: String, message: String) throws {
        let text = "miswire: 1\nname: t\nfaults:\n  - fault: \(kind)\n    when: { \(condition) }\n"
        let path = FileManager.default.temporaryDirectory.path + "/idle-\(kind)-\(condition.utf8.count).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let found = ConfigurationCheck.check(path).errors
        #expect(found.map(\.message) == [message])
        #expect(found.map(\.severity) == [.warning])
        #expect(found.map(\.line) == [5])
        #expect(try ProfileLoader().load(path).faults.count == 1)
    }

    @Test(arguments: ["accept-delay\n    when: { to: client }", "drop-auth\n    in: [first-message]\n    when: { message: nth 2 }", "refuse\n    close: 1000\n    when: { to: client }"])
    func conditionsThatMayHold(fault: String) throws {
        #expect(errors("miswire: 1\nname: t\nfaults:\n  - fault: \(fault)\n").errors.isEmpty)
    }

    /// Faults that leave nothing for others, each with the line of the one that never acts.
    @Test(arguments: [
        ("- { id: a, fault: drop }\n- { id: b, fault: delay }", [5], "`b` never acts, because `a` drop always does and leaves nothing for it"),
        ("- { id: a, fault: drop, when: { to: client } }\n- { id: b, fault: delay, when: { to: client, message: nth 2 } }", [5], nil),
        ("- { id: b, fault: delay }\n- { id: a, fault: refuse }", [4], "`b` never acts, because `a` refuse always does and leaves nothing for it"),
        ("- { id: a, fault: refuse, close: 1008 }\n- { id: b, fault: chop }\n- { id: c, fault: opcode }", [6], nil),
        ("- { id: b, fault: latency }\n- { id: a, fault: down }\n- { id: c, fault: accept-delay }", [4, 6], nil),
        ("- { id: a, fault: delay, when: { after: 5s, until: 5s } }", [4], "`until` is over before `after` begins, so that the fault never acts"),
        ("- { id: a, fault: delay, when: { after: 9, until: 3 } }", [4], nil),
        // What may still act.
        ("- { id: b, fault: delay }\n- { id: a, fault: drop }", [], nil),
        ("- { id: a, fault: drop, when: { to: client } }\n- { id: b, fault: delay }", [], nil),
        ("- { id: a, fault: drop, when: { message: share 99% } }\n- { id: b, fault: delay }", [], nil),
        ("- { id: a, fault: drop }\n- { id: b, fault: drop, when: { opcode: ping } }\n- { id: c, fault: latency }", [], nil),
        ("- { id: a, fault: refuse }\n- { id: b, fault: drop-auth }", [], nil),
        ("- { id: a, fault: down }\n- { id: b, fault: delay }\nscope: { users: [alice] }", [], nil),
        ("- { id: a, fault: down }\n- { id: b, fault: delay }\nscope: { share: 5% }", [5], nil),
        ("- { id: a, fault: down, when: { connection: every 2 } }\n- { id: b, fault: delay }", [], nil),
        ("- { id: a, fault: delay, when: { after: 5s, until: 9s } }", [], nil), ("- { id: a, fault: delay, when: { after: 5s, until: 9 } }", [], nil),
    ] as [(String, [Int], String?)])
    func faultsThatNeverActTogether(faults: String, lines: [Int], message: String?) throws {
        var reader = ProfileReader(try YAMLReader.read("miswire: 1\nname: t\nfaults:\n" + faults, file: "p.yaml"), environment: nil)
        _ = reader.read()
        let found = reader.problems
        #expect(found.allSatisfy { $0.severity == .warning } && found.map(\.line) == lines, "\(found.map(\.plain))")
        if let message { #expect(found.first?.message == message) }
    }

    @Test func twoPlaces() {
        let found = errors("miswire: 1\nname: t\nseed: 1\nabout: x\nseed: 42\n")
        #expect(
            found.errors.map { $0.block.map(\.text).joined(separator: "\n") } == [
                """
                error: `seed` is given twice
                  --> profiles/lost.yaml:5:1
                3 | seed: 1
                  | ---- first here
                5 | seed: 42
                  | ^^^^ again here; keep one
                """
            ])
    }

    @Test(arguments: [
        ("dealy: 1s", "5:5", "`accept-delay` has no setting `dealy`; write `delay`"),
        ("delay: 5 sec", "5:12", "`delay` needs a duration; write `5s`"),
        ("delay: [1s]", "5:12", "`delay` needs a duration; found a list, expected a number with ms, s or m, such as 250ms"),
        ("delay: 5", "5:12", "`delay` needs a duration; write `5s`"),
        ("stage: upgrade-responce", "5:12", "`stage` needs one of tcp-accept, upgrade-request, upgrade-response; write `upgrade-response`"),
        ("when: { conection: nth 1 }", "5:13", "`when` has no `conection`; write `connection`"),
        ("when: { connection: evry 3 }", "5:25", "`connection` says which ones; write `every 3`"),
        ("when: { connection: 3 }", "5:25", "`connection` says which ones; write `nth 3` or `every 3`"),
        ("when: { connection: every 0 }", "5:25", "`connection` says which ones; found \"every 0\", expected `nth 2`, `every 3`, `first 10` or `share 5%`"),
        ("when: { to: sever }", "5:17", "`to` needs one of server, client; write `server`"),
        ("when: { match: { type: <txet> } }", "5:28", "pattern \"<txet>\": not a type word; nearest: text"),
        ("when: { after: soon }", "5:20", "`after` needs a time, a number of messages or an event; found \"soon\", expected 30s, 10 or { type: NAME }"),
        ("expect: refusd", "5:13", "`expect` has no `refusd`; write `refused`"),
        ("expect: refused within 2", "5:13", "`expect` needs a duration behind `within`; write `within 2s`"),
        ("expect: refused 1008", "5:13", "`expect: refused` takes no close codes; write `closed 1008`, or leave them out"),
        ("id: Bad_Id", "5:9", "`Bad_Id` is no id; write small letters, digits and dashes, at most 64"),
    ])
    func faultErrors(line: String, place: String, message: String) {
        #expect(errors(fault(line), file: "p.yaml").errors.map(\.plain) == ["p.yaml:\(place): error: \(message)"])
    }

    @Test(arguments: [
        ("miswire: 1\nname: t\nsed: 1", "p.yaml:3:1: error: the profile has no `sed`; write `seed`"),
        ("miswire: 1", "p.yaml:1:1: error: `name` is missing; write `name: NAME` below `miswire`"),
        ("name: t", "p.yaml:1:1: error: `miswire` is missing; write `miswire: 1` as the first line"),
        ("miswire: 2\nname: t", "p.yaml:1:10: error: miswire: 2 is newer than this program (1); use a newer miswire"),
        ("miswire: 1\nname: t\nseed: -1", "p.yaml:3:7: error: `seed` needs a whole number; found \"-1\", expected a number from 0"),
        ("miswire: 1\nname: t\nscope: { share: 5 }", "p.yaml:3:17: error: `share` needs a share; found the number 5, expected a percentage from 0% to 100%, such as 5%"),
        ("miswire: 1\nname: t\nscope: { budget: { totl: 1 } }", "p.yaml:3:20: error: `budget` has no `totl`; write `total`"),
        ("miswire: 1\nname: t\nfaults: drop", "p.yaml:3:9: error: `faults` needs a list; found \"drop\", write each fault behind a dash"),
        ("miswire: 1\nname: t\nfaults: [{ id: x }]", "p.yaml:3:10: error: fault 1 names no kind; write `fault: KIND`"),
        ("miswire: 1\nname: a/b", "p.yaml:2:7: error: `a/b` is not a name; write letters, digits, dots and dashes"),
        ("[]", "p.yaml:1:1: error: the profile needs a mapping; found a list, expected keys such as `miswire:`, each with its value"),
    ])
    func profileErrors(text: String, message: String) {
        #expect(errors(text, file: "p.yaml").errors.map(\.plain) == [message])
    }

    @Test func twoFaultsOfOneName() {
        let text = "miswire: 1\nname: t\nfaults:\n  - { id: a, fault: drop }\n  - { id: a, fault: drop }\n"
        let error = errors(text).errors.first
        #expect(error?.message == "two faults are called `a`")
        #expect(error?.first?.line == 4)
    }

    @Test func foreignTextIsShownEscaped() {
        let text = "miswire: 1\nname: t\n\"\\e[31m\u{202e}x\": 1\n"
        let shown = errors(text).errors.flatMap { [$0.plain] + $0.block.map(\.text) }.joined()
        #expect(!shown.contains("\u{1b}"))
        #expect(!shown.contains("\u{202e}"))
        #expect(shown.contains("\\x1b[31m"))
    }

    @Test func longLinesAreCut() {
        let text = "miswire: 1\nname: t\nabout: " + String(repeating: "x", count: 5_000) + "\nsed: 1\nfaults: [" + String(repeating: " ", count: 3_000) + "{ fault: nope }]"
        for error in errors(text).errors { for line in error.block { #expect(line.text.count < 400) } }
    }
}

@Suite("Profiles")
struct ProfileReaderTests {
    @Test func everythingThatCanBeSaid() throws {
        let profile = try ProfileLoader.parse(
            text: """
                miswire: 1
                name: full
                about: All of it.
                seed: 18446744073709551615
                scope: { paths: ["/ws/**"], users: [a*, b], share: 12.5%, expires: 10m, budget: { per-connection: 20, total: 10000 } }
                faults:
                  - fault: accept-delay
                    stage: tcp-accept
                    delay: 1.5s
                  - id: second
                    fault: drop-auth
                    in: [header, query]
                    how: strip
                    when: { connection: every 3, user: "a*", path: "/ws", during: run }
                    expect: closed 1008 4401 within 2s
                  - fault: drop
                    when: { to: client, message: share 5%, opcode: text, match: { type: "tool_*" }, after: 3, until: { type: x } }
                    expect: nothing lost
                """, file: "full.yaml")
        #expect(profile.seed == .max)
        #expect(profile.hash.count == 6)
        #expect(profile.scope.share == 0.125)
        #expect(profile.scope.expires == .seconds(600))
        #expect(profile.scope.perConnection == 20)
        #expect(profile.scope.total == 10_000)
        #expect(profile.scope.users.map(\.text) == ["a*", "b"])
        #expect(profile.faults.map(\.id) == ["f1", "second", "f3"])
        #expect(profile.faults[0].settings == Settings([("stage", ["tcp-accept"]), ("delay", ["1.5s"])]))
        #expect(profile.faults[1].settings == Settings([("in", ["header", "query"]), ("how", ["strip"])]))
        #expect(profile.faults[1].when.connection == .every(3))
        #expect(profile.faults[1].when.duringRun)
        #expect(profile.faults[1].expect == Expectation(what: .closed, codes: [1008, 4401], within: .seconds(2)))
        let last = profile.faults[2]
        #expect(last.when.to == .client)
        #expect(last.when.message == .share(0.05))
        #expect(last.when.opcode == .text)
        #expect(last.when.match?.holds(for: .object([.init(key: "type", value: "tool_x")])) == true)
        #expect(last.expect == Expectation(what: .nothingLost, within: nil))
        guard case .messages(3)? = last.when.after, case .event? = last.when.until else {
            Issue.record("bounds are read otherwise")
            return
        }
    }

    @Test func expiryCanBeTakenAway() throws {
        for word in ["0", "never"] {
            let profile = try ProfileLoader.parse(text: "miswire: 1\nname: t\nscope: { expires: \(word) }", file: "t.yaml")
            #expect(profile.scope.expires == nil)
        }
    }

    @Test func unknownNames() throws {
        let found = #expect(throws: ConfigurationErrors.self) { _ = try ProfileLoader().load("lost-credentials") }
        #expect(found?.errors.map(\.plain) == ["lost-credentials: error: no profile is called `lost-credentials`; write `lost-credential`"])
        let contract = #expect(throws: ConfigurationErrors.self) { _ = try ContractLoader().load("nothing-like-it") }
        #expect(contract?.errors.map(\.plain) == ["nothing-like-it: error: no contract is called `nothing-like-it`; known: agent-chat agent-rooms demo echo generic graphql-transport-ws json-rpc openai-realtime …"])
        let file = #expect(throws: ConfigurationErrors.self) { _ = try ProfileLoader().load("./not/there.yaml") }
        #expect(file?.errors.first?.message == "there is no file `./not/there.yaml`")
        #expect(throws: ConfigurationErrors.self) { _ = try ProfileLoader().load("/dev/zero") }
        #expect(throws: ConfigurationErrors.self) { _ = try ProfileLoader().load("../../etc") }
    }
}
