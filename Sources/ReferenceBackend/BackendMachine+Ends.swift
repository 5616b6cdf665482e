import Journaling
import Wire

/// Runs that end otherwise than by their script, and the way of their events to whom they are for.
extension BackendMachine {
    /// Ends a run of this user's at its own request, on whichever of the user's connections it is asked.
    mutating func cancel(
        _ name: String, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) throws(Refusal) {
        let user = connections[id]?.user ?? ""
        if let run = aftermath.failed(name), identical(run.user, user) {
            aftermath.drop(name)
            mark(
                .completedAfterError, .triggered, on: id, user: user, request: run.requestID, type: "agent_completed", &effects)
            return tell("agent_completed", of: run, ["status": "cancelled", "result": ""], at: now, &effects)
        }
        guard var run = runs[name], identical(run.user, user) else {
            throw Refusal(.messageProcessing, "no such run is under way")
        }
        leaveTools(of: &run, on: id, at: now, &effects)
        finish(run, status: "cancelled", result: "", at: now, &effects)
    }

    /// B07: tools that are at work for long are left to themselves, and nobody waits for them.
    private mutating func leaveTools(
        of run: inout Run, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard has(.lateTool) else { return }
        mark(.lateTool, .reached, on: id, user: run.user, request: run.requestID, type: "tool_completed", &effects)
        let late = run.calls.filter { $0.since.duration(to: now) >= Self.toolPatience }
        guard !late.isEmpty else { return }
        run.calls.removeAll { call in late.contains { $0.id == call.id } }
        mark(.lateTool, .triggered, on: id, user: run.user, request: run.requestID, type: "tool_completed", &effects)
        aftermath.leave(late, of: run)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .milliseconds(30)))
    }

    /// The agent gives up: an error that names the run is its end, and calls still open are moot.
    mutating func abort(_ run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        forget(run)
        emit(events.failure(of: run, at: now), of: run, at: now, &effects)
        guard has(.completedAfterError) else { return }
        mark(
            .completedAfterError, .reached, on: run.connection, user: run.user, request: run.requestID,
            type: "agent_completed", &effects)
        aftermath.keepFailed(run)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .seconds(2)))
    }

    /// A run's words in their order. W5: while others are under way those of the oldest are held back a little, so that
    /// words of other runs overtake them.
    mutating func emit(_ event: JSON, of run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        guard plays(.mixedRuns) else { return deliver(event, of: run, at: now, &effects) }
        if aftermath.isHeld(run) { return aftermath.hold(event, of: run) }
        let runsHere = connections[run.connection]?.runs ?? []
        let others = runsHere.filter { $0 != run.id }.compactMap { runs[$0] }
        mark(.mixedRuns, .reached, on: run.connection, user: run.user, request: run.requestID, type: "event", &effects)
        let isOvertaken = runsHere.first == run.id && !others.isEmpty && !others.contains { $0.thread == run.thread }
        guard isOvertaken || aftermath.isHeld(thread: run.thread) else { return deliver(event, of: run, at: now, &effects) }
        mark(.mixedRuns, .triggered, on: run.connection, user: run.user, request: run.requestID, type: "event", &effects)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .milliseconds(8)))
        aftermath.hold(event, of: run)
    }

    private mutating func deliver(_ event: JSON, of run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        if let room = run.room {
            share(event, in: room, from: run.connection, at: now, &effects)
            // Who left still gets the answer.
            if rooms.isMember(run.user, of: room) { return }
        }
        say(event, to: mailbox(of: run, event["type"]?.string ?? "", &effects), &effects)
    }

    private func mailbox(_ run: Run) -> BackendConnectionID? {
        mailboxes[run.user.lowercased()].flatMap { connections[$0]?.isOpen == true ? $0 : nil }
    }

    private mutating func mailbox(of run: Run, _ type: String, _ effects: inout [BackendEffect]) -> BackendConnectionID {
        guard has(.foldedUserNames), let found = mailbox(run) else { return run.connection }
        mark(.foldedUserNames, .reached, on: run.connection, user: run.user, request: run.requestID, type: type, &effects)
        if !identical(connections[found]?.user ?? "", run.user) {
            mark(.foldedUserNames, .triggered, on: run.connection, user: run.user, request: run.requestID, type: type, &effects)
        }
        return found
    }

    mutating func settleAftermath(of name: String, at now: Instant, _ effects: inout [BackendEffect]) {
        guard let rest = aftermath.drop(name) else { return }
        for event in rest.held { deliver(event, of: rest.run, at: now, &effects) }
        for call in rest.late { tell("tool_completed", of: rest.run, call.fields + ["status": "ok"], at: now, &effects) }
    }
}

/// What runs leave behind when they are over, or while they wait.
struct Aftermath: Sendable {
    struct Rest: Sendable {
        var run: Run
        /// Events not sent yet.
        var held: [JSON] = []
        /// Calls that end behind the run.
        var late: [ToolCall] = []
        var isFailed = false
    }
    private var rests: [String: Rest] = [:]

    func isAwaited(_ run: String) -> Bool { rests[run] != nil }
    func isHeld(_ run: Run) -> Bool { rests[run.id]?.held.isEmpty == false }
    /// The words of a thread stay in their order as well.
    func isHeld(thread: String) -> Bool { rests.contains { $0.value.run.thread == thread && !$0.value.held.isEmpty } }
    func failed(_ run: String) -> Run? { rests[run].flatMap { $0.isFailed ? $0.run : nil } }

    mutating func hold(_ event: JSON, of run: Run) { rests[run.id, default: Rest(run: run)].held.append(event) }
    mutating func leave(_ calls: [ToolCall], of run: Run) { rests[run.id, default: Rest(run: run)].late += calls }
    mutating func keepFailed(_ run: Run) { rests[run.id, default: Rest(run: run)].isFailed = true }

    @discardableResult mutating func drop(_ run: String) -> Rest? { rests.removeValue(forKey: run) }
    mutating func forget(_ connection: BackendConnectionID) { rests = rests.filter { $0.value.run.connection != connection } }
}
