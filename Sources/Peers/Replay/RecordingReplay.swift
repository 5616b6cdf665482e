package import Contracts
package import Faults
package import Journaling
package import Oracles
package import Plans

/// Plays the client side of a recording against a live server and compares what it answers.
package struct RecordingReplay: Sendable {
    package struct Settings: Sendable {
        package var target: Endpoint
        package var contract: Contract?
        package var key: [UInt8]
        package var seed: UInt64 = 1
        package var profile: Profile?
        /// How much of the recorded pauses between a user's own acts is kept: 1, 0.1 or 0.
        package var pace = 1.0
        /// Given credentials by principal.
        package var tokens: [String: String] = [:]
        /// Seconds since 1970 at instant zero of the recording.
        package var recordedEpoch: Int64?
        package init(target: Endpoint, contract: Contract?, key: [UInt8]) {
            self.target = target
            self.contract = contract
            self.key = key
        }
    }
    private let settings: Settings
    private let stage: InlineStage

    package init(_ settings: Settings) throws(RigError) {
        self.settings = settings
        var ground = InlineStage.Settings(target: settings.target, contract: settings.contract, key: settings.key)
        ground.given = Set(settings.tokens.values)
        ground.memory = CaseMemory(most: Self.mostMemory)
        stage = try InlineStage(ground)
    }

    /// A recording is there to be played whole.
    private static let mostMemory = 1 << 30
    /// Sessions of which any plan is longer than memory should bear are cut and said to be.
    private static let mostSteps = 200_000

    /// - Parameter onGroup: called with what came of each group of sessions that belong together, in their order.
    package func run(
        _ entries: [Entry], onGroup: @Sendable (ReplayedGroup) -> Void = { _ in }
    ) async throws(ReplayObstacle) -> RecordingReport {
        let lift = PlanLift.lift(
            entries: entries, contract: settings.contract, epoch: settings.recordedEpoch, mostSteps: Self.mostSteps)
        var reader = TalkReader(contract: settings.contract, at: .server)
        for entry in entries { reader.take(entry) }
        let talks = reader.finish()
        guard !lift.plans.isEmpty else {
            let left = lift.left.first
            throw ReplayObstacle(
                sentence: "no session of the recording can be replayed",
                found: left.map { "\($0.session): \($0.reason)" } ?? "it holds no session")
        }
        for lifted in lift.plans { try check(lifted) }
        var report = RecordingReport()
        let replayed = Set(lift.plans.flatMap(\.sessions))
        // Connections that never spoke HTTP, such as a look whether anybody listens, are no sessions.
        report.left = lift.left.filter { left in talks.contains { $0.session == left.session } && !replayed.contains(left.session) }
        for lifted in lift.plans {
            if Task.isCancelled { break }
            let group = await play(lifted, talks)
            report.groups.append(group)
            onGroup(group)
            if !group.unreachable.isEmpty { break }
        }
        return report
    }

    /// A credential that nobody can make keeps a plan from being played.
    private func check(_ lifted: LiftedPlan) throws(ReplayObstacle) {
        for user in lifted.plan.users {
            let principal = lifted.principals[user.name] ?? user.name
            let isGiven = settings.tokens[principal] != nil || settings.tokens[user.name] != nil
            let speaks = lifted.plan.steps.contains { step in
                guard case .send(let text) = step.verb, step.user == user.name else { return false }
                return text.contains("{credential}")
            }
            guard user.credential != "none" || speaks else { continue }
            let variant = CredentialPlan(user.credential)?.variant ?? .intact
            if isGiven {
                if variant == .expired {
                    throw ReplayObstacle(
                        sentence: "the expired credential of `\(principal)` cannot be made of the one that is given",
                        found: "only who signs a credential can date it back",
                        remedy: "replay the other sessions one by one, as RECORDING/SESSION")
                }
                continue
            }
            if settings.contract?.identity.mint == nil {
                let why = settings.contract == nil ? "the recording names no contract" : "its contract has no `mint`"
                throw ReplayObstacle(
                    sentence: "the credential of `\(principal)` cannot be made",
                    found: "\(why), and a recording holds no credentials",
                    remedy: "give one: --credential \(principal)=@FILE")
            }
        }
    }

    /// Who waited in vain before leaving does so again, however fast it goes: until then a silence proves nothing.
    private func rests(_ lifted: LiftedPlan) -> [Int: Duration] {
        let bound = settings.contract?.errors?.within ?? .seconds(1)
        var rests: [Int: Duration] = [:]
        for step in lifted.plan.steps {
            guard let gap = lifted.gaps[step.number], gap >= bound else { continue }
            switch step.verb {
            case .close, .cut: rests[step.number] = min(gap, .seconds(60)) + .seconds(3)
            default: break
            }
        }
        return rests
    }

    private func play(_ lifted: LiftedPlan, _ talks: [Talk]) async -> ReplayedGroup {
        var options = CaseOptions()
        options.seed = settings.seed
        options.profile = settings.profile
        options.missesAllowed = nil
        options.keepsPrincipals = true
        options.mostMemory = Self.mostMemory
        options.reprieve = min(.seconds(20), max(.seconds(4), Deadlines.longest(in: settings.contract) * 4))
        for (user, principal) in lifted.principals { options.cast.principals[user] = principal }
        for user in lifted.plan.users {
            let principal = lifted.principals[user.name] ?? user.name
            options.cast.tokens[user.name] = settings.tokens[principal] ?? settings.tokens[user.name]
        }
        if settings.pace > 0 {
            options.gaps = lifted.gaps.mapValues { .nanoseconds(Int64(Double(min($0.nanoseconds, 86_400_000_000_000)) * settings.pace)) }
        }
        options.rests = rests(lifted)
        let epoch = WallClock.seconds()
        let run = await stage.run(lifted.plan, options)
        var reader = TalkReader(contract: settings.contract, at: .server)
        for entry in run.entries { reader.take(entry) }
        let now = Dictionary(reader.finish().map { ($0.session, $0) }, uniquingKeysWith: { first, _ in first })
        var stands: [SessionID: SessionID] = [:]
        for (index, label) in run.openings.enumerated() {
            guard let recorded = lifted.openings[label] else { continue }
            stands[recorded] = SessionID(UInt32(clamping: index + 1))
        }
        let pairs = talks.filter { lifted.sessions.contains($0.session) }.map { talk in
            (recorded: talk, now: stands[talk.session].flatMap { now[$0] })
        }
        var comparing = TalkComparer.Options(contract: settings.contract)
        comparing.recordedEpoch = settings.recordedEpoch
        comparing.nowEpoch = epoch
        for pair in pairs {
            if let old = pair.recorded.user, let new = pair.now?.user { comparing.principals[old] = new }
        }
        var comparer = TalkComparer(pairs, all: talks, comparing)
        var group = ReplayedGroup(comparison: comparer.compare(), judgement: run.judgement)
        group.steps = run.steps.filter { !$0.isOK }
        group.plan = lifted.plan
        group.unreachable = run.unreachable
        group.isCut = run.isCut
        group.attach(stands)
        return group
    }
}

