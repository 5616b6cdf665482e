package import Contracts
package import Journaling
package import NIOCore
package import Plans
import Wire

/// Plays a plan as a function of what arrives: which steps begin, what each user sends, what became of each step. It
/// owns no socket and no clock, so that sockets and the simulator drive the very same logic.
///
/// Steps are played in file order, and a step begins when the one before it has ended; what lies between a `send` and
/// its `until` is how users overlap. Steps named by `together` wait until the last of them is reached and are then
/// begun at the same instant; the next step waits for all of them. `connect` ends when the upgrade request is written,
/// `send` and `close` when the bytes are handed over. `until` takes the events of its connection in the order in which
/// they came, from behind the last one that an earlier `until` took; each name in it needs an event of its own, and
/// `a|b` takes either. Besides events of the contract it knows `open`, `refused`, `answered` (either of them), `closed` and `ended`. A guard that
/// does not hold lets the play go on.
package struct PlayMachine: Sendable {
    package enum Event: Sendable {
        case begin
        /// The transport that was asked for is there / could not be had.
        case connected(Int)
        case connectFailed(Int, String)
        case received(Int, ByteBuffer)
        case ended(Int, EndStyle)
        case wake
        /// Close every connection in an orderly way.
        case finish
    }
    package enum Command: Sendable {
        case connect(Int)
        case write(Int, ByteBuffer)
        /// End our side behind what was written.
        case finish(Int)
        case reset(Int)
        case reads(Int, Bool)
        case wake(at: Instant)
        /// All steps have ended; connections stay.
        case played
        /// Nothing is open any more.
        case over
    }
    package struct Settings: Sendable {
        /// For the Host field.
        package var host: String
        package var contract: Contract?
        package var seed: UInt64
        package var key: [UInt8]
        /// Seconds since 1970.
        package var epoch: Int64
        /// After so many guards that did not hold, every later one is given a tenth of its bound, at least 60 ms: a
        /// server that answers nothing shall not make a long plan take minutes. Nil = each guard has its whole bound.
        package var missesAllowed: Int?
        /// No guard waits longer than that, whatever the plan says; nil = as long as it says.
        package var mostPatience: Duration?
        /// Who the plan's users are to the server.
        package var cast = Cast()
        /// By a step's label: at least so long after the same user's last act, or after the beginning, it is begun.
        package var gaps: [Int: Duration] = [:]
        /// By a step's label: while the driver says that something is undecided, it is begun only so long after.
        package var rests: [Int: Duration] = [:]
        /// While the driver says that something is undecided, a guard that is due waits so much longer.
        package var reprieve = Duration.zero
        package init(host: String, contract: Contract?, seed: UInt64, key: [UInt8], epoch: Int64) {
            self.host = host
            self.contract = contract
            self.seed = seed
            self.key = key
            self.epoch = epoch
        }
    }

    /// A step that was begun and has not ended.
    struct Active: Sendable {
        var index: Int
        var began: Instant
        var due: Instant
        /// Until then it may be put off.
        var limit: Instant?
        /// Events still to come.
        var wanted: [String] = []
        var line: Int?
    }

    /// Bounds for what a plan does not bound itself.
    static let connectBound = Duration.seconds(6)
    static let farewellBound = Duration.seconds(1)

    let plan: Plan
    let settings: Settings
    let minter: Minter
    let recognizer: Recognizer?
    /// Steps in a barrier, by label: the barrier's members as indices in file order.
    let barriers: [Int: [Int]]
    var lines: [Line] = []
    /// Path and headers of each connection as the plan writes them, for `reconnect`.
    var openings: [Int: (path: String, headers: [Plan.Header])] = [:]
    var binding: Binding
    /// Label of the step that opened each line.
    var openingLabels: [Int] = []
    var variables: [String: Variables] = [:]
    var credentials: [String: CredentialPlan] = [:]
    /// Why there is no credential such as the plan wants, by user: nothing can be played for them.
    var lacking: [String: String] = [:]
    /// When a user last did something; what came instead is told from then on.
    var acted: [String: Instant] = [:]
    var next = 0
    var active: [Active] = []
    var outcomes: [StepResult?]
    /// Guards that did not hold.
    var misses = 0
    var hasBegun = false
    var saidPlayed = false
    var farewell: Instant?
    var isOver = false
    var woken: Instant?
    var commands: [Command] = []
    /// Whoever judges this play waits for something yet; told by the driver.
    package var isUndecided = false
    private var begun = Instant.zero
    /// The step for which the driver has been asked whether anything is undecided.
    private var asked: (step: Int, at: Instant)?
    /// The next step may not be begun before.
    private var nextAt: Instant?

    package init(_ plan: Plan, settings: Settings) {
        self.plan = plan
        self.settings = settings
        minter = Minter(contract: settings.contract, key: settings.key, epoch: settings.epoch)
        recognizer = settings.contract.map { Recognizer($0) }
        binding = Binding(contract: settings.contract, principals: settings.cast.principals)
        outcomes = Array(repeating: nil, count: plan.steps.count)
        var barriers: [Int: [Int]] = [:]
        for case .together(let labels) in plan.steps.map(\.verb) {
            let members = plan.steps.indices.filter { labels.contains(plan.steps[$0].number) }
            for index in members { barriers[plan.steps[index].number] = members }
        }
        self.barriers = barriers
        for user in plan.users {
            let credential = CredentialPlan(user.credential) ?? CredentialPlan("none")
            let variant = credential?.variant ?? .intact
            let principal = settings.cast.principal(of: user.name)
            var token: String?
            if let given = settings.cast.tokens[user.name] {
                token = GivenCredential.text(given, variant)
                if token == nil { lacking[user.name] = "the credential given for \(user.name) cannot be made \(variant.rawValue)" }
            } else {
                token = minter.token(for: principal, variant)
            }
            credentials[user.name] = credential
            variables[user.name] = Variables(
                seed: settings.seed, user: principal, credential: token ?? "", epoch: settings.epoch)
        }
    }

    /// Ended steps in file order.
    package var results: [StepResult] { outcomes.compactMap { $0 } }
    package var isPlayed: Bool { hasBegun && next >= plan.steps.count && active.isEmpty }

    package mutating func handle(_ event: Event, at now: Instant, into output: inout [Command]) {
        switch event {
        case .begin:
            hasBegun = true
            begun = now
        case .connected(let id): connected(id)
        case .connectFailed(let id, let reason): if lines.indices.contains(id) { lines[id].phase = .unreachable(reason) }
        case .received(let id, let bytes): received(id, bytes, now)
        case .ended(let id, let style): ended(id, style)
        case .wake: break
        case .finish: bidFarewell(now)
        }
        if hasBegun { advance(now) }
        conclude(now)
        schedule()
        output += commands
        commands.removeAll(keepingCapacity: true)
    }

    private mutating func connected(_ id: Int) {
        guard lines.indices.contains(id), lines[id].phase == .dialling, lines[id].ended == nil else { return }
        lines[id].phase = .asked
        commands.append(.write(id, lines[id].client.open()))
    }

    private mutating func ended(_ id: Int, _ style: EndStyle) {
        guard lines.indices.contains(id), lines[id].ended == nil else { return }
        lines[id].ended = style
        if style == .finish, !lines[id].isFinished, !lines[id].isSilent {
            lines[id].isFinished = true
            commands.append(.finish(id))
        }
    }

    private mutating func received(_ id: Int, _ bytes: ByteBuffer, _ now: Instant) {
        guard lines.indices.contains(id), !lines[id].isSilent else { return }
        var output = ClientMachine.Output()
        lines[id].client.receive(bytes, into: &output)
        for event in output.events { note(event, on: id, now) }
        perform(output, on: id)
    }

    private mutating func note(_ event: ClientMachine.Event, on id: Int, _ now: Instant) {
        switch event {
        case .accepted:
            lines[id].phase = .accepted
            lines[id].answeredAt = now
        case .refused(let status):
            lines[id].phase = .refused(status)
            lines[id].answeredAt = now
            // Nothing can come of this transport any more; the server's own end follows its answer.
            if !lines[id].isFinished {
                lines[id].isFinished = true
                commands.append(.finish(id))
            }
        case .close(let code, _): lines[id].closeCode = .some(code)
        case .broken(let reason): lines[id].broken = reason
        case .message(let opcode, let payload):
            guard let recognizer else {
                let value = opcode == .text ? JSON.decode(payload).value : nil
                if let value { binding.observe(value, user: lines[id].user) }
                return arrive([value?["type"]?.string].compactMap { $0 }, on: id, at: now)
            }
            for read in recognizer.recogniseAll(payload, opcode: opcode, direction: .toClient) {
                if let value = read.value { binding.observe(value, user: lines[id].user) }
                arrive([read.name, read.type].compactMap { $0 }, on: id, at: now)
            }
        }
    }

    private mutating func arrive(_ names: [String], on id: Int, at now: Instant) {
        guard lines[id].arrivals.count < Line.mostArrivals else { return }
        lines[id].arrivals.append(Line.Arrival(names: names, at: now))
    }

    mutating func perform(_ output: ClientMachine.Output, on id: Int) {
        guard !lines[id].isSilent, !lines[id].isFinished else { return }
        if output.bytes.readableBytes > 0 { commands.append(.write(id, output.bytes)) }
        if output.finish {
            lines[id].isFinished = true
            commands.append(.finish(id))
        }
    }

    /// Ends what can end and begins what can begin, until nothing moves.
    private mutating func advance(_ now: Instant) {
        while true {
            let waiting = active
            active = []
            for step in waiting { settle(step, now) }
            guard active.isEmpty, next < plan.steps.count else { break }
            let index = next
            nextAt = paced(plan.steps[index], now)
            if let nextAt, now < nextAt { break }
            nextAt = nil
            next += 1
            let members = barriers[plan.steps[index].number] ?? [index]
            // Members of a barrier wait for the last of them.
            guard index == members.last else { continue }
            for member in members { begin(member, now) }
        }
        if isPlayed, !saidPlayed {
            saidPlayed = true
            commands.append(.played)
        }
    }

    private mutating func paced(_ step: Plan.Step, _ now: Instant) -> Instant? {
        guard let user = step.user else { return nil }
        let last = acted[user] ?? begun
        let gap = settings.gaps[step.number] ?? .zero
        if let rest = settings.rests[step.number], rest > gap {
            let first = last.advanced(by: gap)
            if now < first { return first }
            // The driver tells with every wake, so there has to be one.
            if asked?.step != step.number { asked = (step.number, now.advanced(by: .milliseconds(20))) }
            if let asked, now < asked.at { return asked.at }
            let end = last.advanced(by: rest)
            return isUndecided && now < end ? min(end, now.advanced(by: .milliseconds(50))) : nil
        }
        return gap > .zero ? last.advanced(by: gap) : nil
    }

    func end(_ index: Int, _ outcome: StepResult.Outcome, began: Instant, _ now: Instant) -> StepResult {
        StepResult(
            number: plan.steps[index].number, outcome: outcome, started: began, took: began.duration(to: now))
    }

    private mutating func bidFarewell(_ now: Instant) {
        guard farewell == nil else { return }
        farewell = now.advanced(by: Self.farewellBound)
        hasBegun = true
        next = plan.steps.count
        nextAt = nil
        for step in active { outcomes[step.index] = end(step.index, .cannot("the play was stopped"), began: step.began, now) }
        active = []
        for id in lines.indices where lines[id].isAlive {
            var output = ClientMachine.Output()
            if lines[id].isSilent || lines[id].phase == .dialling || lines[id].phase == .asked {
                commands.append(.reset(id))
                lines[id].ended = .reset
            } else {
                commands.append(.reads(id, true))
                lines[id].client.close(code: 1000, reason: "", into: &output)
                perform(output, on: id)
            }
        }
    }

    /// After the farewell: over once every transport has ended, or time is up.
    private mutating func conclude(_ now: Instant) {
        guard let farewell, !isOver else { return }
        if now >= farewell {
            for id in lines.indices where lines[id].isAlive {
                commands.append(.reset(id))
                lines[id].ended = .reset
            }
        }
        guard now >= farewell || !lines.contains(where: { $0.isAlive }) else { return }
        isOver = true
        commands.append(.over)
    }

    private mutating func schedule() {
        var due = active.map(\.due).min()
        if let nextAt { due = min(due ?? nextAt, nextAt) }
        if let farewell, !isOver { due = min(due ?? farewell, farewell) }
        guard let due, due != woken else { return }
        woken = due
        commands.append(.wake(at: due))
    }
}
