import Contracts
import Faults
import Journaling
import NIOCore
import NIOPosix
import Oracles
import Plans
import ProxyRuntime
import Wire

/// One plan being played: users as a play machine, sessions as session machines with the plan's faults, the server over
/// sockets, and a judge that reads the journal while it is written. It performs what machines say and invents nothing.
/// Confined to its event loop.
final class InlineCase {
    /// What all cases of a stage share.
    struct Ground {
        let loop: any EventLoop
        let addresses: [SocketAddress]
        let limits: Limits
        let transcript: Transcriber.Configuration
        let judge: Judge
        let memory: CaseMemory
    }
    enum Work {
        case play(PlayMachine.Event)
        case session(Int, SessionEvent)
        case call(() -> Void)
    }
    enum Act: Equatable {
        case playing
        /// Every step has ended; the judge may still wait for something.
        case settling(since: Instant)
        /// Users leave.
        case leaving(since: Instant)
        case over
    }

    /// Silence shorter than this is no silence: faults hold things back.
    private static let quiet = Duration.milliseconds(50)

    let ground: Ground
    let options: CaseOptions
    let machines: SessionConfiguration
    private let patience: Duration
    private let begun = NIODeadline.now()
    var now = Instant.zero
    var play: PlayMachine
    private var journal: InlineJournal
    var weight: CaseWeight
    var sessions = InlineSessions()
    let directory = SessionDirectory()
    let mayCross: Bool
    var queue: [Work] = []
    private var dirty: [InlineLink] = []
    private var output = SessionOutput()
    /// Bytes of the step under way that no server took.
    private var undelivered: UInt64 = 0
    var commands: [PlayMachine.Command] = []
    private var isBusy = false
    var act = Act.playing
    var playWake: Instant?
    private var alarm: (at: Instant, task: Scheduled<Void>)?
    private var entriesAtLook = -1
    /// When something was done last.
    private var lastWork = Instant.zero
    private var saidIdle = false
    /// Time without a processor to spare while the judge waited: it credits bounds with it, so patience is longer as well.
    private var crowdedWait = Duration.zero
    /// The judge is not asked before that while nothing happens.
    private var askAt = Instant.zero
    private var entriesAtAsking = -1
    var unreachable: [String] = []
    private var isCut = false
    private var flood: Flood?
    private var isDrowned = false
    private let finished: (CaseRun) -> Void

    init(
        _ plan: Plan, _ options: CaseOptions, settings: PlayMachine.Settings, machines: SessionConfiguration,
        patience: Duration, on ground: Ground, finished: @escaping (CaseRun) -> Void
    ) {
        self.ground = ground
        self.options = options
        self.machines = machines
        self.patience = patience
        self.finished = finished
        mayCross = machines.profile?.faults.isEmpty == false
        play = PlayMachine(plan, settings: settings)
        journal = InlineJournal(ground.transcript, judge: ground.judge)
        weight = CaseWeight(ground.memory, most: options.mostMemory)
    }

    var isOver: Bool { act == .over }
    private var present: Instant { Instant(nanoseconds: (NIODeadline.now() - begun).nanoseconds) }

    func start() {
        journal.tick(crowded: 0, at: .zero)
        if let calibration = options.calibration { journal.tell(.calibrated(calibration), at: .zero) }
        handle(.play(.begin))
    }

    // MARK: Running machines

    func tell(_ event: SessionEvent, _ session: Int) { handle(.session(session, event)) }
    func later(_ body: @escaping () -> Void) { handle(.call(body)) }
    func flushLater(_ link: InlineLink) { dirty.append(link) }

    /// Called again from within it only queues, so that no machine is entered while another acts.
    private func handle(_ work: Work) {
        if act == .over { return }
        queue.append(work)
        if isBusy { return }
        isBusy = true
        now = max(now, present)
        lastWork = now
        var next = 0
        while next < queue.count || !dirty.isEmpty, !weight.isTooMuch {
            while next < queue.count, !weight.isTooMuch {
                switch queue[next] {
                case .play(let event): stepPlay(event)
                case .session(let index, let event): step(index, event)
                case .call(let body): body()
                }
                next += 1
            }
            let links = dirty
            dirty.removeAll(keepingCapacity: true)
            for link in links { link.flush() }
        }
        queue.removeAll(keepingCapacity: next < 1_024)
        isBusy = false
        if weight.isTooMuch { return drown() }
        look()
        arm()
    }

