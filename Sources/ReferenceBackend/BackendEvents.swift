import Journaling
import Wire

/// What an event carries besides its ids, in order.
struct EventFields: Sendable, ExpressibleByDictionaryLiteral {
    var members: [JSON.Member]

    init(dictionaryLiteral elements: (String, JSON)...) {
        members = elements.map { JSON.Member(key: $0.0, value: $0.1) }
    }

    static func + (lhs: EventFields, rhs: EventFields) -> EventFields {
        var sum = lhs
        sum += rhs
        return sum
    }
    static func += (lhs: inout EventFields, rhs: EventFields) { lhs.members += rhs.members }
}

/// Builds the messages the backend sends. Field order is fixed, so that one seed gives the same bytes.
struct EventBuilder: Sendable {
    /// Milliseconds since 1970 at `Instant.zero`.
    var epoch: Int64

    /// Seconds since 1970 with three decimals.
    func timestamp(_ now: Instant) -> JSON {
        let milliseconds = epoch.addingReportingOverflow(now.nanoseconds / 1_000_000).partialValue
        let fraction = String(milliseconds % 1_000)
        return .number(
            "\(milliseconds / 1_000)." + String(repeating: "0", count: max(0, 3 - fraction.count)) + fraction)
    }

    func greeting(user: String, connection: String, at now: Instant) -> JSON {
        [
            "type": "connected", "user_id": .string(user), "connection_id": .string(connection),
            "timestamp": timestamp(now),
        ]
    }

    /// An error repeats the user, thread and request of the request that caused it, with whatever values these had. It
    /// never names a run: only an error that ends one does.
    func error(_ refusal: Refusal, request: JSON?, user: String?, bare: Bool, at now: Instant) -> JSON {
        var members: [JSON.Member] = [
            .init(key: "type", value: "error"), .init(key: "error", value: .string(refusal.kind.rawValue)),
        ]
        if !bare { members.append(.init(key: "message", value: .string(refusal.text))) }
        if let named = request?.given("user_id") ?? user.map({ JSON.string($0) }) {
            members.append(.init(key: "user_id", value: named))
        }
        for key in ["thread_id", "request_id"] {
            if let value = request?.given(key) { members.append(.init(key: key, value: value)) }
        }
        if !bare { members.append(.init(key: "timestamp", value: timestamp(now))) }
        return .object(members)
    }

    /// The error by which a run ends: it names the run.
    func failure(of run: Run, sequence: Int?, at now: Instant) -> JSON {
        var members: [JSON.Member] = [
            .init(key: "type", value: "error"), .init(key: "error", value: .string(ErrorKind.toolExecution.rawValue)),
            .init(key: "message", value: "the tool raised an exception, and the agent gave up"),
            .init(key: "user_id", value: .string(run.user)), .init(key: "thread_id", value: .string(run.thread)),
            .init(key: "run_id", value: .string(run.id)),
        ]
        if let request = run.requestID { members.append(.init(key: "request_id", value: request)) }
        if let sequence { members.append(.init(key: "seq", value: .number("\(sequence)"))) }
        if let room = run.room { members.append(.init(key: "room_id", value: .string(room))) }
        members.append(.init(key: "timestamp", value: timestamp(now)))
        return .object(members)
    }

    /// Not everything behind the cursor can be told: the rest stands in the history.
    /// - Parameter first: the number of the oldest event that could still be replayed.
    func truncated(user: String, thread: String?, cursor: Int?, first: Int?, at now: Instant) -> JSON {
        var members: [JSON.Member] = [
            .init(key: "type", value: "history_truncated"), .init(key: "user_id", value: .string(user)),
        ]
        if let thread { members.append(.init(key: "thread_id", value: .string(thread))) }
        if let cursor { members.append(.init(key: "cursor", value: .number("\(cursor)"))) }
        if let first { members.append(.init(key: "first_seq", value: .number("\(first)"))) }
        members.append(.init(key: "timestamp", value: timestamp(now)))
        return .object(members)
    }

    /// An event of a run.
    func event(_ type: String, of run: Run, sequence: Int?, fields: EventFields, at now: Instant) -> JSON {
        var members: [JSON.Member] = [
            .init(key: "type", value: .string(type)), .init(key: "user_id", value: .string(run.user)),
            .init(key: "thread_id", value: .string(run.thread)), .init(key: "run_id", value: .string(run.id)),
        ]
        if let request = run.requestID { members.append(.init(key: "request_id", value: request)) }
        if let room = run.room { members.append(.init(key: "room_id", value: .string(room))) }
        if let sequence { members.append(.init(key: "seq", value: .number("\(sequence)"))) }
        members += fields.members
        members.append(.init(key: "timestamp", value: timestamp(now)))
        return .object(members)
    }
}

extension JSON {
    /// The member's value unless it is null or absent.
    func given(_ key: String) -> JSON? {
        guard let value = self[key], !value.isNull else { return nil }
        return value
    }
}
