import Contracts
import Journaling
import Testing
import Wire

@testable import Profiles

/// The worked contracts of contract.md, as they stand there, and those that it sketches in a line: all is read, nothing is odd.
@Suite struct WorkedContractTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var testDescription: String { name }
    }

    @Test(arguments: samples)
    func isReadWithoutAWord(sample: Sample) throws {
        let bundle = ContractBundle(text: sample.text, file: sample.name + ".yaml")
        var reader = ContractReader(try bundle.document())
        let contract = reader.read()
        #expect(reader.problems.map(\.plain) == sample.said)
        #expect(!contract.requests.isEmpty && !contract.events.isEmpty)
        // What its flows say is valid, and what must be refused by its bytes alone is so.
        let recognizer = Recognizer(contract)
        for flow in contract.flows {
            for case .send(let template) in flow.steps {
                #expect(recognizer.recognise(sent: template).map(\.outcome) == [.valid], "\(flow.name)")
            }
        }
        for probe in contract.probes {
            let read = recognizer.recognise(sent: probe.message)
            #expect(read.map { Labeler(contract).label($0, in: Nothing()) } == [.mustReject(rule: probe.rule, stateful: false)], "\(probe.kind)")
        }
    }

    private struct Nothing: LabelContext {
        func hasSeen(_ name: MessageName) -> Bool { true }
        func isRunOpen(key: JSON?) -> Bool { false }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { false }
    }

    static let samples: [Sample] = [
        Sample(name: "agent-chat", text: #"""
            miswire-contract: 1
            name: agent-chat
            about: AI-agent chat, one WebSocket per user, JSON text messages.
            wire: { paths: ["/ws", "/ws/**"], type: type }
            identity:
              credential: [header authorization, query token, cookie token, subprotocol, request auth token]
              user: credential|jwt.sub
              mint: { alg: HS256, key: env MISWIRE_JWT_KEY, claims: { sub: "{user}", exp: "{now+1h}" } }
              ids:
                user:       { at: user_id, is: user }
                thread:     { at: thread_id, within: user, form: 're:thread_(?<stem>[a-z]+(?:_[a-z]+)*_\d+)_\d+_[0-9a-f]+' }
                run:        { at: run_id, within: thread, form: 're:(?:run_)?(?<stem>[a-z]+(?:_[a-z]+)*_\d+)(?:_\d+)?' }
                connection: { at: connection_id, is: connection, form: 're:ws_(?<prefix>.+)_\d+_[0-9a-f]+' }
            auth: { refuse: [401, 403], close: [1008, 4401, 4403], within: 2s, revoked: 5s }
            session: { greeting: connected, within: 2s }
            requests:
              auth:            { shape: { token: <text> } }
              agent_started:   { shape: { user_id: <text>, agent_name: <text|absent>, thread_id: <text|absent>, request_id: <text|absent>, message: <string|absent> }, starts: run }
              cancel:          { shape: { run_id: <text> } }
              tool_executing:  { shape: { tool_name: <text> } }
              connection_test: { shape: { action: <text> } }
            events:
              connected:       { shape: { user_id: <text>, connection_id: <text> } }
              agent_started:   { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              agent_thinking:  { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              agent_completed: { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              tool_executing:  { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              tool_completed:  { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              partial_result:  { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              final_report:    { shape: { user_id: <text>, thread_id: <text>, run_id: <text> } }
              error: { shape: { error: <text>, message: <text>, timestamp: <number> } }
            link: [request_id, run_id, thread_id]
            runs:
              run:
                key: run_id
                states:
                  asked:   { agent_started: running, error: done }
                  running: { agent_thinking: running, partial_result: running, final_report: running, agent_completed: done, error: done }
                hot: { asked: 5s, running: 60s }
                kinds: [agent_execution_error, tool_execution_error]
                parts:
                  tool: { key: [tool_call_id, tool_name], start: tool_executing, end: tool_completed, in: running, before: agent_completed, within: 30s }
            errors:
              event: error
              kind: error
              kinds: [connection_error, message_processing_error, agent_execution_error, tool_execution_error, authentication_error]
              within: 1s
              context: [user_id, thread_id]
            reject:        # first match wins: an impossible agent outranks the missing user
              - { when: { type: connection_test, action: force_disconnect }, with: connection_error }
              - { when: { type: [invalid_type, invalid_operation] }, with: message_processing_error }
              - { when: { type: agent_started, agent_name: [non_existent_agent, nonexistent_agent] }, with: agent_execution_error }
              - { when: { type: tool_executing, tool_name: invalid_tool }, with: tool_execution_error }
              - { when: { type: agent_started, user_id: <absent|null> }, with: authentication_error }
              - { when: { type: agent_started, user_id: <foreign> }, with: [authentication_error, accepted] }   # or run as the token's user
              - { when: [<malformed>, <unknown>, <invalid>, { thread_id: <foreign> }] }
            delivery:
              sequence: { at: seq, per: thread }
              history:  { get: "/threads/{thread}/events", items: "events[*]" }
              resume:   { by: query cursor, from: seq, truncated: history_truncated }
            volatile: [..timestamp, ..message, ..seq]
            flows:
              one-run:
                - send: { type: agent_started, agent_name: assistant, user_id: "{user}", message: "say {canary}" }
                - { await: agent_completed, within: 30s }
            """#),
        Sample(name: "echo", text: #"""
            miswire-contract: 1
            name: echo
            wire: { format: raw }
            requests: { message: { match: <any>, answer: copy, within: 2s } }
            events:   { copy: { match: <any> } }
            link: [$]
            flows: { hello: [ { send: "hello {canary}" }, { await: copy } ] }
            """#),
        Sample(name: "graphql-transport-ws", text: #"""
            miswire-contract: 1
            name: graphql-transport-ws
            wire: { subprotocols: [graphql-transport-ws], type: type }
            identity: { credential: [request connection_init payload.token, header authorization], user: credential|jwt.sub }
            auth: { close: [4401, 4403, 1008] }
            session: { ready: connection_ack, heartbeat: { ask: ping, answer: pong, from: either } }
            requests:
              connection_init: { shape: { payload: <object|absent> }, answer: connection_ack, within: 3s }
              subscribe: { shape: { id: <text>, payload.query: <text> }, starts: operation }
              complete:  { shape: { id: <text> } }
              ping: {}
              pong: {}
            events:
              connection_ack: {}
              next:     { shape: { id: <text>, payload: <object> } }
              error:    { shape: { id: <text>, "payload[*].message": <string> } }
              complete: { shape: { id: <text> } }
              ping: {}
              pong: {}
            link: [id]
            runs:
              operation:
                key: id
                scope: connection
                states:
                  open:    { next: open, error: done, complete: done, request complete: leaving }
                  leaving: { next: leaving, error: done, complete: done }     # what was already under way
                hot: { open: never }
            errors: { event: error }
            reject:
              - { when: [<malformed>, <unknown>, <invalid>], with: close 4400 }
              - { when: { type: subscribe }, before: connection_ack, with: close 4401 }
              - { when: { type: connection_init }, after: request connection_init, with: close 4429 }
              - { when: { type: subscribe }, run: open, with: [close 4409, accepted] }     # single results may share an id
            flows:
              query:
                - { send: { type: connection_init, payload: { token: "{credential}" } } }
                - { await: connection_ack }
                - { send: { id: "{uuid}", type: subscribe, payload: { query: "{ __typename }" } } }
                - { await: complete }
            """#),
        Sample(name: "json-rpc", text: #"""
            miswire-contract: 1
            name: json-rpc
            wire: { batch: true }
            requests:
              call:   { match: { jsonrpc: "2.0", method: <text>, id: <text|number> }, answer: [result, failure], within: 30s }
              notify: { match: { jsonrpc: "2.0", method: <text>, id: <absent> } }
              reply:  { match: { jsonrpc: "2.0", method: <absent>, id: <any> } }
            events:
              failure: { match: { error: <object> }, shape: { jsonrpc: "2.0", id: <any>, error.code: <integer>, error.message: <string>, result: <absent> } }
              result:  { match: { result: <any>, id: <any> }, shape: { jsonrpc: "2.0" } }
              ask:     { match: { method: <text>, id: <any> }, answer: reply }
              notice:  { match: { method: <text> } }
            link: [id]
            errors: { event: failure, kind: error.code }
            reject:
              - { when: <malformed>, with: -32700, send: '{"jsonrpc":"2.0",' }
              - { when: [<unknown>, <invalid>], with: -32600, send: { jsonrpc: "2.0", method: 1, id: "{n}" } }
              - { when: { method: "no.such.*", id: <text|number> }, with: -32601, send: { jsonrpc: "2.0", id: "{n}", method: no.such.method } }
            """#),
        Sample(name: "openai-realtime", text: #"""
            miswire-contract: 1
            name: openai-realtime
            wire: { paths: ["/v1/realtime"], type: type, binary: reject }
            identity:
              credential: [header authorization, subprotocol openai-insecure-api-key.*]
              ids:
                session:  { at: session.id, is: connection, form: sess_* }
                response: { at: [response.id, response_id], within: connection, form: resp_* }
                item:     { at: [item.id, item_id], within: connection }
            session: { greeting: session.created }
            requests:
              session.update:           { shape: { session: <object> }, answer: session.updated }
              conversation.item.create: { shape: { item.type: [message, function_call, function_call_output] }, answer: [conversation.item.created, conversation.item.added] }
              response.create:          { shape: { response: <object|absent> }, starts: response }
              response.cancel:          { shape: { response_id: <text|absent> } }
            events:
              "*":   { shape: { event_id: <text> } }
              error: { shape: { event_id: <text>, error.type: <text>, error.message: <text> } }
            link: [event_id = error.event_id, item.id]
            runs:
              response:
                key: [response.id, response_id]
                unasked: true                             # voice detection starts responses by itself
                states:
                  asked:  { response.created: active, error: done }
                  active: { "response.*": active, response.done: done }
                hot: { asked: 10s, active: 120s }
                parts:
                  item: { key: [item.id, item_id], start: response.output_item.added, end: response.output_item.done, inside: ["response.*.delta", "response.content_part.*"], before: response.done }
                  text: { key: item_id + content_index, start: response.content_part.added, end: response.content_part.done, before: response.done }
            errors: { event: error, kind: error.code, within: 5s }
            reject:
              - { when: { type: response.create }, run: open, with: [conversation_already_has_active_response, accepted] }
              - { when: { type: response.cancel }, run: none, with: response_cancel_not_active }
              - { when: [<malformed>, <unknown>, <invalid>], with: any }
            volatile: [..event_id, ..id, ..item_id, ..response_id, ..expires_at, ..delta]
            flows:
              one-answer:
                - { await: session.created }
                - { send: { type: response.create, event_id: "{uuid}", response: { instructions: "Say {canary}" } } }
                - { await: response.done, within: 60s }
            """#),
        Sample(name: "socket.io", text: #"""
            miswire-contract: 1
            name: socket.io
            wire:
              paths: ["/socket.io/**"]
              envelope: '(?<packet>4[0-6]|[0-356])(?:(?<attachments>\d+)-)?(?:(?<namespace>/[^,]*),)?(?<ack>\d+)?(?<body>.*)'
            identity: { credential: [request connect body.token, header authorization], user: credential|jwt.sub }
            auth: { event: alone }
            session: { greeting: open, ready: connected, heartbeat: { ask: ping, answer: pong, from: server, every: 25s, within: 20s } }
            requests:
              connect: { match: { packet: "40" }, answer: [connected, refused] }
              call:    { match: { packet: "42", ack: <any>, "body[0]": <text> }, answer: acked, within: 10s }
              emit:    { match: { packet: "42", ack: <absent>, "body[0]": <text> } }
              pong:    { match: { packet: "3" } }
              other:   { match: { packet: ["1", "41", "43", "45", "46", "5", "6"] } }
            events:
              open:      { match: { packet: "0" }, shape: { body.sid: <text>, body.pingInterval: <number>, body.pingTimeout: <number> } }
              ping:      { match: { packet: "2" } }
              connected: { match: { packet: "40" }, shape: { body.sid: <text> } }
              refused:   { match: { packet: "44" }, shape: { body.message: <text> } }
              acked:     { match: { packet: "43" }, shape: { ack: <text>, body: <array> } }
              event:     { match: { packet: "42" }, shape: { "body[0]": <text> } }
              other:     { match: { packet: ["1", "41", "45", "46", "6"] } }
            link: [namespace + ack, namespace]
            errors: { event: refused, kind: body.message }
            flows: { join: [ { await: open }, { send: '40{"token":"{credential}"}' }, { await: connected } ] }
            """#),
        Sample(name: "phoenix", text: #"""
            miswire-contract: 1
            name: phoenix
            wire: { type: "[3]" }
            requests: { phx_join: { answer: phx_reply } }
            events: { refused: { match: { "[3]": phx_reply, "[4].status": error } }, phx_reply: {} }
            link: ["[1]"]
            errors: { event: refused }
            flows: { join: [ { send: ["1", "1", "room:1", phx_join, {}] }, { await: phx_reply } ] }
            """#),
        Sample(name: "signalr", text: #"""
            miswire-contract: 1
            name: signalr
            wire: { split: "\x1e" }
            requests: { invoke: { match: { type: 1, invocationId: <text> }, answer: [done, failed] } }
            events: { failed: { match: { type: 3, error: <text> } }, done: { match: { type: 3 } } }
            link: [invocationId]
            errors: { event: failed, kind: error }
            flows: { one: [ { send: "{\"type\":1,\"invocationId\":\"{n}\",\"target\":\"echo\"}\x1e" }, { await: done } ] }
            """#),
        Sample(name: "actioncable", text: #"""
            miswire-contract: 1
            name: actioncable
            wire: { type: type }
            identity: { ids: { channel: { at: identifier|json.channel } } }
            requests: { subscribe: { match: { command: subscribe }, answer: confirm_subscription } }
            events: { confirm_subscription: {}, "*": {} }
            link: [identifier]
            """#),
        Sample(name: "stomp", text: #"""
            miswire-contract: 1
            name: stomp
            wire: { envelope: "(?<command>[A-Z]+)\\n(?<headers>(?:.+\\n)*)\\n(?<body>[^\\0]*)\\0", type: command }
            requests: { SEND: { answer: RECEIPT } }
            events: { RECEIPT: {}, ERROR: {} }
            link: [headers|lines.receipt = headers|lines.receipt-id]
            errors: { event: ERROR }
            flows: { one: [ { send: "SEND\nreceipt:{n}\n\nhello\0" }, { await: RECEIPT } ] }
            """#),
        Sample(name: "mqtt", text: #"""
            miswire-contract: 1
            name: mqtt
            wire: { format: raw }
            requests: { publish: { match: "3*" }, other: { match: <any> } }
            events: { publish: { match: "3*" }, other: { match: <any> } }
            """#),
    ]
}

extension WorkedContractTests.Sample {
    /// Warnings that are right: the groups of agent-chat's connection id bind nothing, and some keys nothing goes by yet.
    fileprivate var said: [String] {
        switch name {
        case "agent-chat":
            ["agent-chat.yaml:13:60: warning: form: group \"prefix\" occurs once; it binds nothing; give another form a group of that name, or write (?:…)"]
        case "socket.io": ["socket.io.yaml:8:105: warning: session.heartbeat.every is read and not used by this version"]
        default: []
        }
    }
}