    private func step(_ index: Int, _ event: SessionEvent) {
        guard !sessions[index].isOver else { return }
        sessions[index].machine.handle(event, at: now, into: &output)
        if !output.entries.isEmpty {
            weight.add(output.entries)
            journal.take(output.entries, at: now)
        }
        var next = 0
        while next < output.commands.count {
            perform(output.commands[next], index)
            next += 1
        }
        output.removeAll()
        if undelivered > 0 {
            // At once: the end of the session may be queued already, and nothing follows its totals.
            let count = undelivered
            undelivered = 0
            step(index, .undelivered(.server, count))
        }
        if case .closed = event {
            sessions[index].isOver = true
            directory.remove(sessions[index].id)
            for visit in sessions[index].visits { queue.append(.session(visit, .leave)) }
        } else if sessions[index].isVisit {
            // No user of a play will say that it has ended.
            endIfOver(index)
        }
    }

    /// A connection of ours.
    private func open(_ visit: Visit, _ index: Int) {
        guard sessions.count < ground.limits.sessions, act != .over else {
            return queue.append(.session(index, .visited(number: visit.number, nil, refused: "L7: \(sessions.count) sessions are open")))
        }
        let number = sessions.nextVisit
        let id = SessionID(UInt32(clamping: number + 1))
        let ours = InlineSession(id: id, machine: SessionMachine(configuration: machines, id: id, visit: visit))
        ours.isUserGone = true
        sessions.append(visit: ours)
        sessions[index].visits.append(number)
        queue.append(.session(index, .visited(number: visit.number, id, refused: nil)))
        queue.append(.session(number, .accepted(visit.opened(as: id))))
    }

    private func perform(_ command: SessionCommand, _ index: Int) {
        switch command {
        case .connect: dial(index)
        case .write(.client, let bytes): writeToUser(bytes, index)
        case .write(.server, let bytes):
            undelivered &+= sessions[index].server?.write(bytes) ?? UInt64(clamping: bytes.readableBytes)
        case .flush: break
        case .finish(.client), .truncate(.client): endTowardsUser(index)
        case .finish(.server), .truncate(.server): sessions[index].server?.finish()
        // No hop here speaks TLS, and the machine knows it.
        case .secure: break
        case .close(.client, let style): closeUser(style, index)
        case .close(.server, let style): closeServer(style, index)
        case .reads(.client, let on):
            sessions[index].takesFromUser = on
            if on { queue.append(.call { self.takeFromUser(index) }) }
        case .reads(.server, let on): sessions[index].server?.setReads(on)
        case .cross(let crossing): cross(crossing, index)
        case .answer(let crossing, let refused): answer(crossing, refused)
        case .visit(let visit): open(visit, index)
        case .rouse: for other in sessions.indices where other != index { queue.append(.session(other, .roused)) }
        case .wake(let instant): sessions[index].wakeAt = instant
        // Its machines follow no exchanges.
        case .succeed: break
        case .label(let text):
            if mayCross { directory.list(.init(session: sessions[index].id, loop: 0, label: text)) }
        }
    }

    // MARK: Crossings

    private func cross(_ crossing: Crossing, _ index: Int) {
        guard let place = directory.partner(for: crossing) else {
            return queue.append(.session(index, .crossingRefused(crossing, reason: "no live session of another user")))
        }
        var crossing = crossing
        crossing.partner = place.label
        let partner = Int(place.session.value) - 1
        guard sessions.has(partner), !sessions[partner].isOver else {
            return queue.append(.session(index, .crossingRefused(crossing, reason: "the partner's session had ended")))
        }
        queue.append(.session(partner, .crossed(crossing)))
    }

    private func answer(_ crossing: Crossing, _ refused: String?) {
        let index = Int(crossing.from.value) - 1
        guard sessions.has(index), !sessions[index].isOver else { return }
        queue.append(.session(index, refused.map { .crossingRefused(crossing, reason: $0) } ?? .crossingTaken(crossing)))
    }

    // MARK: Time

    /// One task a case, for the earliest of all its wakes.
    private func arm() {
        guard act != .over else { return }
        var soonest = playWake ?? .distantFuture
        for session in sessions where !session.isOver { soonest = min(soonest, session.wakeAt ?? .distantFuture) }
        guard soonest < .distantFuture else { return }
        if let alarm, alarm.at <= soonest { return }
        alarm?.task.cancel()
        let task = ground.loop.assumeIsolated().scheduleTask(deadline: begun + .nanoseconds(soonest.nanoseconds)) {
            self.ring()
        }
        alarm = (soonest, task)
    }

    private func ring() {
        alarm = nil
        guard act != .over else { return }
        now = max(now, present)
        if let wake = playWake, wake <= now {
            playWake = nil
            play.isUndecided = options.reprieve > .zero && journal.conclude().pending > 0
            handle(.play(.wake))
        }
        for index in sessions.indices {
            guard !sessions[index].isOver, let wake = sessions[index].wakeAt, wake <= now else { continue }
            sessions[index].wakeAt = nil
            tell(.wake, index)
        }
        arm()
    }

