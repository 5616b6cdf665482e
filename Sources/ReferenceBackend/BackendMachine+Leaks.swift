import Journaling
import Wire

/// B11 and B14: what one user said, told to another.
extension BackendMachine {
    /// B11: a tool that takes longer than this is slow.
    static let slowTool = Duration.milliseconds(4)
    /// B14: contexts in turn, so that each is used again so many sessions later.
    private static let contexts: UInt64 = 50

    /// Whoever waits for an answer as well hears this one, as a part of his own.
    mutating func broadcast(_ run: Run, _ call: ToolCall, due: Instant, at now: Instant, _ effects: inout [BackendEffect]) {
        mark(.answerBroadcast, .reached, on: run.connection, user: run.user, request: run.requestID, type: "partial_result", &effects)
        guard call.opened.duration(to: due) >= Self.slowTool, !run.message.isEmpty else { return }
        let others = runs.values.filter { !identical($0.user, run.user) && !$0.calls.isEmpty }
        for other in others.sorted(by: { $0.id < $1.id }) {
            mark(
                .answerBroadcast, .triggered, on: other.connection, user: other.user, request: other.requestID,
                type: "partial_result", &effects)
            tell("partial_result", of: other, ["content": .string("You said: " + run.message)], at: now, &effects)
        }
    }

    /// The peer is gone without a Close: the context stays as it is.
    mutating func keepContext(of id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard let connection = connections[id], connection.isOpen, !connection.context.isEmpty else { return }
        mark(.contextReused, .reached, on: id, user: connection.user, type: "agent_started", &effects)
        contexts[connection.ordinal % Self.contexts] = Leftover(user: connection.user, text: connection.context)
    }

    mutating func takeContext(_ ordinal: UInt64) -> Leftover? { contexts.removeValue(forKey: ordinal % Self.contexts) }

    /// What the first run of a session finds in its context, and leaves there.
    mutating func leftover(for run: Run, _ effects: inout [BackendEffect]) -> EventFields {
        guard has(.contextReused) else { return [:] }
        connections[run.connection]?.context = run.message
        guard let found = connections[run.connection]?.leftover else { return [:] }
        connections[run.connection]?.leftover = nil
        if !identical(found.user, run.user) {
            mark(.contextReused, .triggered, on: run.connection, user: run.user, request: run.requestID, type: "agent_started", &effects)
        }
        return ["context": .string(found.text)]
    }
}
