import Oracles
import Peers
import Plans

/// Cases that nobody could decide because the machine had no time to spare: a run at full speed is its own worst crowd.
/// Some of them are played again while nobody else plays.
struct Doubts: Sendable {
    /// So many of a kind, and in all; and so much of the run's time.
    private static let mostOfKind = 2
    private static let most = 60
    private static let share = 8
    /// What may be spent before the share has come together.
    private static let advance = Duration.seconds(2)
    private var kinds: [String: Int] = [:]
    private var count = 0
    private var spent = Duration.zero

    /// - Parameters:
    ///   - kind: what was in doubt, and where the play left its plan.
    ///   - cost: how long another play is expected to take, while everybody else stands still.
    mutating func mayLook(at kind: String, cost: Duration, elapsed: Duration) -> Bool {
        let known = kinds[kind] ?? 0
        let allowed = elapsed * Self.share / 100 + Self.advance
        guard known < Self.mostOfKind, count < Self.most, spent + cost / 2 <= allowed else { return false }
        kinds[kind] = known + 1
        count += 1
        return true
    }

    mutating func spend(_ time: Duration) { spent += time }
}

extension Campaign {
    /// Not in a run that is to send the same bytes each time: the machine decides here.
    func lookAgain(at run: CaseRun, of name: CaseName, _ plan: Plan) async {
        guard options.epoch == nil, run.judgement.findings.isEmpty, !run.isCut, let kind = Self.doubt(in: run, plan),
            doubts.change({ $0.mayLook(at: kind, cost: run.took, elapsed: self.elapsed) })
        else { return }
        let clock = ContinuousClock()
        let begun = clock.now
        // Whoever waits for a deadline disturbs nobody.
        await crew.alone(patience: .seconds(1)) {
            guard !self.isOver else { return }
            var play = self.rehearsalOptions(for: plan)
            // Bounds are not credited where there is no crowd: what took longer than in one stays open.
            play.patience = max(.seconds(1), run.took)
            let again = await self.rehearsal.run(plan, play)
            for finding in again.judgement.findings where !self.isOver {
                await self.take(finding, plan, again, name)
            }
        }
        doubts.change { $0.spend(begun.duration(to: clock.now)) }
    }

    /// Which properties the machine left undecided, and the first guard that did not hold. Nil when the machine did not.
    private static func doubt(in run: CaseRun, _ plan: Plan) -> String? {
        let open = run.judgement.properties.filter { summary in
            summary.inconclusive > 0 && summary.reasons.contains { $0.hasPrefix("the machine ") }
        }
        guard !open.isEmpty, let failed = run.steps.first(where: { !$0.isOK }),
            let step = plan.steps.first(where: { $0.number == failed.number })
        else { return nil }
        return open.map(\.id).joined(separator: " ") + " " + PlanText.words(of: step.verb)
    }
}
