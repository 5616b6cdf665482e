import Contracts
import Testing

@testable import Profiles

/// The sentences of contract.md, "Bad contracts", word for word.
@Suite("Bad contracts")
struct ContractErrorTests {
    private let good = """
        miswire-contract: 1
        name: t
        wire: { type: type }
        requests:
          start: { shape: { user_id: <text> }, starts: run }
        events:
          agent_started: {}
          done_event: {}
          error: { shape: { error: <text> } }
        runs:
          run:
            key: run_id
            states:
              asked: { agent_started: running, error: done }
              running: { done_event: done, error: done }
            hot: { asked: 5s, running: 60s }
        errors: { event: error, kind: error, kinds: [connection_error, tool_execution_error] }
        reject:
          - { when: { type: bad }, with: connection_error }
          - { when: { type: tool }, with: tool_execution_error }
          - { when: [<malformed>, <unknown>] }
        flows:
          one-run: [{ send: { type: start, user_id: "{user}" } }, { await: done_event }]
        """

    private func problems(_ text: String) -> [ConfigurationError] {
        do throws(ConfigurationErrors) {
            let bundle = ContractBundle(text: text, file: "c.yaml")
            var reader = ContractReader(try bundle.document())
            _ = reader.read()
            return ConfigurationErrors(reader.problems, texts: bundle.texts).errors
        } catch {
            return error.errors
        }
    }

