import Journaling
import NIOCore
import Plans
import Wire

/// What each verb does, and when it has ended.
extension PlayMachine {
    mutating func begin(_ index: Int, _ now: Instant) {
        let step = plan.steps[index]
        guard let user = step.user else { return finish(index, .ok, now, now) }
        if let reason = lacking[user] { return finish(index, .cannot(reason), now, now) }
        switch step.verb {
        case .connect(let path, let name, let headers):
            connect(index, user: user, name: name ?? step.connection, path: path, headers: headers, now)
        case .reconnect(let cursor): reconnect(index, user: user, name: step.connection, cursor: cursor, now)
        case .together: finish(index, .ok, now, now)
        default:
            guard let id = line(of: user, step.connection) else {
                return finish(index, .cannot("\(user) has no connection"), now, now)
            }
            begin(step.verb, index, user: user, on: id, now)
        }
    }

    private mutating func begin(_ verb: Plan.Verb, _ index: Int, user: String, on id: Int, _ now: Instant) {
        switch verb {
        case .send(let json): send(json: json, index, user, id, now)
        case .sendText(let text): send(text: text, index, user, id, now)
        case .sendBytes(let bytes):
            var output = ClientMachine.Output()
            output.bytes = ByteBuffer(bytes: bytes)
            sendRaw(output, index, user, id, now)
        case .frames(let texts): send(texts, index, user, id, now)
        case .until(let events, let bound):
            resume(id)
            wait(Active(index: index, began: now, due: now.advanced(by: patience(bound)), wanted: events, line: id), now)
        case .quiet(let length):
            resume(id)
            lines[id].cursor = lines[id].arrivals.count
            wait(Active(index: index, began: now, due: now.advanced(by: length), line: id), now)
        case .pauseReading:
            lines[id].isPaused = true
            commands.append(.reads(id, false))
            finish(index, .ok, now, now)
        case .cut(let style): cut(style, index, id, now)
        case .close(let code, let reason):
            guard lines[id].client.isOpen, lines[id].ended == nil, !lines[id].isFinished else {
                return finish(index, .cannot(lines[id].trouble ?? "the connection is not open"), now, now)
            }
            acted[user] = now
            var output = ClientMachine.Output()
            lines[id].client.close(code: UInt16(clamping: code), reason: reason, into: &output)
            perform(output, on: id)
            finish(index, .ok, now, now)
        case .connect, .reconnect, .together: break
        }
    }

    /// The newest connection of that name.
    private func line(of user: String, _ name: String?) -> Int? {
        lines.last { $0.user == user && $0.name == name }?.id
    }

    private mutating func resume(_ id: Int) {
        guard lines[id].isPaused else { return }
        lines[id].isPaused = false
        commands.append(.reads(id, true))
    }

    // Connecting

    private mutating func connect(
        _ index: Int, user: String, name: String?, path: String, headers: [Plan.Header], _ now: Instant
    ) {
        acted[user] = now
        do throws(PlanTemplate.Unbound) {
            let target = try render(PlanTemplate(text: path), for: user)
            var filled: [Plan.Header] = []
            for header in headers {
                filled.append(Plan.Header(name: header.name, value: try render(PlanTemplate(text: header.value), for: user)))
            }
            guard let credential = credentials[user], let token = variables[user]?.credential else { return }
            let opening = minter.opening(
                host: settings.host, path: target, credential: credential, token: token, headers: filled)
            let ordinal = lines.count { $0.user == user } + 1
            let dice = WireDice(
                seed: settings.seed, user: settings.cast.principal(of: user), connection: UInt64(clamping: ordinal))
            let id = lines.count
            lines.append(Line(id: id, user: user, name: name, client: ClientMachine(opening, dice: dice)))
            openings[id] = (path, headers)
            openingLabels.append(plan.steps[index].number)
            commands.append(.connect(id))
            wait(Active(index: index, began: now, due: now.advanced(by: Self.connectBound), line: id), now)
        } catch {
            finish(index, .cannot("nothing has bound \(error.reference) yet"), now, now)
        }
    }

    private mutating func reconnect(_ index: Int, user: String, name: String?, cursor: String?, _ now: Instant) {
        guard let old = line(of: user, name), let (path, headers) = openings[old] else {
            return finish(index, .cannot("\(user) was not connected before"), now, now)
        }
        guard let place = cursorName else {
            return finish(index, .cannot("the contract's cursor is no part of a query"), now, now)
        }
        var output = ClientMachine.Output()
        if lines[old].client.isOpen {
            lines[old].client.close(code: 1000, reason: "", into: &output)
            perform(output, on: old)
        }
        let query = cursor.map { (path.contains("?") ? "&" : "?") + place + "=" + $0 } ?? ""
        connect(index, user: user, name: name, path: path + query, headers: headers, now)
        // A second reconnect asks with its own cursor, not with both.
        if let newest = lines.last, newest.id != old { openings[newest.id] = (path, headers) }
    }

