package import Contracts
import Findings
package import Oracles
package import Peers
package import Plans

/// What became of a finding that was run again.
package enum Confirmed: Sendable {
    /// Attributed and shrunk. `unattributed` when there was neither time nor budget to run it again.
    case finding(FuzzFinding)
    /// Reruns show another one in its place, which is confirmed here; what was seen, given first, is an alias of it.
    case slipped(Finding, FuzzFinding)
    /// It shows sometimes, never again, or nobody can tell (`reason`): quarantined.
    case flaky(FuzzFinding)

    package var outcome: FuzzFinding {
        switch self {
        case .finding(let outcome), .slipped(_, let outcome), .flaky(let outcome): outcome
        }
    }
}

/// Runs a finding's plan again, alone, in company and without its faults, makes it smaller, and says where the blame
/// lies (oracle.md, "Attribution"; fuzzing.md, "Shrinking").
package struct Confirmer: Sendable {
    let runner: any CaseRunner
    let contract: Contract
    let quiet: Quiet
    let options: CaseOptions
    /// Names for a bystander.
    let users: [String]
    /// A plan got smaller: steps at first, steps now.
    package var onShrink: (@Sendable (_ from: Int, _ to: Int) -> Void)?
    /// A rerun shows something that the finding's own run did not: a finding of its own. Once for each.
    package var onSlip: (@Sendable (Finding, Plan, CaseRun) -> Void)?

    /// - Parameters:
    ///   - options: how reruns are played; without a cast, so that plans' names are the principals, and with the seed that
    ///     a replay will use. What ends a play early is set here.
    ///   - users: names that plans may give their users; one that a plan does not use can watch it as a bystander.
    package init(
        runner: any CaseRunner, contract: Contract, quiet: Quiet, options: CaseOptions = CaseOptions(),
        users: [String] = Cast.names
    ) {
        self.runner = runner
        self.contract = contract
        self.quiet = quiet
        self.options = options
        self.users = users
    }

    /// - Parameters:
    ///   - run: the play that showed it.
    ///   - name: of the case that showed it, after how many `executions`.
    /// Cancelled, it returns what is known.
    package func confirm(
        _ finding: Finding, plan: Plan, seenIn run: CaseRun, name: CaseName, executions: Int,
        within budget: ConfirmBudget = ConfirmBudget()
    ) async -> Confirmed {
        let known = Set(run.judgement.findings.map(\.id))
        let rerunner = Rerunner(runner, options, quiet, budget, known: known, onSlip: onSlip)
        var sighting = Sighting(finding: finding, plan: plan, run: run)
        var ladder = Ladder(confirmer: self, rerunner: rerunner, budget: budget, known: known)
        let standing = await ladder.climb(&sighting)
        var outcome = FuzzFinding(finding: sighting.finding, plan: sighting.plan, name: name, executions: executions)
        switch standing {
        case .reproduced(let count):
            outcome = await settle(sighting, count, rerunner, budget, outcome)
        case .unknown(let count):
            outcome.reason = "there was no time to run it \(count.decided == 0 ? "again" : "more often")"
            outcome.finding.attribution = .unattributed
        case .doubtful(let count):
            outcome.finding = finding
            outcome.plan = plan
            outcome.reason = Self.reason(count)
            outcome.finding.attribution = .flaky(failed: count.shown.count + 1, of: count.decided + 1)
        }
        outcome.finding.repeats = finding.repeats
        outcome.reruns = await rerunner.spent
        if case .flaky = outcome.finding.attribution { return .flaky(outcome) }
        if finding.id != outcome.finding.id { outcome.seenAs = finding.id }
        return Rerun.same(finding, outcome.finding) ? .finding(outcome) : .slipped(finding, outcome)
    }

    private static func reason(_ count: Rerunner.Count) -> String? {
        guard count.undecided > 0, let reason = count.reason else { return nil }
        return "\(count.undecided) of \(count.undecided + count.decided) reruns could not be decided: \(reason)"
    }

    /// Faults that it does not need go, the plan gets smaller, and what is left is counted.
    private func settle(
        _ sighting: Sighting, _ count: Rerunner.Count, _ rerunner: Rerunner, _ budget: ConfirmBudget,
        _ draft: FuzzFinding
    ) async -> FuzzFinding {
        // Whoever is refused costs one rerun, so that a second one for who is not costs little.
        let times = 2
        let bare = await FaultNeeds(rerunner: rerunner, finding: sighting.finding, times: times, patience: patience)
            .needed(by: sighting.plan, reserve: 2 * budget.runs)
        var bests = [bare]
        if budget.shrinks {
            // Faults that are needed are counted without them as well.
            let counts = bare.faults.isEmpty ? 2 : 3
            let shrinking = ShrinkLoop(
                rerunner: rerunner, finding: sighting.finding, times: times, patience: patience, reserve: counts * budget.runs,
                onShrink: onShrink)
            bests += await shrinking.shrink(bare, upTo: sighting.blamed(in: bare), seen: sighting.run.steps)
        }
        let final = FinalCount(rerunner: rerunner, finding: sighting.finding, runs: budget.runs, times: times, patience: patience)
        let verdict = await final.count(bests, before: bare == sighting.plan ? count : nil) { plan in
            budget.shrinks ? finished(plan, sighting.finding) : []
        }
        var outcome = draft
        outcome.plan = Finish.commented(verdict.plan, verdict.finding, verdict.run?.steps ?? [])
        outcome.finding = verdict.finding
        outcome.finding.attribution = verdict.attribution
        outcome.reason = verdict.reason
        return outcome
    }

    /// The plan as people will read it, in the forms that are worth a try, the best first.
    private func finished(_ plan: Plan, _ finding: Finding) -> [Plan] {
        let plan = Finish.uncommented(plan)
        let keepsNames = !options.cast.tokens.isEmpty || !options.cast.principals.isEmpty
        let named = keepsNames ? plan : Finish.named(plan, users)
        let spoken = keepsNames ? finding : Finish.renamed(finding, from: plan, to: named)
        let best = Finish.numbered(Finish.expecting(named, spoken, contract))
        let plain = Finish.numbered(plan)
        return best == plain ? [best] : [best, plain]
    }

    /// Whatever is open so long after a smaller plan's last step stays open.
    var patience: Duration { Deadlines.longest(in: contract) + .milliseconds(500) }
}

/// A finding with the plan that shows it and a run that did.
struct Sighting: Sendable {
    var finding: Finding
    var plan: Plan
    var run: CaseRun

    /// Label of the step that sends what the finding is about, as far as that can be told.
    func blamed(in plan: Plan) -> Int? {
        let first = run.entries.first?.instant ?? .zero
        let begun = run.steps.first?.started ?? .zero
        // Steps count from the beginning of the play, entries from that of the journal: the first connection is both.
        let origin = Swift.max(0, begun.duration(to: first).nanoseconds)
        return BlamedStep.label(
            of: finding, in: plan, steps: run.steps, origin: .zero.advanced(by: .nanoseconds(origin)))
    }
}
