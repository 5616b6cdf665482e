import Contracts
import Journaling
import Testing
import Wire

/// Every key of contract.md arrives in the data model.
@Suite("Keys of a contract")
struct KeyTests {
    private static let messages = """
        "requests": {"ask": {"match": "<any>"}, "beat": {"match": "<any>"}, "join": {"match": "<any>"}, "leave": {"match": "<any>"}},
        "events": {"said": {"match": "<any>"}, "beat": {"match": "<any>"}, "fault": {"match": "<any>"}, "cut": {"match": "<any>"}},
        "runs": {"r": {"key": "k", "states": {"s": {"said": "done"}}}}
        """

    private func with(_ keys: String) throws -> Contract {
        try contract(#"{"miswire-contract": 1, "name": "t", \#(Self.messages), \#(keys)}"#)
    }

    @Test func wire() throws {
        let rules = try contract(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"paths": "/ws", "subprotocols": ["a", "b"], "binary": "reject",
             "split": "\n", "batch": true, "envelope": "(?<packet>\\d)(?<body>.*)", "type": "packet", "unknown": "note", "serial": true}}
            """#
        ).wire
        #expect(rules.subprotocols == ["a", "b"])
        #expect(rules.binary == .reject && rules.split == "\n" && rules.batch && rules.serial && rules.unknownFails == false)
        #expect(rules.envelope?.groups == ["packet", "body"])
        let plain = try contract(#"{"miswire-contract": 1, "name": "t"}"#).wire
        #expect(plain.binary == .ignore && plain.split == nil && !plain.batch && !plain.serial && plain.unknownFails == nil)
    }

    @Test func unknownEventsFailWhereEventsAreDeclared() throws {
        #expect(try with(#""wire": {}"#).unknownEventsFail)
        #expect(try !with(#""wire": {"unknown": "note"}"#).unknownEventsFail)
        #expect(try !contract(#"{"miswire-contract": 1, "name": "t"}"#).unknownEventsFail)
    }

    @Test func identity() throws {
        let rules = try with(
            #"""
            "identity": {"login": {"post": "/login", "json": {"name": "{user}"}, "token": "data.token", "expires": "data.exp"},
             "ids": {"thread": {"at": "t", "form": "re:t_(?<stem>[a-z]+)"}, "run": {"at": "r", "within": "thread", "form": "r_*"}}}
            """#
        ).identity
        #expect(rules.login?.post == "/login" && rules.login?.token.text == "data.token" && rules.login?.expires?.text == "data.exp")
        #expect(rules.login?.json["name"] == .string("{user}"))
        #expect(rules.ids[0].form?.groups == ["stem"])
        #expect(rules.ids[0].form?.match("t_abc")?["stem"] == "abc")
        #expect(rules.ids[0].form?.match("t_9") == nil)
        #expect(rules.ids[1].form?.matches("r_1") == true && rules.ids[1].form?.matches("x") == false)
        #expect(rules.ids[1].within == .id("thread"))
    }

    @Test func authAndSession() throws {
        let rules = try with(
            #"""
            "auth": {"event": "alone", "anonymous": true, "close": [4401]},
            "session": {"ready": "said", "heartbeat": {"ask": "beat", "answer": "beat", "from": "server", "every": "25s", "within": "20s"}}
            """#)
        #expect(rules.auth?.event == .alone && rules.auth?.anonymous == true)
        #expect(rules.session?.ready == "said" && rules.session?.clean == [1000, 1001, 4401])
        let beat = try #require(rules.session?.heartbeat)
        #expect(beat.every == .seconds(25) && beat.within == .seconds(20) && beat.from == .server)
        #expect(beat.part(isRequest: false, name: "beat") == .ask)
        #expect(beat.part(isRequest: true, name: "beat") == .answer)
        #expect(beat.part(isRequest: true, name: "ask") == nil)
        #expect(try with(#""session": {"clean": 4000}"#).cleanCloses == [4000])
        #expect(try with(#""auth": {"close": [4401]}"#).cleanCloses == [1000, 1001, 4401])
        #expect(try with(#""wire": {}"#).cleanCloses == [1000, 1001, 1008, 4401, 4403])
    }

    @Test func messages() throws {
        let rules = try contract(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"},
             "requests": {"ask": {"schema": {"type": "object", "required": ["a"]}, "answer": ["said", "close 4400"], "within": "3s",
                                  "examples": [{"type": "ask", "a": 1}]}, "reply": {}},
             "events": {"said": {"shape": {"a": "<any>"}, "closed": true}, "query": {"answer": "reply", "within": "1s"}}}
            """#)
        #expect(rules.requests[0].schema?["required"] == .array([.string("a")]))
        #expect(rules.requests[0].answer == ["said"] && rules.requests[0].answerCloses == [4400])
        #expect(rules.requests[0].within == .seconds(3) && rules.requests[0].examples.count == 1)
        #expect(rules.events[0].closed && !rules.events[1].closed)
        #expect(rules.events[1].answer == ["reply"] && rules.events[1].within == .seconds(1))
    }

