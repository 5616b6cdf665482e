import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What goes by the connection that the user had before.
@Suite struct PastTests {
    private static let events = (1...9).map { Sample.frame("{\"type\":\"event\",\"seq\":\($0)}", masked: false) }

    /// Alice was told nine events and is gone; bob was told one.
    private func net(_ kind: String, _ settings: [String: [String]], _ change: @escaping (inout Trigger) -> Void = { _ in }) -> Net {
        var net = Net(profile: Sample.profile(Sample.rule(kind, settings, change)))
        let first = net.upgraded(1, user: "alice")
        for event in Self.events { net.server(first, event) }
        net.client(first, Sample.frame("said before", masked: true))
        net.send(.ended(.client, .reset), to: first)
        let bob = net.upgraded(2, user: "bob")
        net.server(bob, Sample.frame(#"{"seq":"b 77/é"}"#, masked: false))
        return net
    }

    /// - Returns: the target of the second connection as it reached the server, and what its fault said.
    private func resumed(_ settings: [String: [String]], _ target: String, fields: String = "") -> (head: String, details: [String]) {
        var net = net("resume-stale", settings)
        let id = net.open(3)
        net.send(.connected, to: id)
        net.client(id, Sample.request(path: target, user: "alice", fields: fields))
        let head = String(buffer: net.takeServer(id))
        #expect(net.differences(.raw) == [] && net.conclude().differences == [])
        return (head, net.faults(id).map { ($0.applied ? "" : "not applied: ") + $0.detail })
    }

    @Test(arguments: [
        (["how": ["older"], "back": ["3"]], "/ws?a=1&cursor=9&b=2", "/ws?a=1&cursor=6&b=2", "older cursor in query cursor"),
        (["how": ["older"], "back": ["100"]], "/ws?cursor=9", "/ws?cursor=1", "older cursor in query cursor"),
        (["how": ["older"], "back": ["2"]], "/ws?cursor=unknown", "/ws?cursor=7", "older cursor in query cursor"),
        (["how": ["none"]], "/ws?a=1&cursor=9", "/ws?a=1", "no cursor in query cursor"),
        (["how": ["beyond"]], "/ws?cursor=9", "/ws?cursor=1000009", "beyond cursor in query cursor"),
        (["how": ["foreign"]], "/ws?cursor=9", "/ws?cursor=b%2077%2F%C3%A9", "foreign cursor in query cursor"),
        (["how": ["older"]], "/ws", "/ws", "not applied: no cursor in query cursor"),
        (["how": ["beyond"]], "/ws?cursor=x", "/ws?cursor=x", "not applied: the cursor is no number"),
        (["how": ["older"], "events": ["id"]], "/ws?cursor=9", "/ws?cursor=9", "not applied: no older cursor is remembered"),
    ]) func aCursorInTheQuery(settings: [String: [String]], target: String, expected: String, detail: String) {
        let (head, details) = resumed(settings, target)
        // Every other byte is the client's.
        #expect(head == Sample.request(path: expected, user: "alice"))
        #expect(details == [detail])
    }

    @Test func aCursorInAHeader() {
        let (head, details) = resumed(["at": ["header last-event-id"], "back": ["1"]], "/ws", fields: "Last-Event-ID: 9\r\n")
        #expect(head == Sample.request(path: "/ws", user: "alice", fields: "Last-Event-ID: 8\r\n"))
        #expect(details == ["older cursor in header last-event-id"])
    }

    @Test func aCursorInAMessage() {
        var net = net("resume-stale", ["at": ["request resume from.seq"], "back": ["2"]])
        let id = net.upgraded(3, user: "alice")
        _ = net.takeServer(id)
        let other = Sample.frame(#"{"type":"other"}"#, masked: true)
        net.client(id, other)
        #expect(net.takeServer(id) == other)
        net.client(id, Sample.frame(#"{"type":"resume", "from": {"seq": 9 }}"#, masked: true))
        #expect(Sample.messages(net.takeServer(id), .toServer) == [#"{"type":"resume", "from": {"seq": 7 }}"#])
        #expect(net.faults(id).map(\.detail) == ["older cursor in request resume from.seq"])
        #expect(net.differences(.raw) == [] && net.conclude().differences == [])
    }

    @Test(arguments: ["path /x/*", "event a b", "query", "seq", ""]) func noSuchPlace(_ at: String) {
        #expect(throws: SettingsError.self) { _ = try FaultRegistry.make("resume-stale", Settings([("at", [at])])) }
    }

    @Test(arguments: [(1, 9), (3, 7), (9, 1)]) func aMessageFromBeforeTheReconnect(back: Int, seq: Int) {
        var net = net("replay-stale", ["from": ["before"], "back": ["\(back)"]]) { $0.to = .client; $0.connection = .nth(2) }
        let id = net.upgraded(3, user: "alice")
        _ = net.takeClient(id)
        let now = Sample.frame("now", masked: false)
        net.server(id, now)
        #expect(net.takeClient(id) == Sample.joined(now, Self.events[seq - 1]))
        #expect(net.faults(id).map(\.detail) == ["message \(seq) of the connection before again behind message 1"])
        #expect(net.differences(.raw) == [] && net.conclude().differences == [])
    }

    @Test func theDirectionIsItsOwn() {
        var net = net("replay-stale", ["from": ["before"], "place": ["before"]]) { $0.to = .server; $0.connection = .nth(2) }
        let id = net.upgraded(3, user: "alice")
        _ = net.takeServer(id)
        net.client(id, Sample.frame("now", masked: true))
        #expect(Sample.messages(net.takeServer(id), .toServer) == ["said before", "now"])
        #expect(net.differences(.raw) == [] && net.conclude().differences == [])
    }

    @Test func whoWasNeverHereHasNoPast() {
        var net = net("replay-stale", ["from": ["before"]]) { $0.to = .client }
        let id = net.upgraded(3, user: "carol")
        net.server(id, Sample.frame("now", masked: false))
        #expect(net.faults(id).map(\.detail) == ["no message so old is remembered"])
        #expect(net.conclude().differences == [])
    }

    @Test func thePastIsBounded() {
        let past = Past()
        let at = Instant.zero
        func message(_ size: Int) -> Message {
            Message(
                direction: .toClient, opcode: .text, payload: ByteBuffer(repeating: 0x61, count: size), ordinal: 1,
                entry: EntryRef(session: SessionID(1), ordinal: 1))
        }
        for _ in 0..<200 { past.keep(message(1), of: "small", in: SessionID(1), at: at) }
        #expect(past.before(SessionID(2), of: "small").count == 128)
        for _ in 0..<9 { past.keep(message(16 << 10), of: "large", in: SessionID(1), at: at) }
        past.keep(message((16 << 10) + 1), of: "large", in: SessionID(1), at: at)
        #expect(past.before(SessionID(2), of: "large").count == 4)
        for number in 0..<2_000 { past.keep(message(1), of: "user\(number)", in: SessionID(1), at: at) }
        #expect(past.before(SessionID(2), of: "user1021").count == 1)
        #expect(past.before(SessionID(2), of: "user1022").isEmpty)
        #expect(past.before(SessionID(1), of: "small").isEmpty)
    }
}
