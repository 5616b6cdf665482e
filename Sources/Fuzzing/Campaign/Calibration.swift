import Oracles
import Peers
import Plans

/// Phase 0: the contract's own flows, without faults, must work before anything else is worth trying.
extension Campaign {
    private static let mostRuns = 200
    /// When so many came to nothing, more will not help.
    private static let patience = 24

    private struct Tries: Sendable {
        var runs = 0
        var worked = 0
        var found = false
        /// Why cases came to nothing, counted.
        var reasons: [String: Int] = [:]
        /// How long steps took that did what they should, in nanoseconds.
        var waits: [Int64] = []
    }

    /// Nil when something worked.
    func calibrate(until cap: Cap) async -> CampaignResult.End? {
        var outcome = Tries()
        // What came to nothing because the target went away says nothing of the flows.
        for _ in 0..<3 {
            let before = losses
            outcome = await tryFlows(until: cap)
            guard outcome.worked == 0, !outcome.found, await targetWasAway(since: before) else { break }
        }
        if outcome.worked > 0 || outcome.found || found > 0 {
            let slowest = score.change { counts in
                counts.slowest = Score.percentile(outcome.waits, 0.999) ?? .zero
                counts.calibration = Score.percentile(counts.latencies, 0.999)
                return counts.calibration
            }
            tell(
                .calibrated(
                    runs: outcome.runs, p999: slowest ?? .zero,
                    deadline: options.contract.errors?.within ?? options.contract.deadline))
            return nil
        }
        if Task.isCancelled { return nil }
        return nothing(outcome)
    }

    private func tryFlows(until cap: Cap) async -> Tries {
        let tries = Shared(Tries())
        let deck = plans.flows
        await withDiscardingTaskGroup { group in
            // One time round must be, whatever the time.
            for index in 0..<(options.isPlain ? Int.max : Self.mostRuns) {
                let (worked, runs) = tries.change { ($0.worked, $0.runs) }
                if index >= deck.count, worked == 0, runs >= Self.patience { break }
                guard await mayBegin(deck[index], until: index < deck.count ? nil : cap) else { break }
                let one = Case(
                    name: CaseName(deck: "flows", index % max(1, deck.count)), plan: deck[index], level: nil, slot: nil,
                    block: takeBlock())
                group.addTask {
                    guard let run = await self.play(one) else { return }
                    tries.change { Self.judge(run, &$0) }
                }
            }
        }
        return tries.change { $0 }
    }

    private static func judge(_ run: CaseRun, _ tries: inout Tries) {
        tries.runs += 1
        if tries.runs <= mostRuns { tries.waits += run.steps.filter(\.isOK).map(\.took.nanoseconds) }
        if !run.judgement.findings.isEmpty { tries.found = true }
        let troubles = run.steps.compactMap { step -> String? in
            switch step.outcome {
            case .ok: nil
            case .failed(let why), .cannot(let why): why
            }
        }
        if troubles.isEmpty, !run.steps.isEmpty {
            tries.worked += 1
        } else if let first = run.unreachable.first ?? troubles.first {
            tries.reasons[first, default: 0] += 1
        }
    }

    private func nothing(_ tries: Tries) -> CampaignResult.End {
        let most = tries.reasons.max { ($0.value, $1.key) < ($1.value, $0.key) }
        guard tries.runs > 0, let (reason, count) = most else {
            return .nothingExercised(
                "nothing was exercised: the contract has no flow that could be played", remedy: "give the contract a flow")
        }
        let what = reason.hasPrefix("refused with") ? "upgrades were \(reason)" : "flows came to nothing: \(reason)"
        let sentence = "nothing was exercised: \(count) of \(tries.runs) \(what)"
        let isCredential = reason.hasSuffix("401") || reason.hasSuffix("403")
        return .nothingExercised(
            sentence,
            remedy: isCredential
                ? "give a credential: --credential alice=@FILE" : "name the contract that the server keeps: --contract")
    }
}