/// Why nothing can be replayed.
package struct ReplayObstacle: Error, Sendable, Equatable {
    package var sentence: String
    package var found: String
    package var remedy: String
    package init(sentence: String, found: String, remedy: String = "") {
        self.sentence = sentence
        self.found = found
        self.remedy = remedy
    }
}

/// What came of the sessions that were replayed together.
package struct ReplayedGroup: Sendable {
    package var comparison: Comparison
    /// Findings bear the recorded sessions.
    package var judgement: Judgement
    /// Steps that did not go as recorded.
    package var steps: [StepResult] = []
    package var plan = Plan()
    package var unreachable: [String] = []
    package var isCut = false
    /// Findings that no difference shows, by index.
    package private(set) var otherFindings: [Int] = []
    package init(comparison: Comparison, judgement: Judgement) {
        self.comparison = comparison
        self.judgement = judgement
    }

    /// Tells each difference the property that fails by it, and names sessions as recorded.
    /// - Parameter stands: the session that replayed each recorded one.
    mutating func attach(_ stands: [SessionID: SessionID]) {
        let recorded = Dictionary(stands.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for index in judgement.findings.indices {
            let finding = judgement.findings[index]
            if let place = place(of: finding) {
                comparison.sessions[place.session].differences[place.difference].property = finding.property
            } else {
                otherFindings.append(index)
            }
            judgement.findings[index].sessions = finding.sessions.map { recorded[$0] ?? $0 }
        }
    }

    /// The difference about the entry that offends, else about any entry of the witness, else something missing in a
    /// session of the finding.
    private func place(of finding: Finding) -> (session: Int, difference: Int)? {
        func first(_ holds: (SessionComparison, Difference) -> Bool) -> (session: Int, difference: Int)? {
            for (session, compared) in comparison.sessions.enumerated() {
                for (index, difference) in compared.differences.enumerated()
                where difference.property == nil && holds(compared, difference) { return (session, index) }
            }
            return nil
        }
        if let offending = finding.offending, let found = first({ $1.refs.first == offending }) { return found }
        let witness = Set(finding.witness.compactMap(\.ref))
        if let found = first({ !witness.isDisjoint(with: $1.refs) }) { return found }
        return first { compared, difference in
            difference.kind == .missing && compared.now.map { finding.sessions.contains($0) } ?? false
        }
    }
}

/// What came of a whole recording.
package struct RecordingReport: Sendable {
    package var groups: [ReplayedGroup] = []
    /// Sessions that no plan can do again, and why.
    package var left: [Lift.Left] = []
    package init() {}

    package var sessions: [SessionComparison] { groups.flatMap(\.comparison.sessions) }
    package var differences: Int { groups.reduce(0) { $0 + $1.comparison.differences } }
    package var findings: [Finding] { groups.flatMap(\.judgement.findings) }
    package var unreachable: String? { groups.lazy.compactMap { $0.unreachable.first }.first }

    /// Every upgrade that was accepted then is refused now: with which status, and of whom.
    package var refusedEverywhere: (status: Int, user: String?)? {
        let upgrades = sessions.filter { compared in
            compared.differences.contains { $0.subject == .upgrade && $0.status != nil }
        }
        guard !upgrades.isEmpty, upgrades.count == sessions.count, let first = upgrades.first,
            let status = first.differences.lazy.compactMap(\.status).first
        else { return nil }
        return (status, first.user)
    }
}