    @Test func theGoodOneIsGood() { #expect(problems(good).map(\.plain) == []) }

    @Test(arguments: [
        ("requests:", "reqests:", "c.yaml:4:1: error: unknown key \"reqests\" in the contract; nearest: requests"),
        ("running, error", "runing, error", "c.yaml:14:31: error: state \"runing\" is not a state of run; nearest: running"),
        (
            "asked: { agent_started", "asked: { agent_strated",
            "c.yaml:14:16: error: event \"agent_strated\" in runs.run.states is declared nowhere; nearest: agent_started"
        ),
        ("key: run_id", "key: a..b", "c.yaml:12:10: error: path \"a..b\": \"..\" is allowed in volatile and secrets only"),
        ("user_id: <text>", "user_id: <txet>", "c.yaml:5:30: error: pattern \"<txet>\": not a type word; nearest: text"),
        ("agent_started: {}", "*: {}", "c.yaml:7:3: error: \"*\" at the start must be quoted: \"*\""),
        ("with: connection_error", "with: conection_error", "c.yaml:19:34: error: kind \"conection_error\" is not in errors.kinds; nearest: connection_error"),
        ("error: done }\n      running", "error: done, x: running }\n      running", "c.yaml:14:53: error: event \"x\" in runs.run.states is declared nowhere; known: agent_started done_event error"),
        ("user_id: <text>", "user_id: \"re:(?=x)\"", "c.yaml:5:30: error: re: look-ahead is not supported"),
        ("asked: 5s", "asked: 5 sec", "c.yaml:16:19: error: duration \"5 sec\": write 5s"),
        ("miswire-contract: 1", "miswire-contract: 2", "c.yaml:1:19: error: miswire-contract: 2 is newer than this program (1)"),
        ("running, error: done }", "running }", "c.yaml:16:12: error: state \"asked\" is hot and has no edge to done; add one for the event that ends it"),
        ("hot: { asked", "hot: { askd", "c.yaml:16:12: error: state \"askd\" is not a state of run; nearest: asked"),
        ("{ type: bad }", "{ type: start }", "c.yaml:23:13: error: flow one-run, step 1 is must-reject by rule 1; a flow is a valid conversation"),
        ("starts: run", "starts: rum", "c.yaml:5:48: error: run \"rum\" in requests.start.starts is declared nowhere; nearest: run"),
        ("key: run_id", "key: 'a.'", "c.yaml:12:10: error: path \"a.\": a name is missing at its end"),
        ("- { when: [<malformed>", "- { when: [<malfromed>", "c.yaml:21:14: error: pattern \"<malfromed>\": not a type word; nearest: malformed"),
        ("await: done_event", "await: doneevent", "c.yaml:23:68: error: event \"doneevent\" in step 2 of flow one-run is declared nowhere; nearest: done_event"),
        ("name: t", "name: t\nauth: { refuse: [40] }", "c.yaml:3:18: error: auth.refuse needs numbers from 400 to 599; found \"40\""),
        ("name: t", "name: t\nsession: { greeting: helo }", "c.yaml:3:22: error: event \"helo\" in session.greeting is declared nowhere; known: agent_started done_event error"),
        ("name: t", "name: t\nidentity: { mint: { key: mysecret } }", "c.yaml:3:26: error: identity.mint.key names where the key is, it is not the key; write key: env NAME"),
        ("name: t", "name: t\nidentity: { credential: [hedder authorization] }", "c.yaml:3:26: error: place \"hedder authorization\": hedder is no place; nearest: header"),
        ("name: t", "name: t\nidentity: { ids: { run: { at: run_id, within: thraed }, thread: { at: thread_id } } }", "c.yaml:3:47: error: id \"thraed\" in identity.ids.run.within is declared nowhere; nearest: thread"),
        ("name: t", "name: t\nevents: 7", "c.yaml:7:1: error: `events` is given twice; again here; keep one"),
        ("wire: { type: type }", "wire: [type]", "c.yaml:3:7: error: wire needs a mapping; found a list"),
        ("{ await: done_event }", "{ await: done_event, send: x }", "c.yaml:23:59: error: step 2 of flow one-run needs either send or await; write one of them"),
    ])
    func sentence(old: String, new: String, expected: String) {
        let text = good.replacing(old, with: new, maxReplacements: 1)
        #expect(text != good)
        #expect(problems(text).filter { $0.severity == .error }.map(\.plain).contains(expected), "\(problems(text).map(\.plain))")
    }

    @Test func missingVersionAndName() {
        #expect(problems("name: t").map(\.plain) == ["c.yaml:1:1: error: miswire-contract must be the first key; write miswire-contract: 1 at the top"])
        #expect(problems("miswire-contract: 1").map(\.plain) == ["c.yaml:1:1: error: name is missing; write name: NAME below miswire-contract"])
        #expect(problems("miswire-contract: one\nname: t").map(\.plain) == ["c.yaml:1:19: error: miswire-contract needs a version; found \"one\", write miswire-contract: 1"])
        #expect(problems("[1]").map(\.plain) == ["c.yaml:1:1: error: the contract needs a mapping; found a list"])
    }

    @Test func warnings() {
        let shadowed = good.replacing("- { when: [<malformed>, <unknown>] }", with: "- { when: { type: [bad, tool], x: 1 } }\n  - { when: { type: bad, y: 2 } }")
        #expect(
            problems(shadowed).map(\.plain) == [
                "c.yaml:22:5: warning: rule 4 can never hold: rule 1 matches everything it matches; put it above rule 1, or leave it out"
            ])
        let unprovoked = good.replacing("  - { when: { type: tool }, with: tool_execution_error }\n", with: "")
        #expect(
            problems(unprovoked).map(\.plain) == [
                "c.yaml:17:64: warning: kind \"tool_execution_error\" has no rule that provokes it; add a rule with: tool_execution_error"
            ])
        let untyped = "miswire-contract: 1\nname: t\nevents: { a: {} }"
        #expect(problems(untyped).map(\.plain) == ["c.yaml:3:11: warning: events.a can never be recognised; write wire.type, or give it a match"])
    }

    @Test func allErrorsAtOnceInFileOrder() {
        let text = good.replacing("5s", with: "5 sec").replacing("with: connection_error", with: "with: x").replacing("<text>", with: "<txet>")
        let lines = problems(text).filter { $0.severity == .error }.map(\.line)
        #expect(lines.count == 4)
        #expect(lines == lines.sorted())
    }
}
