import Wire

/// The five kinds of error of incidents.md I1.
enum ErrorKind: String, Sendable {
    case connection = "connection_error"
    case messageProcessing = "message_processing_error"
    case agentExecution = "agent_execution_error"
    case toolExecution = "tool_execution_error"
    case authentication = "authentication_error"
}

/// Why a request is not served: the error that answers it.
struct Refusal: Error, Sendable, Hashable {
    var kind: ErrorKind
    var text: String
    init(_ kind: ErrorKind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

/// A request that may be served.
enum Request: Sendable {
    case start(Start)
    case cancel(run: String)
    case auth(token: String)
    case room(RoomRequest)

    struct Start: Sendable {
        var agent: Agent
        /// A thread of the requester's own to continue; nil opens a new one.
        var thread: String?
        var message: String
        /// Kept as written, since it is repeated.
        var requestID: JSON?
        /// Where the answer is shared.
        var room: String?
    }
}

/// To whom a thread belongs, as seen by the requester.
enum ThreadClaim: Sendable { case own, foreign, unknown }

/// Which requests are refused, and in which order of reasons: a request with several faults gets the error of the first
/// that applies, as agent-chat's `reject` list has it (an impossible agent outranks the missing user).
struct RequestRules {
    /// Name of the connection's user.
    var user: String
    /// Whose thread the message names; nil when it names none.
    var claim: ThreadClaim?
    /// B09: a missing `user_id` does not matter.
    var lacksUserCheck = false
    /// B12: nobody asks whose thread it is.
    var lacksThreadCheck = false
    /// W1: there are rooms.
    var servesRooms = false

    func read(_ message: JSON) throws(Refusal) -> Request {
        guard case .object = message else { throw Refusal(.messageProcessing, "the message is not a JSON object") }
        guard let type = message["type"]?.string else { throw Refusal(.messageProcessing, "the message has no type") }
        switch type {
        case "agent_started": return .start(try start(message))
        case "tool_executing": throw try tool(message)
        case "connection_test": throw try connectionTest(message)
        case "cancel":
            try checkThread()
            guard let run = message.text("run_id") else { throw Refusal(.messageProcessing, "cancel needs a run_id") }
            return .cancel(run: run)
        case "auth":
            guard let token = message.text("token") else { throw Refusal(.messageProcessing, "auth needs a token") }
            try checkThread()
            return .auth(token: token)
        case "join_room" where servesRooms, "leave_room" where servesRooms, "room_message" where servesRooms:
            return .room(try room(type, message))
        case "invalid_type", "invalid_operation":
            throw Refusal(.messageProcessing, "this server knows no such request")
        default:
            try checkThread()
            throw Refusal(.messageProcessing, "this server knows no such request")
        }
    }

    private func start(_ message: JSON) throws(Refusal) -> Request.Start {
        let name = message["agent_name"]
        if name?.string == "non_existent_agent" || name?.string == "nonexistent_agent" {
            throw Refusal(.agentExecution, "there is no such agent")
        }
        let claimed = message["user_id"] ?? .null
        if claimed.isNull, !lacksUserCheck { throw Refusal(.authentication, "the request has no user_id") }
        if let claimed = claimed.string, !claimed.isEmpty, !identical(claimed, user) {
            throw Refusal(.authentication, "user_id is not the user of this connection")
        }
        guard claimed.isNull || claimed.isText, isTextOrAbsent(name), isTextOrAbsent(message["thread_id"]),
            isTextOrAbsent(message["request_id"]), message["message"]?.string != nil || message["message"] == nil
        else { throw Refusal(.messageProcessing, "a field of the request has the wrong type") }
        try checkThread()
        guard let agent = Agent(rawValue: name?.string ?? Agent.assistant.rawValue) else {
            throw Refusal(.agentExecution, "there is no such agent")
        }
        return Request.Start(
            agent: agent, thread: message["thread_id"]?.string, message: message["message"]?.string ?? "",
            requestID: message["request_id"], room: servesRooms ? message.text("room_id") : nil)
    }

    private func room(_ type: String, _ message: JSON) throws(Refusal) -> RoomRequest {
        guard let room = message.text("room_id") else { throw Refusal(.messageProcessing, "\(type) needs a room_id") }
        try checkThread()
        switch type {
        case "join_room": return .join(room)
        case "leave_room": return .leave(room)
        default:
            guard let text = message["message"]?.string else { throw Refusal(.messageProcessing, "room_message needs a message") }
            return .say(room, text)
        }
    }

    /// Tools are called by agents, so a client's call is refused whatever it names. Only the impossible tool gets the
    /// kind that may also end a run: an error of that kind, naming no run, could be read as the end of one under way.
    private func tool(_ message: JSON) throws(Refusal) -> Refusal {
        if message["tool_name"]?.string == "invalid_tool" { return Refusal(.toolExecution, "there is no such tool") }
        try checkThread()
        if message.text("tool_name") == nil { return Refusal(.messageProcessing, "tool_executing needs a tool_name") }
        return Refusal(.messageProcessing, "tools are called by agents, not by clients")
    }

    private func connectionTest(_ message: JSON) throws(Refusal) -> Refusal {
        if message["action"]?.string == "force_disconnect" {
            return Refusal(.connection, "the connection was disturbed on request")
        }
        try checkThread()
        return Refusal(.messageProcessing, "connection_test knows the action force_disconnect only")
    }

    /// Unknown threads are refused like foreign ones, so that nobody can find out which exist.
    private func checkThread() throws(Refusal) {
        switch claim {
        case nil, .own: return
        case .foreign where lacksThreadCheck: return
        case .foreign, .unknown: throw Refusal(.authentication, "the thread is not one of yours")
        }
    }

    private func isTextOrAbsent(_ value: JSON?) -> Bool { value == nil || value?.isText == true }
}

extension JSON {
    /// A non-empty string, the `<text>` of the contract.
    var isText: Bool { string.map { !$0.isEmpty } ?? false }

    func text(_ key: String) -> String? {
        guard let text = self[key]?.string, !text.isEmpty else { return nil }
        return text
    }
}

/// The same bytes. Swift's `==` on strings takes canonically equal ones for equal, which two names of users are not.
func identical(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }
