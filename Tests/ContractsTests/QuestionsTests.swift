import Contracts
import Testing
import Wire

@Suite("Questions about single messages")
struct QuestionsTests {
    @Test func runKey() throws {
        let contract = try contract(chat)
        let run = try #require(contract.run(named: "run"))
        #expect(contract.key(of: run, in: try JSON.parse(#"{"run_id":"a","run":{"id":"b"}}"#)) == .string("a"))
        #expect(contract.key(of: run, in: try JSON.parse(#"{"run_id":null,"run":{"id":"b"}}"#)) == .string("b"))
        #expect(contract.key(of: run, in: try JSON.parse(#"{"id":"b"}"#)) == nil)
    }

    @Test func errorKinds() throws {
        let contract = try contract(chat)
        #expect(contract.errorKind(of: try JSON.parse(#"{"error":"x"}"#)) == "x")
        #expect(contract.errorKind(of: try JSON.parse(#"{"error":-32700.0}"#)) == "-32700")
        #expect(contract.errorKind(of: try JSON.parse(#"{}"#)) == nil)
        #expect(contract.isError(event: "error"))
        #expect(!contract.isError(event: "started"))
    }

    @Test func successEvents() throws {
        let contract = try contract(chat)
        #expect(contract.success == ["started", "completed", "tool.*"])
        let recognizer = Recognizer(contract)
        func isSuccess(_ text: String) throws -> Bool {
            contract.isSuccess(recognizer.recognise(try JSON.parse(text), direction: .toClient))
        }
        #expect(try isSuccess(#"{"type":"completed"}"#))
        #expect(try isSuccess(#"{"type":"tool.z"}"#))
        #expect(try !isSuccess(#"{"type":"error","error":"x"}"#))
        #expect(try !isSuccess(#"{"type":"other"}"#))
    }

    @Test func exactEdgesBeatGlobs() throws {
        let run = try #require(try contract(chat).run(named: "run"))
        #expect(run.edge(from: "running", isRequest: false, name: "tool.*", type: "tool.x")?.next == "done")
        #expect(run.edge(from: "running", isRequest: false, name: "tool.*", type: "tool.y")?.next == "running")
        #expect(run.edge(from: "running", isRequest: true, name: "completed", type: "completed") == nil)
        #expect(run.edge(from: "done", isRequest: false, name: "completed", type: nil) == nil)
        #expect(run.initial == "asked")
        #expect(run.isHot("running"))
    }

    @Test func links() throws {
        let link = try contract(chat).link
        let request = try JSON.parse(#"{"request_id":1,"id":"a"}"#)
        #expect(link[0].compare(request: request, event: try JSON.parse(#"{"request_id":1.0}"#)) == .equal)
        #expect(link[0].compare(request: request, event: try JSON.parse(#"{"request_id":"1"}"#)) == .unequal)
        #expect(link[0].compare(request: request, event: try JSON.parse(#"{"request_id":null}"#)) == .incomparable)
        #expect(link[1].compare(request: request, event: try JSON.parse(#"{"ref":{"id":"a"}}"#)) == .equal)
    }

    @Test func outcomes() throws {
        let rules = try contract(chat).reject
        #expect(rules[0].allows(kind: "agent_error"))
        #expect(!rules[0].allows(kind: "bad_request"))
        #expect(!rules[0].allows(close: 1008))
        #expect(rules[3].allows(close: 1008))
        #expect(!rules[3].allows(close: 1002))
        #expect(rules[4].allows(kind: nil))
        for code in [1002, 1003, 1007, 1008, 1009, 4000, 4999] { #expect(rules[4].allows(close: code)) }
        for code in [1000, 1001, 1006, 1011, 3000, 5000] { #expect(!rules[4].allows(close: code)) }
        #expect(rules[2].mayAccept)
    }

    @Test func probes() throws {
        let contract = try contract(chat)
        #expect(contract.probe(for: 0)?.text == #"{"type":"start","agent":"none"}"#)
        #expect(contract.probe(for: 1)?.text == #"{"type":"start"}"#)
        #expect(contract.probe(for: 2) == nil)
        #expect(contract.probe(for: 3)?.text == #"{"type":"test","who":{"name":"x"}}"#)
        #expect(contract.probe(for: 4) == nil)
        #expect(contract.probe(for: 5) == nil)
        var globbed = contract
        globbed.reject[0].when = [.pattern(try PatternTests.pattern(#"{"type":"a*"}"#))]
        #expect(globbed.probe(for: 0) == nil)
        #expect(contract.probes.map(\.kind) == ["agent_error", "bad_request"])
        #expect(contract.probes.map(\.rule) == [0, 1])
    }

    @Test func bounds() throws {
        let contract = try contract(chat)
        #expect(contract.bound(of: contract.reject[0]) == .seconds(1))
        #expect(contract.bound(of: contract.requests[0]) == .seconds(5))
    }
}

@Suite("Templates")
struct TemplateTests {
    private func fill(_ text: String) -> JSON {
        Template(text, kept: ["sid"]).filled(now: 1_000) { name in
            switch name {
            case "user": "u1"
            case "n": 7
            case "sid": .object([])
            case "canary": "mwc-1"
            default: nil
            }
        }
    }

    @Test func variables() {
        #expect(fill("{user}") == "u1")
        #expect(fill("say {canary} to {user}") == "say mwc-1 to u1")
        #expect(fill("{n}") == 7)
        #expect(fill("{n}.") == "7.")
        #expect(fill("{now}") == 1000)
        #expect(fill("{now+1h}") == 4600)
        #expect(fill("{now-1m}") == 940)
        #expect(fill("{sid}") == .object([]))
    }

    @Test func otherBracesAreLiteral() {
        #expect(fill("{ __typename }") == "{ __typename }")
        #expect(fill("{{user}}") == "{u1}")
        #expect(fill("{now+soon}") == "{now+soon}")
        #expect(fill("{uuid}") == "{uuid}")
        #expect(fill("{") == "{")
        #expect(fill("") == "")
        #expect(fill("{user") == "{user")
    }

    @Test func fillsWholeValues() throws {
        let value = try JSON.parse(#"{"{user}":["{user}",1,null,{"a":"{n}"}]}"#)
        #expect(Template.fill(value, now: 0) { $0 == "user" ? "x" : 3 }.text == #"{"{user}":["x",1,null,{"a":3}]}"#)
    }
}
