import Journaling
import NIOCore
import Wire

/// What of a session waits for other sessions, or is done in common with them.
struct Meetings: Sendable {
    struct Wait: Sendable {
        let number: Int
        let direction: Direction
        let waiting: Waiting
        /// The round of a gathering.
        let round: UInt64
        let member: String
        var record: FaultRecord
        let since: Instant
        /// What ended it, when that was not time.
        var reason: String?
    }
    /// The next cut of a storm.
    struct Squall: Sendable {
        /// Id of the rule.
        let fault: String
        let storm: Storm
        let round: Int
        let due: Instant
    }
    var waits: [Wait] = []
    var last = 0
    var squalls: [Squall] = []
    /// Counted among those who are connected, by that name.
    var label: String?
    /// Its open runs, as they are counted there.
    var runs = 0
    /// Cuts before that are none of this session's.
    var since = Instant.zero

    var due: Instant { squalls.reduce(.distantFuture) { min($0, $1.due) } }
}

extension SessionMachine {
    /// What the session counts as among others.
    private var member: String { user ?? "\(id)" }

    // MARK: Waiting

    mutating func wait(
        _ bytes: ByteBuffer, _ kind: RawEntry.Piece, _ provenance: Provenance, _ waiting: Waiting, _ step: Step, of ref: EntryRef,
        _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let armed = trigger.rules[rule]
        var record = armed.record(direction == .toServer ? .serverOut : .clientOut, on: ref)
        let pieces = kind == .frame ? Self.frames(bytes) : [bytes]
        for piece in pieces.dropLast() { depart(piece, .departure(kind, provenance), direction, until: nil, at: now, &output) }
        guard let last = pieces.last else { return }
        if self[direction].isShut { return ends.lost(direction.destination, last.readableBytes) }
        var name = member
        var until = now.advanced(by: waiting.most)
        var round: UInt64 = 0
        if case .gathering(let needed, let apart) = waiting.occasion {
            if !apart { name = "\(id)" }
            guard let joined = configuration.rendezvous.join(armed.rule.id, name, needed: needed, most: waiting.most, at: now) else {
                record.applied = false
                record.detail = "\(name) waits there already"
                note(.fault(record), at: now, &output)
                return depart(last, .departure(kind, provenance), direction, until: nil, at: now, &output)
            }
            (round, until) = (joined.round, joined.until)
        }
        meetings.last += 1
        meetings.waits.append(
            Meetings.Wait(
                number: meetings.last, direction: direction, waiting: waiting, round: round, member: name, record: record, since: now))
        if case .gathering = waiting.occasion {} else { configuration.rendezvous.countWaiting(by: 1) }
        queue(
            .bytes(last, .departure(kind, provenance)), direction, until: until,
            [Hold(fault: armed.rule.id, until: until)], wait: meetings.last, at: now, &output)
        // The last one lets all go.
        if lookAgain(at: now), case .gathering = waiting.occasion { rouse(&output) }
    }

    private mutating func rouse(_ output: inout SessionOutput) {
        flushBoth(&output)
        output.commands.append(.rouse)
    }

    /// Lets go what has what it waited for.
    /// - Returns: whether there was something.
    private mutating func lookAgain(at now: Instant) -> Bool {
        var isAny = false
        for index in meetings.waits.indices where meetings.waits[index].reason == nil {
            let wait = meetings.waits[index]
            guard let reason = occasion(for: wait) else { continue }
            meetings.waits[index].reason = reason
            self[wait.direction].outbox.release(wait: wait.number, at: now)
            isAny = true
        }
        return isAny
    }

    /// What it waited for, when that is there.
    private func occasion(for wait: Meetings.Wait) -> String? {
        let rendezvous = configuration.rendezvous
        switch wait.waiting.occasion {
        case .gathering(let needed, let apart):
            return rendezvous.isFull(wait.record.id, wait.round) ? "\(needed) \(apart ? "users" : "sessions") are there" : nil
        case .others(let needed): return rendezvous.others(than: wait.member) >= needed ? "\(needed) others are connected" : nil
        case .run: return rendezvous.isRunning(otherThan: wait.member) ? "a run of another user is open" : nil
        }
    }

    /// It leaves its place: what came first says why.
    /// - Parameter reason: nil = what it waited for, or time.
    mutating func waited(_ number: Int, _ reason: String?, at now: Instant, _ output: inout SessionOutput) {
        guard let place = meetings.waits.firstIndex(where: { $0.number == number }) else { return }
        let wait = meetings.waits.remove(at: place)
        if case .gathering = wait.waiting.occasion {
            configuration.rendezvous.quit(wait.record.id, wait.round, wait.member)
        } else {
            configuration.rendezvous.countWaiting(by: -1)
        }
        var record = wait.record
        record.held = max(.zero, wait.since.duration(to: now))
        let why = reason ?? wait.reason ?? "nobody else came in time"
        record.detail = "held \(record.held.nanoseconds / 1_000_000) ms: \(why)"
        note(.fault(record), at: now, &output)
    }

    // MARK: Among others

