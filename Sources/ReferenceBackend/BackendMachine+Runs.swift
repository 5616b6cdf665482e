import Journaling
import Wire

/// The life of a run: its start at once, then its script, step by step.
extension BackendMachine {
    mutating func begin(
        _ start: Request.Start, _ message: JSON, on id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) throws(Refusal) {
        guard let connection = connections[id] else { return }
        if connection.runs.count >= Self.runLimit {
            throw Refusal(.messageProcessing, "too many runs are under way on this connection")
        }
        if let room = start.room { try requireMember(connection.user, of: room) }
        markShortcuts(start, message, on: id, user: connection.user, &effects)
        let thread = start.thread ?? openThread(connection.user, at: now)
        let number = nextNumber()
        // What an agent does depends on who asks and how often, never on the process: what was recorded of one server can
        // be compared with another.
        var dice = Dice(
            DiceKey(seed: 0, profile: "backend", user: connection.user, connection: connection.begun), direction: nil,
            message: 0, fault: "script")
        let stem = runStem(in: thread, start, on: id, connection.user, &effects)
        var run = Run(
            id: "run_\(stem)_\(number)", thread: thread, user: connection.user, connection: id, listener: id, number: number,
            requestID: start.requestID, agent: start.agent, message: Redaction.hideTokens(in: start.message),
            script: start.agent.script(
                message: start.message, more: plays(.slowTool) ? .milliseconds(400) : .zero, dice: &dice))
        run.room = start.room
        runs[run.id] = run
        connections[id]?.runs.append(run.id)
        connections[id]?.begun &+= 1
        let fields: EventFields = ["agent_name": .string(start.agent.rawValue)]
        tell("agent_started", of: run, fields + leftover(for: run, &effects), at: now, &effects)
        schedule(run, from: now)
    }

    /// A request that only a bug lets through leaves its mark.
    private mutating func markShortcuts(
        _ start: Request.Start, _ message: JSON, on id: BackendConnectionID, user: String,
        _ effects: inout [BackendEffect]
    ) {
        func note(_ bug: BackendBug, _ stage: BackendMark.Stage) {
            mark(bug, stage, on: id, user: user, request: start.requestID, type: "agent_started", &effects)
        }
        if has(.successWithoutUser) {
            note(.successWithoutUser, .reached)
            if message.given("user_id") == nil { note(.successWithoutUser, .triggered) }
        }
        if has(.foreignThreadAccepted), let thread = start.thread {
            note(.foreignThreadAccepted, .reached)
            if claim(thread, by: user) == .foreign { note(.foreignThreadAccepted, .triggered) }
        }
    }

    /// What its id has in common with the thread's; with B27 it comes from elsewhere.
    private mutating func runStem(
        in thread: String, _ start: Request.Start, on id: BackendConnectionID, _ user: String,
        _ effects: inout [BackendEffect]
    ) -> String {
        let stem = threads[thread]?.stem ?? "chat_0"
        guard has(.twoGenerators) else { return stem }
        for stage in [BackendMark.Stage.reached, .triggered] {
            mark(.twoGenerators, stage, on: id, user: user, request: start.requestID, type: "agent_started", &effects)
        }
        return "factory_\(configuration.epoch &+ Int64(truncatingIfNeeded: counter))"
    }

    private mutating func openThread(_ user: String, at now: Instant) -> String {
        let number = nextNumber()
        let stem = "chat_\(configuration.epoch.addingReportingOverflow(now.nanoseconds / 1_000_000).partialValue)"
        let id = "thread_\(stem)_\(number)_\(tail(number))"
        threads.insert(ConversationThread(owner: user, stem: stem), id: id)
        return id
    }

    private mutating func schedule(_ run: Run, from instant: Instant) {
        guard run.position < run.script.count else { return }
        timers.set(.step(run: run.id), at: instant.advanced(by: run.script[run.position].pause))
    }