    @Test func runs() throws {
        let rules = try contract(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"stop": {}}, "events": {"a": {}, "b": {}, "c.*": {}},
             "runs": {"r": {"key": "k", "scope": "connection", "unasked": true,
               "states": {"s": {"a": "s", "c.*": "s", "request stop": "done", "b": "done"}}, "hot": {"s": "never"},
               "parts": {"p": {"start": "a", "end": "b", "inside": ["c.*"], "before": "b"}}},
              "q": {"states": {"s": {"a": "done"}}}}}
            """#
        ).runs
        #expect(!rules[0].serverScope && rules[0].unasked && rules[1].serverScope && !rules[1].unasked)
        #expect(rules[0].parts[0].inside == [MessageName(isRequest: false, glob: Glob("c.*"))])
        #expect(rules[0].edge(from: "s", isRequest: true, name: "stop", type: "stop")?.next == "done")
        #expect(rules[0].hot.count == 1 && rules[0].hot[0].within == nil)
    }

    @Test func errorsAndReject() throws {
        let rules = try with(
            #"""
            "errors": {"event": "fault", "kind": "code", "kinds": [-32700, "x"], "ordered": false, "recovers": false},
            "reject": [{"when": "<unknown>", "unless": [{"a": 1}], "before": "said", "after": "request ask", "run": "open",
                        "with": [-32700, "close 4400", "silence"], "within": "2s", "recovers": true, "inside": "r", "send": {"a": 2}}]
            """#)
        #expect(rules.errors?.ordered == false && rules.errors?.recovers == false && rules.errors?.kinds == ["-32700", "x"])
        let rule = try #require(rules.reject.first)
        #expect(rule.unless.count == 1 && rule.run == .open && rule.inside == "r" && rule.recovers == true)
        #expect(rule.before == MessageName(isRequest: false, glob: Glob("said")))
        #expect(rule.after == MessageName(isRequest: true, glob: Glob("ask")))
        #expect(rule.outcomes == [.kind("-32700"), .close(4400), .silence])
        #expect(rule.within == .seconds(2) && rule.send?["a"] == .number("2"))
    }

    @Test func success() throws {
        let declared = try with(#""success": "sa*""#)
        #expect(declared.isSuccess(Recognition(outcome: .valid, name: "said")))
        #expect(!declared.isSuccess(Recognition(outcome: .valid, name: "cut")))
        #expect(try !with(#""success": "cut""#).isSuccess(Recognition(outcome: .valid, name: "said")), "only what is declared")
    }

    @Test func deliveryOverHTTP() throws {
        let rules = try #require(
            try with(
                #"""
                "identity": {"ids": {"thread": {"at": "thread_id"}}},
                "delivery": {"sequence": {"at": "seq", "per": "thread"}, "id": "event_id",
                  "history": {"get": "/threads/{thread}/events", "items": "events[*]"},
                  "resume": {"by": "query cursor", "from": "seq", "truncated": "gone"}}
                """#
            ).delivery)
        #expect(rules.sequence?.at.text == "seq" && rules.sequence?.per == "thread" && rules.id.map(\.text) == ["event_id"])
        guard case .get(let path)? = rules.history?.asking else { throw Missing() }
        #expect(path == "/threads/{thread}/events" && rules.history?.names == ["thread"] && rules.history?.items.text == "events[*]")
        #expect(rules.resume?.by.kind == .query("cursor") && rules.resume?.from.text == "seq")
        #expect(rules.resume?.truncated == MessageName(isRequest: false, glob: Glob("gone")))
        let read = try Recognizer(with(#""delivery": {"resume": {"by": "query c", "from": "n", "truncated": "gone"}}, "wire": {"type": "type"}"#))
        #expect(read.recognise(try JSON.parse(#"{"type":"gone"}"#), direction: .toClient).name == "gone", "this line declares it")
    }

    @Test func deliveryInMessages() throws {
        let rules = try #require(
            try with(
                #"""
                "identity": {"ids": {"thread": {"at": "thread_id"}}},
                "delivery": {"history": {"request": "ask", "event": "said", "items": "runs[*]", "key": "id", "per": "thread"},
                             "resume": {"by": "request ask from", "from": "n"}}
                """#
            ).delivery)
        guard case .messages(let request, let event)? = rules.history?.asking else { throw Missing() }
        #expect(request.isRequest && request.glob.text == "ask" && !event.isRequest && event.glob.text == "said")
        #expect(rules.history?.key.map(\.text) == ["id"] && rules.history?.per == "thread" && rules.history?.names == [])
        #expect(rules.resume?.truncated == nil && rules.sequence == nil)
    }

    private struct Missing: Error {}

    @Test func sharing() throws {
        let rules = try #require(
            try with(
                #"""
                "identity": {"ids": {"room": {"at": "room_id"}}},
                "sharing": {"broadcast": "sa*", "rooms": {"id": "room", "join": "join", "leave": "request leave"}}
                """#
            ).sharing)
        #expect(rules.isBroadcast(name: "said", type: nil) && !rules.isBroadcast(name: "cut", type: nil))
        #expect(rules.rooms.map(\.id) == ["room"] && rules.rooms[0].join.map(\.glob.text) == ["join"])
        #expect(rules.rooms[0].leave == [MessageName(isRequest: true, glob: Glob("leave"))])
    }

    @Test func flowsHealthAndTheRest() throws {
        let rules = try with(
            #"""
            "flows": {"one": [{"await": "said", "keep": {"thread": "t.id"}, "match": {"t": "<object>"}}], "two": [{"await": "cut"}]},
            "health": "two", "deadline": "7s", "secrets": ["..password", "header x-key", "request ask token"], "import": "api.yaml"
            """#)
        guard case .await("said", nil, let keep, let match?)? = rules.flows[0].steps.first else { throw Missing() }
        #expect(keep.map(\.name) == ["thread"] && keep.map(\.path.text) == ["t.id"] && match.asksForeign == false)
        #expect(rules.healthFlow?.name == "two" && rules.deadline == .seconds(7) && rules.imported?.file == "api.yaml")
        #expect(rules.secrets.map(\.text) == ["..password", "header x-key", "request ask token"])
        #expect(try with(#""flows": {"one": [{"await": "said"}], "two": [{"await": "cut"}]}"#).healthFlow?.name == "one")
    }

    @Test func monitors() throws {
        let defaults = try with(#""monitors": {}"#).monitors
        #expect(defaults.silentFailure == .seconds(300) && defaults.eventRate?.description == "10/min")
        #expect(defaults.authFailures?.description == "5%" && defaults.connectSuccess?.description == "99%")
        let rules = try with(
            #"""
            "monitors": {"silent-failure": "1m", "stuck-authentication": "off", "event-flow-breakdown": "5s", "event-rate": "3/s",
              "auth-failures": "0.5%", "unpaired-events": "off", "invalid-transition": "on", "connect-success": "off", "connect-time": "50ms"}
            """#
        ).monitors
        #expect(rules.silentFailure == .seconds(60) && rules.stuckAuthentication == nil && rules.eventFlowBreakdown == .seconds(5))
        #expect(rules.eventRate == Rate(count: 3, per: .seconds(1)) && rules.authFailures == Share(millionths: 5_000))
        #expect(!rules.unpairedEvents && rules.invalidTransition && rules.connectSuccess == nil && rules.connectTime == .milliseconds(50))
        let off = try with(#""monitors": "off""#).monitors
        #expect(off.silentFailure == nil && off.connectTime == nil && !off.unpairedEvents)
    }

    @Test(arguments: [("5%", 50_000), ("100%", 1_000_000), ("99.9%", 999_000), ("0%", 0), ("0.0001%", 1)])
    func shares(text: String, millionths: Int) {
        #expect(Share(text)?.millionths == millionths)
        #expect(Share(text)?.description == text)
    }

    @Test(arguments: ["5", "%", "101%", "-1%", "5.%", ".5%", "1.23456%", "5 %", "1.2.3%", "100.0001%", "9999999999999999999%"])
    func noShares(text: String) { #expect(Share(text) == nil) }

    @Test func sharesAreExact() throws {
        let share = try #require(Share("5%"))
        #expect(share.isExceeded(by: 6, of: 100) && !share.isExceeded(by: 5, of: 100) && share.isMissed(by: 4, of: 100))
        #expect(!share.isExceeded(by: 0, of: 0) && !share.isMissed(by: 0, of: 0) && !share.isExceeded(by: .max, of: .max))
    }

    @Test(arguments: [("10/min", 10, 60), ("2/s", 2, 1), ("7/h", 7, 3600), ("3/5s", 3, 5), ("0/m", 0, 60)])
    func rates(text: String, count: Int, seconds: Int) {
        #expect(Rate(text) == Rate(count: count, per: .seconds(seconds)))
    }

    @Test(arguments: ["10", "10/", "/min", "10/day", "-1/s", "1/0s", "1.5/s", "1/s/s", "99999999999/s"])
    func noRates(text: String) { #expect(Rate(text) == nil) }
}
