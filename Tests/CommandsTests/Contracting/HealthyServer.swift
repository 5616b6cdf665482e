import Journaling
import NIOCore
import Wire

/// A server made of dice, which keeps whatever it promises, and users who talk to it: two journals of one server differ in
/// everything but its protocol.
struct HealthyServer {
    /// The protocol: everything that depends on the server's own number.
    private struct Habits {
        var type: String
        var greets: Bool
        var hasRuns: Bool
        var hasParts: Bool
        var partKey: Bool
        var runKey: String
        var requestID: (sent: String, told: String)?
        var errorsNameTheRequest: Bool
        var hasNames: Bool
        var notices: Bool
        var failsSometimes: Bool
        var optional: Bool
    }

    private let habits: Habits
    private var dice: Dice
    private var entries: [Entry] = []
    private var ordinals: [UInt32: UInt32] = [:]
    private var sequence: UInt64 = 0
    private var clock: Int64 = 0
    private var count = 0

    struct Dice {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
        mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(max(1, sides))) }
        mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }
    }

    /// - Parameters:
    ///   - server: which of all servers.
    ///   - day: what its users do.
    init(server: UInt64, day: UInt64) {
        var dice = Dice(state: server &* 7_919)
        let ids: [(String, String)?] = [nil, ("id", "id"), ("request_id", "request_id"), ("id", "in_reply_to_id")]
        habits = Habits(
            type: ["type", "op", "event"][dice.roll(3)], greets: dice.chance(60), hasRuns: dice.chance(70), hasParts: dice.chance(60),
            partKey: dice.chance(50), runKey: ["run_id", "response.id", "job_id"][dice.roll(3)], requestID: ids[dice.roll(4)],
            errorsNameTheRequest: dice.chance(50), hasNames: dice.chance(70), notices: dice.chance(50), failsSometimes: dice.chance(40),
            optional: dice.chance(70))
        self.dice = Dice(state: day &* 104_729 &+ server)
    }

    /// - Parameter users: each with one or two connections, one after the other.
    static func journal(server: UInt64, day: UInt64, users: Int) -> [Entry] {
        var made = HealthyServer(server: server, day: day)
        var session: UInt32 = 0
        for round in 0..<2 {
            var open: [(UInt32, String)] = []
            for user in 0..<users where round == 0 || made.dice.chance(40) {
                session += 1
                made.open(session, "user-\(user)-\(server)")
                open.append((session, "user-\(user)-\(server)"))
            }
            for _ in 0..<(4 * users) {
                guard let (session, user) = open.isEmpty ? nil : open[made.dice.roll(open.count)] else { continue }
                made.talk(session, user, open)
            }
            for (session, _) in open { made.leave(session) }
        }
        return made.entries
    }

    // MARK: What happens

    private mutating func open(_ session: UInt32, _ user: String) {
        add(session, .opened(Opened(transport: TransportID(session), peer: "127.0.0.1:5000")))
        head(session, .toServer, "GET /chat?token=\u{2039}jwt:\(session)\u{203a} HTTP/1.1\r\nhost: x\r\n\r\n")
        if habits.hasNames {
            for tap in [Tap.clientIn, .serverOut] {
                add(session, .facts(Facts(tap: tap, user: user, place: "query token", state: .intact, tag: "jwt:\(session)")))
            }
        }
        wait(5)
        head(session, .toClient, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
        add(session, .became(.accepted(subprotocol: nil, deflate: false)))
        if habits.greets { say(session, "welcome", ["user_id": .string(user), "connection_id": .string("c-\(session)-9f\(session)77")]) }
    }

    private mutating func talk(_ session: UInt32, _ user: String, _ open: [(UInt32, String)]) {
        count += 1
        let id = "q-\(count)-\(dice.next() % 100_000)"
        var request: [String: JSON] = [:]
        if let names = habits.requestID { request[names.sent] = .string(id) }
        if habits.notices, dice.chance(15) {
            for (other, _) in open { say(other, "notice", ["text": "all", "doc_id": "doc-1"]) }
        }
        if habits.hasRuns, dice.chance(60) {
            request["text"] = "do it"
            ask(session, "start", request)
            run(session, user, id)
        } else if dice.chance(25) {
            ask(session, "shout", request)
            var error: [String: JSON] = ["code": "not_allowed", "message": "no"]
            if habits.errorsNameTheRequest, let names = habits.requestID { error[names.told] = .string(id) }
            say(session, "error", error)
        } else {
            if habits.optional, dice.chance(50) { request["limit"] = dice.chance(50) ? 5 : .null }
            ask(session, "get", request)
            var answer: [String: JSON] = ["value": .number(dice.chance(50) ? "3" : "3.5"), "at": .number("17573713\(10 + dice.roll(80)).5")]
            if let names = habits.requestID { answer[names.told] = .string(id) }
            if habits.optional, dice.chance(30) { answer["hint"] = dice.chance(50) ? "x" : .null }
            say(session, "got", answer)
        }
    }

    private mutating func run(_ session: UInt32, _ user: String, _ id: String) {
        let key = "r-\(count)-\(dice.next() % 1_000_000_000)"
        func fields(_ more: [String: JSON] = [:]) -> [String: JSON] {
            var fields = more
            if habits.runKey.contains(".") { fields["response"] = .object([.init(key: "id", value: .string(key))]) } else { fields[habits.runKey] = .string(key) }
            return fields
        }
        var first = fields(["user_id": .string(user)])
        if let names = habits.requestID { first[names.told] = .string(id) }
        say(session, "begun", first)
        for _ in 0..<dice.roll(4) { say(session, "delta", fields(["text": "…"])) }
        if habits.hasParts {
            for part in 0..<dice.roll(3) {
                let more: [String: JSON] = habits.partKey ? ["call_id": .string("k\(part)")] : [:]
                say(session, "tool_started", fields(more))
                if dice.chance(50) { say(session, "delta", fields(["text": "…"])) }
                say(session, "tool_completed", fields(more))
            }
        }
        if habits.failsSometimes, dice.chance(10) { return say(session, "run_failed", fields(["reason": "tired"])) }
        say(session, "finished", fields(["tokens": .number("\(dice.roll(90))")]))
    }

    private mutating func leave(_ session: UInt32) {
        wait(10)
        var payload = ByteBuffer()
        payload.writeInteger(UInt16(1000))
        for direction in [Direction.toServer, .toClient] {
            let at = Instant(nanoseconds: clock)
            add(
                session,
                .frame(
                    FrameRecord(
                        passage: Passage(direction, in: at, out: at),
                        frame: Frame(opcode: .close, maskKey: direction == .toServer ? 1 : nil, payload: payload),
                        message: MessageRecord(opcode: .close, payload: payload, ordinal: 0))))
        }
        add(session, .ended(EndRecord(side: .client, style: .finish, by: .peer, cause: "", undelivered: 0)))
        add(session, .ended(EndRecord(side: .server, style: .finish, by: .peer, cause: "", undelivered: 0)))
        add(session, .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)))
    }

    // MARK: Entries

    private mutating func wait(_ most: Int) { clock += Int64(1 + dice.roll(most)) * 1_000_000 }

    private mutating func ask(_ session: UInt32, _ type: String, _ fields: [String: JSON]) { message(session, .toServer, type, fields) }
    private mutating func say(_ session: UInt32, _ type: String, _ fields: [String: JSON]) { message(session, .toClient, type, fields) }

    private mutating func message(_ session: UInt32, _ direction: Direction, _ type: String, _ fields: [String: JSON]) {
        wait(8)
        var members = [JSON.Member(key: habits.type, value: .string(type))]
        for key in fields.keys.sorted() { if let value = fields[key] { members.append(.init(key: key, value: value)) } }
        let payload = ByteBuffer(string: JSON.object(members).text)
        let at = Instant(nanoseconds: clock)
        add(
            session,
            .frame(
                FrameRecord(
                    passage: Passage(direction, in: at, out: at),
                    frame: Frame(opcode: .text, maskKey: direction == .toServer ? 1 : nil, payload: payload),
                    message: MessageRecord(opcode: .text, payload: payload, ordinal: 1))))
    }

    private mutating func head(_ session: UInt32, _ direction: Direction, _ text: String) {
        let at = Instant(nanoseconds: clock)
        add(session, .head(HeadRecord(passage: Passage(direction, in: at, out: at), bytes: ByteBuffer(string: text))))
    }

    private mutating func add(_ session: UInt32, _ body: Entry.Body) {
        sequence += 1
        ordinals[session, default: 0] += 1
        let ref = EntryRef(session: SessionID(session), ordinal: ordinals[session] ?? 0)
        entries.append(Entry(number: sequence, instant: Instant(nanoseconds: clock), loop: 0, sequence: sequence, ref: ref, body: body))
    }
}
