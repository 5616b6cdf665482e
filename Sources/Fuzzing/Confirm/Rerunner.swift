import Oracles
import Peers
import Plans

/// Plays reruns within a budget, and counts. One for each finding.
actor Rerunner {
    private let runner: any CaseRunner
    private let options: CaseOptions
    private let quiet: Quiet
    private let budget: ConfirmBudget
    private let end: ContinuousClock.Instant
    /// What may be left undone ends here, so that what is found can still be counted.
    private let lastCall: ContinuousClock.Instant
    /// What a play took so far, at most.
    private var longest: Duration = .zero
    /// Ids of what the finding's own run showed beside it.
    private let known: Set<String>
    private let onSlip: (@Sendable (Finding, Plan, CaseRun) -> Void)?
    private var told: Set<String> = []
    private(set) var spent = 0

    init(
        _ runner: any CaseRunner, _ options: CaseOptions, _ quiet: Quiet, _ budget: ConfirmBudget, known: Set<String>,
        onSlip: (@Sendable (Finding, Plan, CaseRun) -> Void)?
    ) {
        self.runner = runner
        self.options = options
        self.quiet = quiet
        self.budget = budget
        self.known = known
        self.onSlip = onSlip
        let begin = ContinuousClock.now
        end = begin.advanced(by: budget.time)
        lastCall = begin.advanced(by: budget.time * 0.8)
    }

    /// A finding as a run showed it, and in how many runs.
    struct Sight: Sendable {
        var finding: Finding
        var run: CaseRun
        var count = 1
    }

    /// What a number of reruns came to.
    struct Count: Sendable {
        var shown: [Sight] = []
        var missing = 0
        /// Undecided ones, and why the last of them was.
        var undecided = 0
        var reason: String?
        /// What else was found, how often, with a run that shows it.
        var others: [String: Sight] = [:]
        /// The budget was used up, or the task cancelled, before enough was known.
        var isShort = false

        var decided: Int { shown.count + missing }
        var isMixed: Bool { !shown.isEmpty && missing > 0 }
    }

    /// Nothing more may be played, but for `reserve` plays that are kept for later, and a fifth of the time with them, or
    /// what two long plays take: half at most.
    func isOver(reserve: Int = 0) -> Bool {
        let plays = end.advanced(by: .zero - min(longest * 2, budget.time / 2))
        return Task.isCancelled || spent + reserve >= budget.executions
            || ContinuousClock.now >= (reserve > 0 ? min(lastCall, plays) : end)
    }

    /// Plays until `wanted` reruns are decided.
    /// - Parameters:
    ///   - isWhole: plays to the end though the finding is known, so that every step has a result.
    ///   - goesOn: false = enough is known.
    func count(
        _ plan: Plan, _ finding: Finding, wanted: Int, from count: Count = Count(), isWhole: Bool = false,
        patience: Duration? = nil, goesOn: @Sendable (Count) -> Bool = { _ in true }
    ) async -> Count {
        var count = count
        while count.decided < wanted, goesOn(count) {
            guard !isOver() else {
                count.isShort = true
                break
            }
            guard count.undecided <= budget.repeats else { break }
            let width = min(quiet.width, wanted - count.decided, budget.executions - spent)
            for run in await wave(plan, finding, width, isWhole, patience) { add(run, plan, finding, to: &count) }
        }
        return count
    }

    /// Whether it shows in `times` of `times`.
    func shows(_ plan: Plan, _ finding: Finding, times: Int, patience: Duration?) async -> Bool {
        await shown(plan, finding, times: times, patience: patience) != nil
    }

    /// The last of `times` runs that all show it; what is undecided does not, and a doubt ends it at once.
    func shown(_ plan: Plan, _ finding: Finding, times: Int, patience: Duration?) async -> CaseRun? {
        let count = await count(plan, finding, wanted: times, patience: patience) {
            $0.missing == 0 && $0.undecided == 0
        }
        return count.shown.count >= times ? count.shown.last?.run : nil
    }

    private func wave(
        _ plan: Plan, _ finding: Finding, _ width: Int, _ isWhole: Bool, _ patience: Duration?
    ) async -> [CaseRun] {
        spent += width
        var options = options
        if let patience { options.patience = min(options.patience ?? patience, patience) }
        options.isEnough = nil
        if !isWhole { options.isEnough = { Rerun.same($0, finding) } }
        let begin = ContinuousClock.now
        defer { longest = max(longest, begin.duration(to: .now)) }
        if width == 1 { return [await runner.run(plan, options)] }
        let (runner, fixed) = (runner, options)
        return await withTaskGroup(of: CaseRun.self) { group in
            for _ in 0..<width { group.addTask { await runner.run(plan, fixed) } }
            var runs: [CaseRun] = []
            for await run in group { runs.append(run) }
            return runs
        }
    }

    private func add(_ run: CaseRun, _ plan: Plan, _ finding: Finding, to count: inout Count) {
        // A play that was cancelled says nothing, whatever it looks like.
        let isCut = run.isCut || Task.isCancelled
        switch Rerun(of: finding, run.judgement, isCut: isCut, unreachable: run.unreachable) {
        case .shown(let again): count.shown.append(Sight(finding: again, run: run))
        case .missing(let others):
            count.missing += 1
            note(others, run, plan, in: &count)
        case .undecided(let reason, let others):
            count.undecided += 1
            count.reason = reason
            note(others, run, plan, in: &count)
        }
    }

    private func note(_ others: [Finding], _ run: CaseRun, _ plan: Plan, in count: inout Count) {
        for other in others {
            count.others[other.id, default: Sight(finding: other, run: run, count: 0)].count += 1
            if !known.contains(other.id), told.insert(other.id).inserted { onSlip?(other, plan, run) }
        }
    }
}
