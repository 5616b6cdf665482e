import Journaling
import Wire

/// One answer of an agent, under way.
struct Run: Sendable {
    let id: String
    let thread: String
    let user: String
    let connection: BackendConnectionID
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
    var since = Instant.zero

    var fields: EventFields { ["tool_call_id": .string(id), "tool_name": .string(tool)] }
}

/// A conversation; it belongs to who opened it.
struct ConversationThread: Sendable {
    let owner: String
    /// What the ids of the thread and of all its runs have in common, such as `chat_1757371363786`.
    let stem: String
    var lastSequence = 0
}

/// The threads known, each for as long as 100,000 newer ones have not come.
struct ThreadTable: Sendable {
    static let limit = 100_000
    private var threads: [String: ConversationThread] = [:]
    private var order: [String] = []
    private var oldest = 0

    subscript(_ id: String) -> ConversationThread? { threads[id] }

    mutating func insert(_ thread: ConversationThread, id: String) {
        threads[id] = thread
        order.append(id)
        guard order.count - oldest > Self.limit else { return }
        threads[order[oldest]] = nil
        oldest += 1
        if oldest > Self.limit {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    /// Counts by one for each event of a thread.
    mutating func nextSequence(in id: String) -> Int? {
        guard var thread = threads[id] else { return nil }
        thread.lastSequence += 1
        threads[id] = thread
        return thread.lastSequence
    }
}