    /// Where the server looks for a cursor: `delivery.resume.by`. Nil: elsewhere than in the query.
    private var cursorName: String? {
        switch settings.contract?.delivery?.resume?.by.kind {
        case .query(let name)?: name
        case nil: "cursor"
        default: nil
        }
    }

    private mutating func cut(_ style: String, _ index: Int, _ id: Int, _ now: Instant) {
        guard lines[id].isAlive else {
            return finish(index, .cannot(lines[id].trouble ?? "the connection is gone"), now, now)
        }
        acted[lines[id].user] = now
        switch style {
        case "reset":
            commands.append(.reset(id))
            lines[id].ended = .reset
        case "half":
            lines[id].isFinished = true
            commands.append(.finish(id))
        default:
            lines[id].isSilent = true
            commands.append(.reads(id, false))
        }
        finish(index, .ok, now, now)
    }

    // Sending

    mutating func render(_ template: PlanTemplate, for user: String) throws(PlanTemplate.Unbound) -> String {
        var mine = variables[user]
        let binding = binding
        let tokens = variables
        let lacking = lacking
        let text = try template.render(
            value: { reference in
                if reference.run == nil, reference.path == ["credential"] {
                    let owner = reference.user ?? user
                    return lacking[owner] != nil ? nil : tokens[owner].map { .string($0.credential) }
                }
                return binding.value(of: reference, for: user)
            },
            variable: { mine?.text(of: $0) ?? "" })
        variables[user] = mine
        return text
    }

    private mutating func send(json: String, _ index: Int, _ user: String, _ id: Int, _ now: Instant) {
        do { try sendText(render(PlanTemplate(json: json), for: user), index, user, id, now) } catch {
            let reason = (error as? PlanTemplate.Unbound).map { "nothing has bound \($0.reference) yet" }
            finish(index, .cannot(reason ?? "the message is not JSON"), now, now)
        }
    }

    private mutating func send(text: String, _ index: Int, _ user: String, _ id: Int, _ now: Instant) {
        do throws(PlanTemplate.Unbound) {
            sendText(try render(PlanTemplate(text: text), for: user), index, user, id, now)
        } catch {
            finish(index, .cannot("nothing has bound \(error.reference) yet"), now, now)
        }
    }

    private mutating func sendText(_ text: String, _ index: Int, _ user: String, _ id: Int, _ now: Instant) {
        guard lines[id].client.isOpen, lines[id].ended == nil, !lines[id].isFinished else {
            return finish(index, .cannot(lines[id].trouble ?? "the connection is not open"), now, now)
        }
        acted[user] = now
        var output = ClientMachine.Output()
        lines[id].client.send(.text, ByteBuffer(string: text), into: &output)
        perform(output, on: id)
        finish(index, .ok, now, now)
    }

    private mutating func send(_ texts: [Plan.FrameText], _ index: Int, _ user: String, _ id: Int, _ now: Instant) {
        do throws(PlanTemplate.Unbound) {
            var frames: [Frame] = []
            for text in texts { frames.append(try frame(text, user, id)) }
            var output = ClientMachine.Output()
            if lines[id].phase != .dialling { lines[id].client.write(frames, into: &output) }
            sendRaw(output, index, user, id, now)
        } catch {
            finish(index, .cannot("nothing has bound \(error.reference) yet"), now, now)
        }
    }

    private mutating func frame(_ text: Plan.FrameText, _ user: String, _ id: Int) throws(PlanTemplate.Unbound) -> Frame {
        let payload =
            switch text.payload {
            case .text(let words): ByteBuffer(string: try render(PlanTemplate(text: words), for: user))
            case .bytes(let bytes): ByteBuffer(bytes: bytes)
            }
        let key: UInt32? =
            switch text.mask {
            case .drawn: lines[id].client.drawMask()
            case .none: nil
            case .key(let key): key
            }
        var frame = Frame(fin: text.fin, rsv: text.rsv, opcode: text.opcode, maskKey: key, payload: payload)
        if let length = text.length {
            frame.lengthForm = length.form
            frame.declaredLength = length.value
        }
        return frame
    }

    /// Bytes that need no answer to the upgrade, only a transport that takes them.
    private mutating func sendRaw(
        _ output: ClientMachine.Output, _ index: Int, _ user: String, _ id: Int, _ now: Instant
    ) {
        guard lines[id].phase != .dialling, lines[id].isAlive, !lines[id].isFinished else {
            return finish(index, .cannot(lines[id].trouble ?? "the connection is not there"), now, now)
        }
        acted[user] = now
        perform(output, on: id)
        finish(index, .ok, now, now)
    }

    // Waiting

    private func patience(_ wanted: Duration) -> Duration {
        let bound = min(wanted, settings.mostPatience ?? wanted)
        guard let allowed = settings.missesAllowed, misses >= allowed else { return bound }
        return min(bound, max(bound / 10, .milliseconds(60)))
    }