    /// Called by the stage every 100 ms with what the machine was short of, and more often while cases settle.
    func tick(crowded: UInt64) {
        guard act != .over else { return }
        now = max(now, present)
        journal.tick(crowded: crowded, at: now)
        if case .settling = act { crowdedWait = min(crowdedWait + .nanoseconds(Int64(clamping: crowded)), patience * 2) }
        look()
    }

    /// Asks whether this case has come to its end.
    func look() {
        guard act != .over, !isBusy else { return }
        now = max(now, present)
        if case .leaving(let since) = act { return leave(since) }
        if let isEnough = options.isEnough, journal.newFindings().contains(where: isEnough) { return stop(cut: false) }
        guard case .settling(let since) = act else { return sayIdle() }
        guard since.duration(to: now) >= Self.quiet else { return }
        if since.duration(to: now) > patience + crowdedWait { return stop(cut: true) }
        let count = journal.entries.count
        defer { entriesAtLook = count }
        guard entriesAtLook == count || lastEntryIsOld else { return }
        if sessions.allSatisfy(\.isOver) { return stop(cut: false) }
        guard entriesAtAsking != count || now >= askAt else { return }
        if journal.conclude().pending == 0 { return stop(cut: false) }
        // What is pending is mostly a deadline; asking costs as much as judging some entries.
        entriesAtAsking = count
        askAt = now.advanced(by: since.duration(to: now) / 4)
    }

    private func sayIdle() {
        guard !saidIdle, let idle = options.idle, lastWork.duration(to: now) >= idle else { return }
        saidIdle = true
        options.onIdle?()
    }

    private var lastEntryIsOld: Bool {
        journal.entries.last.map { $0.instant.duration(to: now) >= Self.quiet } ?? true
    }

    /// Users leave; what is undecided stays so.
    func stop(cut: Bool) {
        switch act {
        case .leaving, .over: return
        case .playing, .settling: break
        }
        isCut = cut
        act = .leaving(since: now)
        handle(.play(.finish))
    }

    private func leave(_ since: Instant) {
        if sessions.allSatisfy(\.isOver) { return conclude() }
        let waited = since.duration(to: now)
        if waited > .milliseconds(1_300) {
            for index in sessions.indices where !sessions[index].isOver {
                leaveUser(index)
                closeServer(.reset, index)
            }
        }
        if waited > .milliseconds(1_600) { conclude() }
    }

    /// More is there than may be held: whoever sends as fast as it can fills the memory before anybody looks, so it
    /// ends at once, and what is undecided stays so.
    private func drown() {
        isCut = true
        isDrowned = true
        if weight.isFlood {
            flood = Flood(
                entries: weight.entries, bytes: weight.bytes, asked: weight.asked, connections: sessions.count,
                took: Instant.zero.duration(to: now))
        }
        conclude()
    }

    private func conclude() {
        guard act != .over else { return }
        act = .over
        alarm?.task.cancel()
        let servers = sessions.compactMap(\.server)
        journal.finish(at: now)
        let entries = journal.entries
        var run = CaseRun(
            steps: play.results, judgement: named(journal.conclude()),
            entries: !isDrowned ? entries : CaseWeight.beginning(of: entries), took: Instant.zero.duration(to: now))
        for entry in entries {
            guard case .frame(let frame) = entry.body, frame.message != nil else { continue }
            if frame.passage.direction == .toServer { run.sent += 1 } else { run.received += 1 }
        }
        for session in sessions { run.bytesReceived &+= session.server?.bytesIn ?? 0 }
        run.connections = sessions.count
        run.cast = options.cast
        run.openings = play.openingLabels
        run.unreachable = unreachable
        run.isCut = isCut
        run.flood = flood
        // Sockets that are slow to close still know this case.
        journal = InlineJournal(ground.transcript, judge: ground.judge)
        for session in sessions { session.forget(machines) }
        queue = []
        weight.release()
        finished(run)
        for server in servers { if !isDrowned { server.closeNow() } else { server.close(.reset) } }
    }

    /// Principals of this play alone get the names that the plan gave them.
    private func named(_ judgement: Judgement) -> Judgement {
        if options.keepsPrincipals { return judgement }
        let names = options.cast.principals.sorted { $0.value.count > $1.value.count }.filter { $0.key != $0.value }
        guard !names.isEmpty else { return judgement }
        func plain(_ text: String) -> String { names.reduce(text) { $0.replacing($1.value, with: $1.key) } }
        var judgement = judgement
        for index in judgement.findings.indices {
            judgement.findings[index].sentence = plain(judgement.findings[index].sentence)
            judgement.findings[index].expected = plain(judgement.findings[index].expected)
            judgement.findings[index].found = plain(judgement.findings[index].found)
            judgement.findings[index].users = judgement.findings[index].users.map(plain)
        }
        return judgement
    }
}