    /// The session is accepted: others may wait for that, and what is done to all is done to it too.
    mutating func meet(at now: Instant, _ output: inout SessionOutput) {
        guard !configuration.joins.isEmpty, !trigger.isOff else { return }
        if configuration.joins.contains(.presence) || configuration.joins.contains(.runs) {
            meetings.label = member
            if configuration.rendezvous.count(connected: member, by: 1) { rouse(&output) }
        }
        meetings.since = now
        joinStorms(at: now)
    }

    /// A message passed here: runs begin and end.
    mutating func sawMessage(_ message: LiftedMessage, _ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        trigger.saw(message, direction)
        guard configuration.joins.contains(.runs), trigger.openRuns != meetings.runs, phase != .over else { return }
        let change = trigger.openRuns - meetings.runs
        meetings.runs = trigger.openRuns
        if configuration.rendezvous.count(runs: member, by: change), change > 0 { rouse(&output) }
    }

    mutating func roused(at now: Instant, _ output: inout SessionOutput) {
        if !meetings.waits.isEmpty { _ = lookAgain(at: now) }
        if configuration.joins.contains(.storms), phase == .relaying { joinStorms(at: now) }
    }

    /// Faults that are no more keep nothing waiting, and cut nobody.
    mutating func retireMeetings(_ gone: [String]) {
        meetings.squalls.removeAll { gone.contains($0.fault) }
        for index in meetings.waits.indices where meetings.waits[index].reason == nil && gone.contains(meetings.waits[index].record.id) {
            meetings.waits[index].reason = "the fault was taken away"
        }
    }

    mutating func leaveMeetings() {
        if let label = meetings.label { _ = configuration.rendezvous.count(connected: label, by: -1) }
        meetings.label = nil
        if meetings.runs > 0 { _ = configuration.rendezvous.count(runs: member, by: -meetings.runs) }
        meetings.runs = 0
    }

    // MARK: Storms

    mutating func begin(_ storm: Storm, _ step: Step, at now: Instant, _ output: inout SessionOutput) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule) else { return }
        let id = trigger.rules[rule].rule.id
        guard configuration.rendezvous.begin(storm, of: id, at: now) else { return }
        rouse(&output)
        joinStorms(at: now)
        // Nothing goes on behind the message that began it.
        squallsDue(at: now, &output)
    }

    private mutating func joinStorms(at now: Instant) {
        guard !trigger.isOff, toServer.mode != .raw(.opaque) else { return }
        for index in trigger.rules.indices {
            let armed = trigger.rules[index]
            guard armed.concerned, armed.joins.contains(.storms), !trigger.isExpired(armed, at: now),
                !meetings.squalls.contains(where: { $0.fault == armed.rule.id }),
                let cut = configuration.rendezvous.cut(of: armed.rule.id, at: meetings.since)
            else { continue }
            meetings.squalls.append(Meetings.Squall(fault: armed.rule.id, storm: cut.storm, round: cut.round, due: cut.due))
        }
    }

    /// Cuts whose time has come: the connection goes, whatever waits on it.
    mutating func squallsDue(at now: Instant, _ output: inout SessionOutput) {
        guard meetings.due <= now else { return }
        let due = meetings.squalls.filter { $0.due <= now }
        meetings.squalls = []
        meetings.since = now.advanced(by: .nanoseconds(1))
        guard let squall = due.first, let rule = trigger.rules.firstIndex(where: { $0.rule.id == squall.fault }),
            trigger.spend(rule)
        else { return }
        let armed = trigger.rules[rule]
        let how =
            switch squall.storm.style {
            case .reset: "reset"
            case .half: "ended without a Close"
            case .close(let code): "closed with \(code)"
            }
        note(.fault(armed.record(.clientOut, on: nil, "\(how), \(squall.round + 1) of \(squall.storm.times)")), at: now, &output)
        switch squall.storm.style {
        case .reset: cut(Side.allCases.map { .init(side: $0, style: .reset) }, fault: armed.rule.id, at: now, &output)
        case .half: cut(Side.allCases.map { .init(side: $0, style: .half) }, fault: armed.rule.id, at: now, &output)
        case .close(let code):
            say(Goodbye(code: code, fault: armed.rule.id), .toClient, at: now, &output)
            say(Goodbye(code: 1001, fault: armed.rule.id), .toServer, at: now, &output)
            overBy(.fault, cause: armed.rule.id, server: .half, at: now, &output)
        }
    }

    private struct Goodbye {
        var code: UInt16
        var fault: String
    }

    /// A Close of ours, where one may stand: not within a frame, and not before what waits.
    private mutating func say(_ goodbye: Goodbye, _ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard phase == .relaying, self[direction].isClear, !self[direction].isShut, self[direction].isBetweenMessages else { return }
        let close = Message(
            direction: direction, opcode: .close, payload: CloseBody(code: goodbye.code).payload, ordinal: 0,
            entry: EntryRef(session: id, ordinal: 0), changed: true)
        depart(
            encode(close, direction), .made(Provenance(faults: [goodbye.fault])), direction, until: nil, at: now, &output)
    }
}