    private mutating func wait(_ step: Active, _ now: Instant) { settle(step, now) }

    mutating func finish(_ index: Int, _ outcome: StepResult.Outcome, _ began: Instant, _ now: Instant) {
        outcomes[index] = end(index, outcome, began: began, now)
    }

    /// Ends the step if it can end by now, else keeps it among the active ones.
    mutating func settle(_ step: Active, _ now: Instant) {
        guard let id = step.line else { return }
        switch plan.steps[step.index].verb {
        case .until: settleUntil(step, id, now)
        case .quiet:
            if let first = lines[id].arrivals.dropFirst(lines[id].cursor).first {
                finish(step.index, .failed("got \(Self.name(first)) at \(Self.time(step.began, first.at))"), step.began, now)
            } else if now >= step.due {
                finish(step.index, .ok, step.began, now)
            } else {
                active.append(step)
            }
        default:
            if case .unreachable(let reason) = lines[id].phase {
                finish(step.index, .cannot(reason), step.began, now)
            } else if lines[id].phase != .dialling {
                finish(step.index, .ok, step.began, now)
            } else if now >= step.due {
                lines[id].phase = .unreachable("no connection within \(Self.connectBound.components.seconds) s")
                finish(step.index, .cannot("no connection"), step.began, now)
            } else {
                active.append(step)
            }
        }
    }

    private mutating func settleUntil(_ step: Active, _ id: Int, _ now: Instant) {
        var wanted = step.wanted.filter { lines[id].state($0) != true }
        var last: Int?
        for index in lines[id].arrivals.indices.dropFirst(lines[id].cursor) where !wanted.isEmpty {
            guard lines[id].arrivals[index].at <= step.due else { break }
            let names = lines[id].arrivals[index].names
            if let met = wanted.firstIndex(where: { Self.isMet($0, by: names) && lines[id].state($0) == nil }) {
                wanted.remove(at: met)
                last = index
            }
        }
        if wanted.isEmpty {
            if let last { lines[id].cursor = last + 1 }
            return finish(step.index, .ok, step.began, now)
        }
        let isMissed = wanted.contains { lines[id].isMissed($0) }
        guard isMissed || now >= step.due else { return active.append(step) }
        if !isMissed, let later = putOff(step, now) { return active.append(later) }
        let outcome = miss(wanted, on: id, step)
        lines[id].cursor = lines[id].arrivals.count
        misses += 1
        finish(step.index, outcome, step.began, now)
    }

    /// A guard that did not hold in time, while whoever judges has not decided what that means.
    private func putOff(_ step: Active, _ now: Instant) -> Active? {
        let limit = step.limit ?? step.due.advanced(by: settings.reprieve)
        guard isUndecided, misses < 4, now < limit else { return nil }
        var later = step
        later.limit = limit
        later.due = now.advanced(by: .milliseconds(50))
        return later
    }

    /// What came instead of what was waited for.
    private func miss(_ wanted: [String], on id: Int, _ step: Active) -> StepResult.Outcome {
        let line = lines[id]
        if wanted.contains("open"), let trouble = line.trouble { return .cannot(trouble) }
        if line.phase == .dialling || line.phase == .asked, line.trouble == nil, wanted.contains("open") {
            return .failed("the upgrade was not answered")
        }
        if wanted.contains("refused"), line.phase == .accepted {
            return .failed("open at \(Self.time(acted[line.user] ?? step.began, line.answeredAt ?? step.began))")
        }
        let since = acted[line.user] ?? step.began
        for other in lines where other.user != line.user {
            let instead = other.arrivals.first { arrival in
                arrival.at >= since && wanted.contains { Self.isMet($0, by: arrival.names) }
            }
            if let found = instead {
                return .failed("\(other.user) got \(Self.name(found)) at \(Self.time(since, found.at))")
            }
        }
        if let trouble = line.trouble { return .failed(trouble) }
        let came = line.arrivals.dropFirst(line.cursor)
        if came.isEmpty { return .failed("nothing came") }
        let names = came.prefix(3).map(Self.name).joined(separator: ", ")
        return .failed("got \(names)" + (came.count > 3 ? " and \(came.count - 3) more" : ""))
    }

    /// `agent_completed|error` is met by either.
    private static func isMet(_ wanted: String, by names: [String]) -> Bool {
        wanted.split(separator: "|").contains { names.contains(String($0)) }
    }

    private static func name(_ arrival: Line.Arrival) -> String { arrival.names.first ?? "a message" }

    private static func time(_ from: Instant, _ to: Instant) -> String {
        let nanoseconds = max(0, from.duration(to: to).nanoseconds)
        return nanoseconds < 1_000_000 ? "<1 ms" : "\(nanoseconds / 1_000_000) ms"
    }
}
