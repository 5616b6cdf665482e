import Journaling
import Wire

/// One answer of an agent, under way.
struct Run: Sendable {
    let id: String
    let thread: String
    let user: String
    /// The connection that asked for it.
    let connection: BackendConnectionID
    /// The connection that gets its events; nil when that is gone and its user has not asked to resume yet.
    var listener: BackendConnectionID?
    /// Counts up with every start.
    let number: UInt64
    let requestID: JSON?
    let agent: Agent
    let message: String
    var script: [Agent.Step]
    /// The next step of the script.
    var position = 0
    /// Calls begun and not ended, in order: name and id.
    var calls: [ToolCall] = []
    /// The room that gets its events.
    var room: String?
    /// A tool has raised.
    var raised = false

    var usesTools: Bool {
        script.contains { step in if case .open = step.move { true } else { false } }
    }
}

/// One use of a tool, named by an id of its own.
struct ToolCall: Sendable {
    let tool: String
    let id: String
    let opened: Instant

    var fields: EventFields { ["tool_call_id": .string(id), "tool_name": .string(tool)] }
}
