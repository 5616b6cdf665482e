import Contracts
import Testing

@testable import Profiles

/// What is said of bad contracts, word for word (contract.md, "Bad contracts"): one row or more for each key.
@Suite struct BadContractTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        /// `LINE:COLUMN: error: SENTENCE; REMEDY`
        var said: [String]
        var testDescription: String { text }
    }

    /// Line 3 on.
    private static func key(_ text: String, _ said: String...) -> Row {
        Row(text: "miswire-contract: 1\nname: t\n" + text + "\n", said: said)
    }
    /// Line 6 on, with a request `ask`, an event `said` and `oops`, and a run `r`.
    private static func more(_ text: String, _ said: String...) -> Row {
        Row(text: "miswire-contract: 1\nname: t\nwire: { type: t }\n" + base + text + "\n", said: said)
    }
    private static let base = """
        requests: { ask: {}, stop: {} }
        events: { said: {}, oops: {} }
        runs: { r: { key: k, states: { s: { said: done } } } }

        """

    static let rows: [Row] = [
        // MARK: wire
        key(#"wire: { paths: { a: b } }"#, "3:16: error: wire.paths needs a text; found a mapping"),
        key(#"wire: { subprotocol: [x] }"#, "3:9: error: unknown key \"subprotocol\" in wire; nearest: subprotocols"),
        key(#"wire: { format: xml }"#, "3:17: error: wire.format needs one of json, raw; found \"xml\""),
        key(#"wire: { binary: rejct }"#, "3:17: error: wire.binary needs one of ignore, reject, decode; found \"rejct\"; nearest: reject"),
        key(#"wire: { split: '\n' }"#, #"3:16: error: wire.split is "\n" letter by letter; write "\n" in double quotes"#),
        key(#"wire: { split: [a] }"#, "3:16: error: wire.split needs a text; found a list"),
        key(#"wire: { batch: yes }"#, "3:16: error: wire.batch needs true or false; found \"yes\""),
        key(#"wire: { serial: 1 }"#, "3:17: error: wire.serial needs true or false; found \"1\""),
        key(#"wire: { envelope: '(?<a>x' }"#, "3:19: error: re: \"(\" is never closed"),
        key(#"wire: { envelope: '(?<a>x)\1' }"#, "3:19: error: re: back-references are not supported"),
        key(#"wire: { envelope: '(a)(b)' }"#, "3:19: error: wire.envelope has no named group; its groups become the fields: write (?<name>…)"),
        key(#"wire: { envelope: '(?<packet>.)', type: pakcet }"#, "3:41: error: wire.type \"pakcet\" is no group of wire.envelope; nearest: packet"),
        key(#"wire: { unknown: warn }"#, "3:18: error: wire.unknown needs one of fail, note; found \"warn\""),
        key(#"wire: { format: raw, batch: true, binary: decode }"#,
            "3:29: error: wire.batch needs format: json; leave it out; wire.split parts raw messages",
            "3:43: error: wire.binary needs format: json; leave it out; raw messages may be binary, as hex"),
        key(#"wire: { format: raw, type: t }"#, "3:28: error: wire.type needs format: json; raw messages have no fields; recognise them by match"),
        key(#"wire: { type: $.a }"#, "3:15: error: path \"$.a\": it starts at the message already; leave out \"$.\""),
        key(#"import: [a]"#, "3:9: error: import needs a text; found a list"),
        // MARK: identity
        key(#"identity: { login: { json: {} } }"#,
            "3:20: error: identity.login needs post; write post: …", "3:20: error: identity.login needs token; write token: …"),
        key(#"identity: { login: { post: login, token: a } }"#, "3:28: error: identity.login.post needs a path or a URL; found \"login\", expected such as /login"),
        key(#"identity: { login: { post: /l, token: a, expire: b } }"#, "3:42: error: unknown key \"expire\" in identity.login; nearest: expires"),
        key(#"identity: { ids: { run: { at: a, form: 're:(?!x)' } } }"#, "3:40: error: re: look-ahead is not supported"),
        key(#"identity: { ids: { run: { form: 'r_*' } } }"#, "3:20: error: identity.ids.run needs at; name the paths where it stands"),
        key(#"identity: { ids: { run: { at: a, is: usr } } }"#, "3:38: error: identity.ids.run.is needs one of user, connection; found \"usr\"; nearest: user"),
        key(#"identity: { mint: { alg: RS256, key: env K } }"#, "3:26: error: identity.mint.alg needs one of HS256, HS384, HS512; found \"RS256\"; nearest: HS256"),
        key(#"identity: { mint: { key: env K, claims: [] } }"#, "3:41: error: identity.mint.claims needs a mapping; found a list"),
        more(#"identity: { credential: request aks token }"#, "7:25: error: request \"aks\" in identity.credential is declared nowhere; nearest: ask"),
        more(#"identity: { user: event sad user }"#, "7:19: error: event \"sad\" in identity.user is declared nowhere; nearest: said"),
        key(#"identity: { credential: header }"#, "3:25: error: place \"header\" is not complete; write header NAME"),
        key(#"identity: { ids: { a: { at: a, within: b }, b: { at: b, within: c }, c: { at: c, within: b } } }"#,
            "3:20: error: ids are within each other in a circle: b c b; leave one within out"),
        key(#"identity: { ids: { a: { at: a, within: user }, b: { at: b, within: a }, c: { at: c, within: a } } }"#),
        // MARK: auth, session
        key(#"auth: { event: close }"#, "3:16: error: auth.event needs one of then-close, alone, never; found \"close\"; nearest: alone"),
        key(#"auth: { anonymous: maybe }"#, "3:20: error: auth.anonymous needs true or false; found \"maybe\""),
        key(#"auth: { close: 900 }"#, "3:16: error: auth.close needs numbers from 1000 to 4999; found \"900\""),
        key(#"auth: { within: never }"#, "3:17: error: auth.within cannot be never; write a duration such as 5s"),
        key(#"auth: { within: 0s }"#, "3:17: error: auth.within needs a duration; found \"0s\", expected a number with ms, s, m or h, such as 5s, or never"),
        more(#"session: { ready: sayd }"#, "7:19: error: event \"sayd\" in session.ready is declared nowhere; nearest: said"),
        more(#"session: { clean: [99] }"#, "7:20: error: session.clean needs numbers from 1000 to 4999; found \"99\""),
        more(#"session: { heartbeat: { ask: ask } }"#,
            "7:23: error: session.heartbeat needs ask and answer; name the message that asks and the one that answers",
            "7:30: error: event \"ask\" in session.heartbeat.ask is declared nowhere; known: said oops"),
        more(#"session: { heartbeat: { ask: ask, answer: sed, from: client } }"#, "7:43: error: event \"sed\" in session.heartbeat.answer is declared nowhere; nearest: said"),
        more(#"session: { heartbeat: { ask: said, answer: ask, from: sever } }"#, 
            "7:30: error: request \"said\" in session.heartbeat.ask is declared nowhere; known: ask stop",
            "7:44: error: event \"ask\" in session.heartbeat.answer is declared nowhere; known: said oops",
            "7:55: error: session.heartbeat.from needs one of client, server, either; found \"sever\"; nearest: server"),
        more(#"session: { heartbeat: { ask: said, answer: ask, from: server, every: 5 } }"#, "7:70: error: duration \"5\": write 5s"),
        more(#"session: { greeting: "sa*", ready: "*" }"#,
            "7:22: error: \"sa*\" in session.greeting is a glob; name the event", "7:36: error: \"*\" in session.ready is a glob; name the event"),
        more(#"session: { heartbeat: { ask: "as*", answer: "sa*", from: client } }"#,
            "7:30: error: \"as*\" in session.heartbeat.ask is a glob; name the request",
            "7:45: error: \"sa*\" in session.heartbeat.answer is a glob; name the event"),
        more(#"session: { heartbeats: {} }"#, "7:12: error: unknown key \"heartbeats\" in session; nearest: heartbeat"),
        // MARK: messages
        key("wire: { type: t }\nrequests: { a: { schema: text } }", "4:26: error: requests.a.schema needs a mapping; found \"text\""),
        key("wire: { type: t }\nrequests: { a: { shape: {}, schema: {} } }", "4:37: error: requests.a has both shape and schema; keep one"),
        key("wire: { type: t }\nevents: { a: { closed: true } }", "4:24: error: events.a.closed needs a shape; a schema closes itself: additionalProperties: false"),
        key("wire: { type: t }\nevents: { a: { shape: {}, closed: on } }", "4:35: error: events.a.closed needs true or false; found \"on\""),
        key("wire: { type: t }\nrequests: { a: { answer: [close 99, b] } }",
            "4:27: error: \"close 99\" in requests.a.answer is no close code; write close 1008, or another from 1000 to 4999",
            "4:37: error: event \"b\" in requests.a.answer is declared nowhere; declare it in events"),
        key("wire: { type: t }\nrequests: { ask: {} }\nevents: { a: { answer: sak } }", "5:24: error: request \"sak\" in events.a.answer is declared nowhere; nearest: ask"),
        key("wire: { type: t }\nevents: { a: { starts: r } }", "4:16: error: unknown key \"starts\" in events.a; known: match shape schema closed answer within examples"),
        key("wire: { type: t }\nevents: { said: {}, 'r*': { answer: 'a*' } }\nrequests: { a: { answer: ['sa*', 'r*'] } }",
            "4:37: error: \"a*\" in events.r*.answer is a glob; name the request", "5:27: error: \"sa*\" in requests.a.answer is a glob; name the event"),
        key("wire: { type: t }\nrequests: { a: { match: { x: [] } } }", "4:30: error: an empty list matches nothing; write <any>"),
        // MARK: runs
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { scope: user, states: { s: { e: done } } } }", "5:21: error: runs.r.scope needs one of server, connection; found \"user\""),
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { unasked: 1, states: { s: { e: done } } } }", "5:23: error: runs.r.unasked needs true or false; found \"1\""),
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { states: { s: { request x: done, e: done } } } }", "5:29: error: request \"x\" in runs.r.states is declared nowhere; declare it in requests"),
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { states: { s: { e: done } }, parts: { p: { start: e, end: e, inside: f } } } }",
            "5:82: error: event \"f\" in runs.r.parts.p.inside is declared nowhere; known: e"),
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { states: { s: { e: done } }, parts: { p: { start: e } } } }", "5:51: error: runs.r.parts.p needs one start and one end; write start: EVENT, end: EVENT"),
        key("wire: { type: t }\nevents: { e: {} }\nruns: { r: { states: { s: { e: done }, done: { e: s } } } }", "5:40: error: state \"done\" of r is the end and has no edges; leave it out"),
        // MARK: errors, reject, success
        more(#"errors: { event: oops, ordered: no, recovers: 1 }"#,
            "7:33: error: errors.ordered needs true or false; found \"no\"", "7:47: error: errors.recovers needs true or false; found \"1\""),
        more(#"errors: { event: "oo*" }"#, "7:18: error: \"oo*\" in errors.event is a glob; name the event"),
        more(#"errors: { kind: a }"#, "7:9: error: errors needs event; name the event that carries errors"),
        more(#"reject: [{ with: close }]"#, "7:10: error: rule 1 of reject needs when; write a pattern, or when: <invalid>"),
        more(#"reject: [{ when: <unknwon> }]"#, "7:18: error: pattern \"<unknwon>\": not a type word; nearest: unknown"),
        more(#"reject: [{ when: { t: ask }, unless: <txt> }]"#, "7:38: error: pattern \"<txt>\": not a type word; nearest: text"),
        more(#"reject: [{ when: { t: ask }, before: sed }]"#, "7:38: error: event \"sed\" in before in rule 1 of reject is declared nowhere; nearest: said"),
        more(#"reject: [{ when: { t: ask }, after: [said, oops] }]"#, "7:37: error: after in rule 1 of reject needs one message; write one rule for each"),
        more(#"reject: [{ when: { t: ask }, after: request stpo }]"#, "7:37: error: request \"stpo\" in after in rule 1 of reject is declared nowhere; nearest: stop"),
        more(#"reject: [{ when: { t: ask }, run: opn }]"#, "7:35: error: run in rule 1 of reject needs one of open, none; found \"opn\"; nearest: open"),
        key("wire: { type: t }\nrequests: { a: {} }\nreject: [{ when: { t: a }, run: none }]", "5:33: error: run in rule 1 of reject needs runs; declare one in runs"),
        more(#"reject: [{ when: { t: ask }, with: clse }]"#, "7:36: error: kind \"clse\" in with needs errors; declare errors: { event: NAME, kind: PATH }"),
        more(#"reject: [{ when: { t: ask }, with: close 10 }]"#, "7:36: error: \"close 10\" in with is no close code; write close 1008, or another from 1000 to 4999"),
        more(#"reject: [{ when: { t: ask }, within: 5 sec }]"#, "7:38: error: duration \"5 sec\": write 5s"),
        more(#"reject: [{ when: { t: ask }, recovers: never }]"#, "7:40: error: recovers in rule 1 of reject needs true or false; found \"never\""),
        more(#"reject: [{ when: { t: ask }, inside: run }]"#, "7:38: error: run \"run\" in inside of rule 1 is declared nowhere; nearest: r"),
        more(#"reject: [{ when: { t: ask }, sned: {} }]"#, "7:30: error: unknown key \"sned\" in rule 1 of reject; nearest: send"),
        more(#"success: [said, sayd]"#, "7:17: error: event \"sayd\" in success is declared nowhere; nearest: said"),
        // MARK: delivery, sharing
        more(#"delivery: { sequence: { per: thread } }"#,
            "7:23: error: delivery.sequence needs at; write at: …", "7:30: error: id \"thread\" in delivery.sequence.per is declared nowhere; declare it in identity.ids"),
        more("identity: { ids: { thread: { at: a } } }\ndelivery: { sequence: { at: n, per: thraed } }", "8:37: error: id \"thraed\" in delivery.sequence.per is declared nowhere; nearest: thread"),
        more(#"delivery: { id: 'a..b' }"#, "7:17: error: path \"a..b\": \"..\" is allowed in volatile and secrets only"),
        more(#"delivery: { history: { items: a } }"#, "7:22: error: delivery.history needs either get or request and event; write get: \"/path\", or request: NAME, event: NAME"),
        more(#"delivery: { history: { get: "/t/{thread}", items: a } }"#, "7:29: error: id \"thread\" in delivery.history.get is declared nowhere; declare it in identity.ids"),
        more(#"delivery: { history: { request: aks, event: sad, items: a } }"#,
            "7:33: error: request \"aks\" in delivery.history.request is declared nowhere; nearest: ask",
            "7:45: error: event \"sad\" in delivery.history.event is declared nowhere; nearest: said"),
        more(#"delivery: { history: { get: /h, event: said } }"#,
            "7:22: error: delivery.history needs items; write items: …",
            "7:22: error: delivery.history needs either get or request and event; write get: \"/path\", or request: NAME, event: NAME"),
        more(#"delivery: { resume: { truncated: cut } }"#,
            "7:21: error: delivery.resume needs by; write by: …", "7:21: error: delivery.resume needs from; write from: …"),
        more(#"delivery: { resume: { by: qurey cursor, from: n } }"#, "7:27: error: place \"qurey cursor\": qurey is no place; nearest: query"),
        more(#"delivery: { resumes: {} }"#, "7:13: error: unknown key \"resumes\" in delivery; nearest: resume"),
        more(#"delivery: { resume: { by: [query a, query b], from: n } }"#, "7:27: error: delivery.resume.by takes one place; keep the one that clients use"),
        more(#"sharing: { broadcast: [said, request ask] }"#,
            "7:30: error: sharing.broadcast names a request, and only events are sent to all; leave out \"request\""),
        more(#"sharing: { broadcast: sad }"#, "7:23: error: event \"sad\" in sharing.broadcast is declared nowhere; nearest: said"),
        more(#"sharing: { rooms: { id: room } }"#,
            "7:19: error: sharing.rooms needs id and join; name the id that is shared and the request that joins it",
            "7:25: error: id \"room\" in sharing.rooms.id is declared nowhere; declare it in identity.ids"),
        more("identity: { ids: { room: { at: a } } }\nsharing: { rooms: { id: room, join: ak, leave: request stp } }",
            "8:37: error: request \"ak\" in sharing.rooms.join is declared nowhere; nearest: ask",
            "8:48: error: request \"stp\" in sharing.rooms.leave is declared nowhere; nearest: stop"),
        // MARK: the rest
        more(#"secrets: [a.., header]"#, "7:11: error: path \"a..\": a name is missing at its end", "7:16: error: place \"header\" is not complete; write header NAME"),
        more(#"secrets: request asq token"#, "7:10: error: request \"asq\" in secrets is declared nowhere; nearest: ask"),
        more(#"deadline: never"#, "7:11: error: deadline cannot be never; write a duration such as 5s"),
        more(#"deadline: 5 seconds"#, "7:11: error: duration \"5 seconds\": write 5s"),
        more("flows: { one: [{ await: said }] }\nhealth: two", "8:9: error: flow \"two\" in health is declared nowhere; known: one"),
        more(#"flows: { one: [{ await: "sai*" }] }"#, "7:25: error: \"sai*\" in step 1 of flow one is a glob; name the event"),
        more(#"flows: { one: { await: said } }"#, "7:15: error: flow one needs a list of steps; found a mapping"),
        more(#"flows: { one: [{ await: said, keep: { user: a } }] }"#, "7:39: error: keep in step 1 of flow one cannot be called user; that is a variable already"),
        more(#"flows: { one: [{ await: said, keep: { x: 'a[' } }] }"#, "7:42: error: path \"a[\": \"[\" is never closed"),
        more(#"flows: { one: [{ await: said, keep: x }] }"#, "7:37: error: keep in step 1 of flow one needs a mapping; found \"x\""),
        more(#"flows: { one: [{ send: {}, keep: { x: a }, match: <any> }] }"#,
            "7:34: error: keep in step 1 of flow one belongs to an await; move it to the next step",
            "7:51: error: match in step 1 of flow one belongs to an await; move it to the next step"),
        more(#"flows: { one: [{ await: said, match: <txt> }] }"#, "7:38: error: pattern \"<txt>\": not a type word; nearest: text"),
        more(#"monitors: { silent-failures: 5m }"#, "7:13: error: unknown key \"silent-failures\" in monitors; nearest: silent-failure"),
        more(#"monitors: { silent-failure: 5 min }"#, "7:29: error: duration \"5 min\": write 5m"),
        more(#"monitors: { connect-time: never }"#, "7:27: error: monitors.connect-time cannot be never; write off"),
        more(#"monitors: { event-rate: 10 }"#, "7:25: error: monitors.event-rate needs a rate such as 10/min, or off; found \"10\""),
        more(#"monitors: { auth-failures: 0.05 }"#, "7:28: error: monitors.auth-failures needs a share such as 5%, or off; found \"0.05\""),
        more(#"monitors: { connect-success: 101% }"#, "7:30: error: monitors.connect-success needs a share such as 99%, or off; found \"101%\""),
        more(#"monitors: { unpaired-events: 5m }"#, "7:30: error: monitors.unpaired-events needs on or off; found \"5m\""),
        more(#"monitors: all"#, "7:11: error: monitors needs a mapping; found \"all\""),
        // MARK: flows that must be refused
        more("reject: [{ when: { t: ask }, before: said }]\nflows: { f: [{ send: { t: ask } }] }", "8:14: error: flow f, step 1 is must-reject by rule 1; a flow is a valid conversation"),
        more("reject: [{ when: { t: ask }, after: request ask }]\nflows: { f: [{ send: { t: ask } }, { send: { t: ask } }] }", "8:36: error: flow f, step 2 is must-reject by rule 1; a flow is a valid conversation"),
    ]

    @Test(arguments: rows)
    func saysWhereWhatAndHow(row: Row) {
        #expect(problems(row.text) == row.said)
    }

    /// What is odd, and can be used all the same.
    @Test(arguments: [
        key("identity: { ids: { a: { at: x, form: 're:(?<stem>.*)' } } }", "3:38: warning: form: group \"stem\" occurs once; it binds nothing; give another form a group of that name, or write (?:…)"),
        key("identity: { ids: { a: { at: x, form: 're:(?<stem>.)_(?<b>.)' }, b: { at: y, form: 're:(?<stem>.).*' } } }"),
        key("identity: { ids: { a: { at: x, form: 're:(?<a>.)' } } }", "3:38: warning: form: group \"a\" occurs once; it binds nothing; give another form a group of that name, or write (?:…)"),
        more("reject: [{ when: { t: ask }, before: said }]\nflows: { f: [{ await: said }, { send: { t: ask } }] }"),
        more("reject: [{ when: { t: ask }, run: none }]\nflows: { f: [{ send: { t: ask } }] }"),
        more("reject: [{ when: { t: ask } }, { when: { t: ask, x: 1 }, before: said }]",
            "7:32: warning: rule 2 can never hold: rule 1 matches everything it matches; put it above rule 1, or leave it out"),
        more("reject: [{ when: { t: ask }, before: said }, { when: { t: ask, x: 1 } }]"),
        key("wire: { type: t }\nevents: { a: {}, b: {} }\nruns: { r: { states: { s: { a: done }, u: { a: u, b: done } } } }",
            "5:40: warning: state \"u\" of r is never reached; give another state an edge to it"),
        more("reject: [{ when: { t: ask }, run: open }]",
            "7:35: warning: rule 1 can never hold: no state of a run is hot, so that none is open; write hot: { STATE: never } for states without a bound"),
        more("monitors: off"), more("session: { heartbeat: { ask: ask, answer: said, from: client } }"),
        // What is read and nothing goes by.
        more("session: { heartbeat: { ask: ask, answer: said, from: client, every: 5s } }",
            "7:70: warning: session.heartbeat.every is read and not used by this version"),
        more("identity: { login: { post: /l, token: t } }", "7:20: warning: identity.login is read and not used by this version"),
        more("delivery: { history: { request: ask, event: said, items: a } }"),
        more("flows: { f: [{ send: { t: ask } }, { await: said, match: { n: 5 } }] }", "7:58: warning: match in step 2 of flow f is read and not used by this version"),
        key("wire: { type: t }\nrequests: { a: { shape: { n: <number> }, examples: [{ t: a, n: 1 }, { t: a }] }, b: { schema: { required: [x] }, examples: { x: 1 } } }",
            "4:69: warning: an example of requests.a is not valid; expected n: <number>"),
        key("wire: { type: t }\nevents: { b: { schema: { required: [x] }, examples: { y: 1 } } }", "4:53: warning: an example of events.b is not valid; expected x: a value"),
    ])
    func warnings(row: Row) {
        #expect(problems(row.text) == row.said)
    }

    private func problems(_ text: String) -> [String] {
        do throws(ConfigurationErrors) {
            let bundle = ContractBundle(text: text, file: "c.yaml")
            var reader = ContractReader(try bundle.document())
            _ = reader.read()
            let errors = ConfigurationErrors(reader.problems, texts: bundle.texts).errors
            for error in errors { #expect(error.line > 0 && error.block.count >= 2) }
            return errors.map { String($0.plain.dropFirst("c.yaml:".count)) }
        } catch {
            return error.errors.map { String($0.plain.dropFirst("c.yaml:".count)) }
        }
    }

    /// Every mapping of the language refuses what it does not know.
    @Test(arguments: [
        "%", "wire: { % }", "identity: { % }", "identity: { mint: { key: env K, % } }", "identity: { login: { post: /l, token: t, % } }",
        "identity: { ids: { x: { at: a, % } } }", "auth: { % }", "session: { % }", "session: { heartbeat: { % } }",
        "requests: { q: { match: <any>, % } }", "events: { q: { match: <any>, % } }",
        "events: { e: { match: <any> } }\nruns: { r: { states: { s: { e: done } }, % } }",
        "events: { e: { match: <any> } }\nruns: { r: { states: { s: { e: done } }, parts: { p: { start: e, end: e, % } } } }",
        "events: { e: { match: <any> } }\nerrors: { event: e, % }", "reject: [{ when: <unknown>, % }]", "delivery: { % }",
        "delivery: { sequence: { at: a, % } }", "delivery: { history: { get: /h, items: a, % } }", "delivery: { resume: { by: query q, from: a, % } }",
        "sharing: { % }", "sharing: { rooms: { % } }", "monitors: { % }", "events: { e: { match: <any> } }\nflows: { f: [{ await: e, % }] }",
    ])
    func noMappingTakesAnything(place: String) {
        let said = problems("miswire-contract: 1\nname: t\n" + place.replacing("%", with: "qqqzzz: 1") + "\n")
        #expect(said.contains { $0.contains("error: unknown key \"qqqzzz\" in ") && $0.contains("; known: ") }, "\(said)")
    }
}