    mutating func step(_ id: String, due: Instant, at now: Instant, _ effects: inout [BackendEffect]) {
        guard var run = runs[id], run.position < run.script.count else { return }
        let move = run.script[run.position].move
        run.position += 1
        runs[id] = run
        switch move {
        case .think(let text): tell("agent_thinking", of: run, ["content": .string(text)], at: now, &effects)
        case .partial(let text): tell("partial_result", of: run, ["content": .string(text)], at: now, &effects)
        case .report(let text): tell("final_report", of: run, ["content": .string(text)], at: now, &effects)
        case .open(let tool):
            let call = ToolCall(tool: tool, id: "call_\(nextNumber())", opened: due)
            run.calls.append(call)
            runs[id] = run
            if plays(.slowTool) {
                for stage in [BackendMark.Stage.reached, .triggered] {
                    mark(.slowTool, stage, on: run.connection, user: run.user, request: run.requestID, type: "tool_executing", &effects)
                }
            }
            tell("tool_executing", of: run, call.fields, at: now, &effects)
        case .close(let tool, let raised): endCall(of: tool, raised: raised, in: &run, due: due, at: now, &effects)
        case .retry(let tool): failTry(of: tool, in: &run, at: now, &effects)
        case .complete: return complete(run, at: now, &effects)
        case .abort: return abort(run, at: now, &effects)
        }
        schedule(run, from: due)
    }

    private mutating func endCall(
        of tool: String, raised: Bool, in run: inout Run, due: Instant, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let place = run.calls.firstIndex(where: { $0.tool == tool }) else { return }
        var call = run.calls.remove(at: place)
        run.raised = run.raised || raised
        runs[run.id] = run
        if has(.exchangedCallIDs), let other = run.calls.first {
            for stage in [BackendMark.Stage.reached, .triggered] {
                mark(
                    .exchangedCallIDs, stage, on: run.connection, user: run.user, request: run.requestID,
                    type: "tool_completed", &effects)
            }
            call = ToolCall(tool: call.tool, id: other.id, opened: call.opened)
        }
        var fields = call.fields
        fields += raised ? ["status": "failed", "reason": "the tool raised an exception"] : ["status": "ok"]
        tell("tool_completed", of: run, fields, at: now, &effects)
        if has(.answerBroadcast) { broadcast(run, call, due: due, at: now, &effects) }
    }

    /// A try that failed ends like any call; the next is a call of its own.
    private mutating func failTry(
        of tool: String, in run: inout Run, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let place = run.calls.firstIndex(where: { $0.tool == tool }) else { return }
        let call = run.calls.remove(at: place)
        runs[run.id] = run
        if has(.failedTryWithoutEnd) {
            for stage in [BackendMark.Stage.reached, .triggered] {
                mark(
                    .failedTryWithoutEnd, stage, on: run.connection, user: run.user, request: run.requestID,
                    type: "tool_completed", &effects)
            }
            return
        }
        tell(
            "tool_completed", of: run, call.fields + ["status": "failed", "reason": "no answer; it is tried again"], at: now,
            &effects)
    }

    private mutating func complete(_ run: Run, at now: Instant, _ effects: inout [BackendEffect]) {
        if has(.completionMissingAfterToolError), run.usesTools {
            func note(_ stage: BackendMark.Stage) {
                mark(
                    .completionMissingAfterToolError, stage, on: run.connection, user: run.user, request: run.requestID,
                    type: "agent_completed", &effects)
            }
            note(.reached)
            if run.raised {
                note(.triggered)
                return forget(run)
            }
        }
        let status = run.raised ? "completed_with_tool_errors" : "completed"
        finish(run, status: status, result: "You said: " + run.message, at: now, &effects)
    }

    /// The end of a run: calls still open are ended first, and nothing of the run comes behind `agent_completed`.
    mutating func finish(
        _ run: Run, status: String, result: String, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        forget(run)
        for call in run.calls.reversed() {
            tell("tool_completed", of: run, call.fields + ["status": "cancelled"], at: now, &effects)
        }
        tell(
            "agent_completed", of: run, ["status": .string(status), "result": .string(result)], at: now, &effects)
    }

    mutating func forget(_ run: Run) {
        runs[run.id] = nil
        if let id = run.listener { connections[id]?.runs.removeAll { $0 == run.id } }
    }

    mutating func tell(
        _ type: String, of run: Run, _ fields: EventFields, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        let sequence = threads.nextSequence(in: run.thread)
        emit(events.event(type, of: run, sequence: sequence, fields: fields, at: now), sequence, of: run, at: now, &effects)
    }
}
