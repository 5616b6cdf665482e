import Journaling
import Wire

/// Runs that end otherwise than by their script, and the way of their events to whom they are for.
extension BackendMachine {
    /// Ends a run of this user's at its own request, on whichever of the user's connections it is asked.
    mutating func cancel(
        _ name: String, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) throws(Refusal) {
        let user = connections[id]?.user ?? ""
        if var run = aftermath.failed(name), identical(run.user, user) {
            aftermath.drop(name)
            run.listener = run.listener ?? id
            mark(
                .completedAfterError, .triggered, on: id, user: user, request: run.requestID, type: "agent_completed", &effects)
            return tell("agent_completed", of: run, ["status": "cancelled", "result": ""], at: now, &effects)
        }
        guard var run = runs[name], identical(run.user, user) else {
            throw Refusal(.messageProcessing, "no such run is under way")
        }
        run.listener = run.listener ?? id
        leaveTools(of: &run, on: id, at: now, &effects)
        finish(run, status: "cancelled", result: "", at: now, &effects)
    }

    /// B07: tools that are at work for long are left to themselves, and nobody waits for them.
    private mutating func leaveTools(
        of run: inout Run, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard has(.lateTool) else { return }
        mark(.lateTool, .reached, on: id, user: run.user, request: run.requestID, type: "tool_completed", &effects)
        let late = run.calls.filter { $0.opened.duration(to: now) >= Self.toolPatience }
        guard !late.isEmpty else { return }
        run.calls.removeAll { call in late.contains { $0.id == call.id } }
        mark(.lateTool, .triggered, on: id, user: run.user, request: run.requestID, type: "tool_completed", &effects)
        aftermath.leave(late, of: run)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .milliseconds(30)))
    }

    /// The agent gives up: an error that names the run is its end, and calls still open are moot.
    mutating func abort(_ run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        forget(run)
        let sequence = threads.nextSequence(in: run.thread)
        emit(events.failure(of: run, sequence: sequence, at: now), sequence, of: run, at: now, &effects)
        guard has(.completedAfterError) else { return }
        mark(
            .completedAfterError, .reached, on: run.connection, user: run.user, request: run.requestID,
            type: "agent_completed", &effects)
        aftermath.keepFailed(run)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .seconds(2)))
    }

    /// A run's words in their order. W5: while others are under way those of the oldest are held back a little, so that
    /// words of other runs overtake them.
    mutating func emit(
        _ event: JSON, _ sequence: Int?, of run: Run, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        let word = Aftermath.Word(event: event, sequence: sequence)
        guard plays(.mixedRuns) else { return deliver(word, of: run, at: now, &effects) }
        if aftermath.isHeld(thread: run.thread) { return aftermath.hold(word, of: run) }
        let runsHere = run.listener.flatMap { connections[$0]?.runs } ?? []
        let others = runsHere.filter { $0 != run.id }.compactMap { runs[$0] }
        mark(.mixedRuns, .reached, on: run.connection, user: run.user, request: run.requestID, type: "event", &effects)
        let isOvertaken = runsHere.first == run.id && !others.isEmpty && !others.contains { $0.thread == run.thread }
        guard isOvertaken else { return deliver(word, of: run, at: now, &effects) }
        mark(.mixedRuns, .triggered, on: run.connection, user: run.user, request: run.requestID, type: "event", &effects)
        timers.set(.aftermath(run: run.id), at: now.advanced(by: .milliseconds(8)))
        aftermath.hold(word, of: run)
    }

    private mutating func deliver(_ word: Aftermath.Word, of run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        let bytes = word.event.buffer
        if let sequence = word.sequence { threads.keep(bytes, sequence: sequence, in: run.thread) }
        if let room = run.room {
            share(word.event, in: room, by: run.user, from: run.connection, at: now, &effects)
            // Who left still gets the answer.
            let listener = (runs[run.id] ?? run).listener
            if rooms.isMember(run.user, of: room), let listener, connections[listener]?.isOpen == true { return }
        }
        if let id = mailbox(of: run, word.event["type"]?.string ?? "", &effects), connections[id]?.speaks == true {
            send(Frame(opcode: .text, payload: bytes), to: id, &effects)
            if connections[id]?.speaks == true { return }
        }
        if let sequence = word.sequence { threads.miss(sequence, in: run.thread) }
    }

    private func mailbox(_ run: Run) -> BackendConnectionID? {
        mailboxes[run.user.lowercased()].flatMap { connections[$0]?.isOpen == true ? $0 : nil }
    }

    private mutating func mailbox(of run: Run, _ type: String, _ effects: inout [BackendEffect]) -> BackendConnectionID? {
        // Another connection may have taken it over.
        guard has(.foldedUserNames), let found = mailbox(run) else { return (runs[run.id] ?? run).listener }
        mark(.foldedUserNames, .reached, on: run.connection, user: run.user, request: run.requestID, type: type, &effects)
        if !identical(connections[found]?.user ?? "", run.user) {
            mark(.foldedUserNames, .triggered, on: run.connection, user: run.user, request: run.requestID, type: type, &effects)
        }
        return found
    }

    /// Nothing waits for a connection that goes, or that comes and is told what was.
    mutating func sayWhatWaits(for user: String, at now: Instant, _ effects: inout [BackendEffect]) {
        for run in aftermath.holders(of: user) {
            for held in aftermath.release(by: run) { deliver(held.word, of: held.run, at: now, &effects) }
        }
    }

    mutating func settleAftermath(of name: String, at now: Instant, _ effects: inout [BackendEffect]) {
        for held in aftermath.release(by: name) { deliver(held.word, of: held.run, at: now, &effects) }
        guard let rest = aftermath.drop(name) else { return }
        for call in rest.late { tell("tool_completed", of: rest.run, call.fields + ["status": "ok"], at: now, &effects) }
    }
}

