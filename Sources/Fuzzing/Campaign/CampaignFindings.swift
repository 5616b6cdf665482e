import Findings
import Oracles
import Peers
import Plans
import Synchronization

/// From a violation that one case showed to a finding that counts.
extension Campaign {
    /// Looks at what a case showed; new findings are run again while nobody else plays.
    func look(at run: CaseRun, of name: CaseName, _ plan: Plan) async {
        // What a dying server left undone is told by its death, not by what it owed.
        if !run.judgement.findings.isEmpty, await ground.keeper.hasEnded() { return suspect() }
        for finding in run.judgement.findings where isNew(finding, plan) {
            await crew.alone {
                // Others may have taken all the time there was.
                if self.isOver { return self.ledger.withLock { $0.giveUp(finding) } }
                await self.confirm(finding, plan, run, name)
            }
            if isOver { crew.stop() }
        }
        await lookAgain(at: run, of: name, plan)
    }

    /// Confirms a finding for one who has the target for himself already.
    func take(_ finding: Finding, _ plan: Plan, _ run: CaseRun, _ name: CaseName) async {
        guard isNew(finding, plan) else { return }
        await confirm(finding, plan, run, name)
    }

    /// Counts it; true, and told, when it is to be run again.
    private func isNew(_ finding: Finding, _ plan: Plan) -> Bool {
        guard options.counts(finding), ledger.withLock({ $0.see(finding, hasFaults: !plan.faults.isEmpty) }) == .confirm else {
            return false
        }
        tell(.found(finding, executions: score.executions, at: elapsed))
        return true
    }

    func rehearsalOptions(for plan: Plan) -> CaseOptions {
        var play = CaseOptions()
        play.calibration = score.change { $0.calibration }
        // What comes later than that is judged all the same; guards of candidates that show nothing shall not cost time. What
        // a fault of the plan holds back is waited for: a play that is over before says nothing.
        play.mostPatience = pace.map { max($0 * 2, .milliseconds(400)) + plan.longestHold }
        if !options.credentials.isEmpty { play.cast = cast(for: plan, block: 0) }
        return play
    }

    private func confirm(_ finding: Finding, _ plan: Plan, _ run: CaseRun, _ name: CaseName) async {
        let slips = Shared<[(Finding, Plan, CaseRun)]>([])
        await settle(finding, plan, run, name) { finding, plan, run in
            slips.change { if $0.count < 8 { $0.append((finding, plan, run)) } }
        }
        // What reruns showed by the way is a finding of its own.
        for (finding, plan, run) in slips.change({ $0 }) where !isOver && isNew(finding, plan) {
            await settle(finding, plan, run, name) { _, _, _ in }
        }
    }

    private func settle(
        _ finding: Finding, _ plan: Plan, _ run: CaseRun, _ name: CaseName,
        _ onSlip: @escaping @Sendable (Finding, Plan, CaseRun) -> Void
    ) async {
        var confirmer = Confirmer(
            runner: rehearsal, contract: options.contract, quiet: Quiet(isolated: false),
            options: rehearsalOptions(for: plan),
            users: workshop.users)
        let number = ledger.withLock { $0.findings.count } + 1
        confirmer.onShrink = { from, to in
            self.score.change { $0.shrinking = (number, max(number, self.pending), from, to) }
        }
        confirmer.onSlip = onSlip
        let since = elapsed
        let confirmed = await confirmer.confirm(
            finding, plan: plan, seenIn: run, name: name, executions: score.executions, within: budget)
        let took = elapsed - since
        score.change { counts in
            counts.shrinking = nil
            counts.reruns += confirmed.outcome.reruns
            counts.rerunTime += took
        }
        if let death = rehearsal.takeDeath() {
            ledger.withLock { $0.giveUp(finding) }
            return await blame(death, name)
        }
        // One that could not be run again accuses nobody; the form says that it was seen.
        if case .unattributed = confirmed.outcome.finding.attribution {
            return ledger.withLock { $0.giveUp(finding) }
        }
        ledger.withLock { $0.settle(finding, confirmed) }
        tell(.settled(confirmed.outcome, at: elapsed))
    }

    private var pending: Int { ledger.withLock { $0.findings.count + $0.confirming } }

    /// Half of what is left, so that one finding does not take the time of all others.
    var budget: ConfirmBudget {
        let time = left.map { min(.seconds(60), max(.seconds(2), $0 / 2)) } ?? .seconds(60)
        return ConfirmBudget(executions: 400, time: time, shrinks: options.shrinks)
    }
}
