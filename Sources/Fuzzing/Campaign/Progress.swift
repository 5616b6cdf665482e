package import Oracles
package import Peers
package import Plans

/// The phases of a run that this version has, in order (fuzzing.md, "Phases").
package enum Phase: String, Sendable, Hashable, CaseIterable {
    case calibration
    case boundaries
    case stateful
    case isolation = "isolation and auth"
    case confirm = "confirm and shrink"

    /// As on the command line, in their order.
    package static let words = ["calibration", "boundaries", "stateful", "isolation"]

    package init?(word: String) {
        switch word {
        case "calibration": self = .calibration
        case "boundaries": self = .boundaries
        case "stateful": self = .stateful
        case "isolation": self = .isolation
        default: return nil
        }
    }

    /// Per cent of the time; what one does not use flows on.
    package var share: Int {
        switch self {
        case .calibration: 5
        case .boundaries: 20
        case .stateful: 45
        case .isolation: 20
        case .confirm: 10
        }
    }
}

/// Where a run stands; a snapshot for the board.
package struct Progress: Sendable {
    package var elapsed = Duration.zero
    /// Nil without `--max-total-time`.
    package var total: Duration?
    package var phase = Phase.calibration
    package var executions = 0
    package var messages = 0
    package var sessions = 0
    /// Over the last 10 s.
    package var executionsPerSecond = 0.0
    package var messagesPerSecond = 0.0
    /// 99th percentile of the time from a request to the first event behind it, last 10 s.
    package var targetP99: Duration?
    /// Behaviour features, and how many of them came in the last minute.
    package var features = 0
    package var featuresPerMinute = 0
    package var edges = 0
    package var corpus = 0
    package var favoured = 0
    /// Nil as long as nothing was run twice.
    package var stability: Double?
    package var flaky = 0
    package var reconnects = 0
    package var restarts = 0
    /// Cases that were stopped because the target sent more in them than may be held.
    package var floods = 0
    /// Nil while the target answers.
    package var downSince: Duration?
    package var sinceNewFeature = Duration.zero
    /// Per cent of the energy by level, largest first.
    package var energies: [(MutatorLevel, Int)] = []
    package var mustReject = (sent: 0, answered: 0, missed: 0)
    package var errorsDelivered = 0
    package var errorKinds = 0
    /// Distinct findings so far, worst first: property and how often seen.
    package var findings: [(property: String, seen: Int)] = []
    package var confirming = 0
    /// `1 of 2 (41 → 9 steps)`; nil when nothing shrinks.
    package var shrinking: (number: Int, of: Int, from: Int, to: Int)?
    package init() {}
}

package struct PhaseResult: Sendable {
    package var phase: Phase
    package var executions: Int
    package var took: Duration
    package var newFeatures: Int
    package var findings: Int
    package init(phase: Phase, executions: Int, took: Duration, newFeatures: Int, findings: Int) {
        self.phase = phase
        self.executions = executions
        self.took = took
        self.newFeatures = newFeatures
        self.findings = findings
    }
}

/// A finding that was run again.
package struct FuzzFinding: Sendable {
    /// With attribution and `repeats`.
    package var finding: Finding
    /// The id under which it was seen at first, when reruns showed this one in its place.
    package var seenAs: String?
    /// Shrunk; its faults stand in it.
    package var plan: Plan
    /// The case that showed it first, and how many executions there had been.
    package var name: CaseName
    package var executions: Int
    /// How the target's process ended, and what it said last, when that is the point.
    package var exit: String?
    package var stderr: [String] = []
    /// Executions spent to confirm and shrink it.
    package var reruns = 0
    /// Why no more is known than that: `3 of 5 reruns could not be decided: the target does not answer`.
    package var reason: String?
    package init(finding: Finding, plan: Plan, name: CaseName, executions: Int) {
        self.finding = finding
        self.plan = plan
        self.name = name
        self.executions = executions
    }
}

/// Things that happen once, for log lines above the board.
package enum CampaignEvent: Sendable {
    /// The oracle was shown planted defects: how many properties caught theirs.
    case selfCheck(caught: Int, of: Int)
    /// Runs without faults; the longest bound that they needed of the one the contract gives.
    case calibrated(runs: Int, p999: Duration, deadline: Duration)
    case seeds(Int)
    case found(Finding, executions: Int, at: Duration)
    /// Final form: confirmed, attributed, shrunk. Written by whoever listens, at once.
    case settled(FuzzFinding, at: Duration)
    case targetDown(String, at: Duration)
    case targetBack(restarts: Int, at: Duration)
    /// The first case that was stopped because the target sent too much; later ones are counted (`Progress.floods`).
    case flooded(Flood, at: Duration)
    /// The books of a case do not balance: miswire itself is at fault, and this plan may show how (the first few).
    case unbalanced(CaseName, Plan)
    case phaseEnded(PhaseResult)
    case warning(String)
}

/// What a run came to.
package struct CampaignResult: Sendable {
    package enum End: Sendable, Equatable {
        case complete
        case interrupted
        /// The target never answered / nothing in phase 0 succeeded: one sentence, and the remedy.
        case unreachable(String)
        case nothingExercised(String, remedy: String)
        case selfCheckFailed(String)
    }
    package var end: End
    package var phases: [PhaseResult]
    /// Worst first.
    package var findings: [FuzzFinding]
    /// Seen once or twice and never again: not findings.
    package var flaky: [FuzzFinding]
    package var judgement: Judgement
    package var progress: Progress
    package init(
        end: End, phases: [PhaseResult], findings: [FuzzFinding], flaky: [FuzzFinding], judgement: Judgement,
        progress: Progress
    ) {
        self.end = end
        self.phases = phases
        self.findings = findings
        self.flaky = flaky
        self.judgement = judgement
        self.progress = progress
    }
}