/// What runs leave behind when they are over, or while they wait.
struct Aftermath: Sendable {
    struct Word: Sendable {
        var event: JSON
        /// Its number in its thread.
        var sequence: Int?
    }
    struct Rest: Sendable {
        var run: Run
        /// Calls that end behind the run.
        var late: [ToolCall] = []
        var isFailed = false
    }
    /// The words of a thread stay in their order, whichever of its runs they are of.
    struct Queue: Sendable {
        /// The run with whose time they go.
        var holder: String
        var held: [(word: Word, run: Run)] = []
    }
    private var rests: [String: Rest] = [:]
    private var queues: [String: Queue] = [:]

    func isAwaited(_ run: String) -> Bool { rests[run] != nil || queues.values.contains { $0.holder == run } }
    func isHeld(thread: String) -> Bool { queues[thread] != nil }
    func failed(_ run: String) -> Run? { rests[run].flatMap { $0.isFailed ? $0.run : nil } }

    mutating func hold(_ word: Word, of run: Run) { queues[run.thread, default: Queue(holder: run.id)].held.append((word, run)) }
    /// All that waits for that run's time.
    mutating func release(by run: String) -> [(word: Word, run: Run)] {
        guard let thread = queues.first(where: { $0.value.holder == run })?.key else { return [] }
        return queues.removeValue(forKey: thread)?.held ?? []
    }
    /// Whose time words of that user wait for.
    func holders(of user: String) -> [String] {
        queues.values.filter { queue in queue.held.contains { $0.run.user == user } }.map(\.holder).sorted()
    }
    mutating func leave(_ calls: [ToolCall], of run: Run) { rests[run.id, default: Rest(run: run)].late += calls }
    mutating func keepFailed(_ run: Run) { rests[run.id, default: Rest(run: run)].isFailed = true }

    @discardableResult mutating func drop(_ run: String) -> Rest? { rests.removeValue(forKey: run) }
    mutating func forget(_ connection: BackendConnectionID) { rests = rests.filter { $0.value.run.listener != connection } }
}
