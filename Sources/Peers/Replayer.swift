import Journaling
package import Oracles
package import Plans

/// Plays a finding's plan again and says what became of it (looks.md section 3). A plan that names a finding is judged by
/// the finding's property and fingerprint, and by the step that its comment marks; any other plan by its steps and by
/// whatever the oracle finds.
package struct Replayer: Sendable {
    package var rig: Rig
    /// How often it is played.
    package var runs = 5
    /// The server as a process or an address that can go away: with it a server that ended is started again between runs,
    /// and a plan that is about its end (R2) can be judged.
    package var target: (any ReplayTarget)?
    /// The finding that a server's end is, after a run of this plan.
    package var blame: (@Sendable (Crash, Plan, RigRun) -> Finding?)?
    /// At least so long between two runs.
    package var pause = Duration.zero
    package init(rig: Rig) { self.rig = rig }

    /// "survives and recovers": the journal of a proxy knows nothing of it.
    private static let survival = "R2"

    private struct Seen {
        var run: RigRun
        var finding: Finding?
        /// Label of the first step that could not be tried, and why.
        var obstacle: (Int, String)?
        /// Label of the first step that does not do what the plan says.
        var difference: Int?
        var failed: Bool { finding != nil }
    }

    /// - Throws: when the target does not answer at the beginning. One that is gone later has been replayed so often.
    package func replay(_ plan: Plan) async throws(RigError) -> ReplayReport {
        var seen: [Seen] = []
        var rig = rig
        if let target { rig.meter = { await target.sample() } }
        rig.isAwaited = { Self.matching([$0], plan) != nil }
        let isAboutSurvival = Self.isAboutSurvival(plan)
        if isAboutSurvival { rig.keepsEntries = true }
        for number in 1...max(1, runs) {
            if number > 1, pause > .zero { try? await Task.sleep(for: pause) }
            let run: RigRun
            do throws(RigError) {
                if let target { rig.target = try await target.ready() }
                run = try await rig.run(plan)
            } catch {
                guard case .unreachable(let reason) = error, !seen.isEmpty else { throw error }
                return report(plan, seen, gone: "the target is gone after run \(seen.count): \(reason)")
            }
            var one = look(run, plan)
            if isAboutSurvival, let crash = await target?.crash() {
                one.finding = blame?(crash, plan, run) ?? Self.finding(crash, plan)
            }
            seen.append(one)
            // What cannot be replayed now cannot be replayed the fifth time either.
            if number == 1, !one.failed, one.obstacle != nil { break }
            if Task.isCancelled { break }
        }
        return report(plan, seen)
    }

    private func look(_ run: RigRun, _ plan: Plan) -> Seen {
        var seen = Seen(run: run, finding: Self.matching(run.judgement.findings, plan))
        for step in run.steps {
            switch step.outcome {
            case .ok: continue
            case .failed: seen.difference = seen.difference ?? step.number
            case .cannot(let why):
                seen.difference = seen.difference ?? step.number
                if seen.obstacle == nil { seen.obstacle = (step.number, why) }
            }
        }
        return seen
    }

    /// Its finding is the target's end, which no traffic tells.
    package static func isAboutSurvival(_ plan: Plan) -> Bool {
        plan.head.finding.map { $0.prefix { $0 != "-" } == survival } ?? false
    }

    /// Where nobody knows better who did it.
    private static func finding(_ crash: Crash, _ plan: Plan) -> Finding {
        let id = plan.head.finding ?? survival
        return Finding(
            property: survival, fingerprint: String(id.drop { $0 != "-" }.dropFirst()),
            sentence: "the target goes away: \(crash.ending)", requirement: "the server stays up and serves",
            expected: "the process runs on and takes connections", found: crash.ending.description, offending: nil,
            witness: [], sessions: [], users: plan.users.map(\.name), instant: .zero, faults: [], contractFile: "",
            contractLine: 0)
    }

    /// The finding that the plan is about. Without an id in its head, any finding.
    private static func matching(_ findings: [Finding], _ plan: Plan) -> Finding? {
        guard let id = plan.head.finding else { return findings.first }
        let property = String(id.prefix { $0 != "-" })
        return findings.first { $0.id == id }
            // A plan edited by hand may move the fingerprint's details; its property still tells, also where it goes by the
            // name of a worse one.
            ?? findings.first { $0.property == property } ?? findings.first { $0.also.contains(property) }
    }

    private func report(_ plan: Plan, _ seen: [Seen], gone: String? = nil) -> ReplayReport {
        let failing = seen.filter(\.failed)
        let shown = failing.first ?? seen.first { $0.difference != nil } ?? seen[0]
        let count = seen.count
        let outcome: ReplayReport.Outcome
        if failing.count == count {
            outcome = .stillFailing(failed: count, of: count)
        } else if !failing.isEmpty {
            outcome = .flaky(failed: failing.count, of: count)
        } else if let gone {
            outcome = .cannotReplay(step: nil, gone)
        } else if let obstacle = seen.compactMap(\.obstacle).first {
            outcome = .cannotReplay(step: obstacle.0, hint(obstacle.1, plan, obstacle.0))
        } else if let reason = undecided(seen, plan) {
            outcome = .cannotReplay(step: shown.difference, reason)
        } else {
            outcome = .fixed(of: count)
        }
        var report = ReplayReport(
            outcome: outcome, steps: shown.run.steps, firstDifference: shown.difference, finding: shown.finding,
            sentence: shown.finding?.sentence ?? now(plan, shown), run: shown.run)
        let own = Set(seen.compactMap(\.finding?.id))
        for id in seen.flatMap(\.run.judgement.findings).map(\.id) where !own.contains(id) && !report.others.contains(id) {
            report.others.append(id)
        }
        report.toolErrors = seen.reduce(0) { $0 + $1.run.judgement.toolErrors.count }
        return report
    }

    /// `refused with 401 (credential?)`, with the step's words in front.
    private func hint(_ why: String, _ plan: Plan, _ label: Int) -> String {
        let isCredential = ["401", "403"].contains { why.hasSuffix($0) }
        let step = plan.steps.first { $0.number == label }
        let words = step.map { ($0.user ?? "") + " " + PlanText.words(of: $0.verb) + ": " } ?? ""
        return words + why + (isCredential ? " (credential?)" : "")
    }

    /// Nothing failed, and yet nothing is shown: the property was never asked, or is undecided.
    private func undecided(_ seen: [Seen], _ plan: Plan) -> String? {
        let properties = seen.flatMap(\.run.judgement.properties)
        if let id = plan.head.finding {
            let property = String(id.prefix { $0 != "-" })
            // Whoever watches the target decides it with every run.
            if property == Self.survival, target != nil { return nil }
            let mine = properties.filter { $0.id == property }
            if mine.allSatisfy({ $0.checked == 0 }) { return "\(property) was not exercised" }
            return mine.contains { $0.inconclusive > 0 } ? "\(property) could not be decided" : nil
        }
        if properties.allSatisfy({ $0.checked == 0 }) { return "nothing was exercised" }
        // A step went wrong, and whether that is the server's fault is open.
        guard seen.contains(where: { $0.difference != nil }) else { return nil }
        return properties.first { $0.inconclusive > 0 }.map { "\($0.id) could not be decided" }
    }

    /// What happens now: the last guard that holds, as `error reaches alice in 6 ms`.
    private func now(_ plan: Plan, _ seen: Seen) -> String {
        if Self.isAboutSurvival(plan) { return "the target runs on and takes connections" }
        if let label = seen.difference, let step = plan.steps.first(where: { $0.number == label }) {
            let outcome = seen.run.steps.first { $0.number == label }?.outcome
            if case .failed(let why) = outcome { return "no finding; \(step.user ?? "") \(PlanText.words(of: step.verb)): \(why)" }
        }
        for step in plan.steps.reversed() {
            guard case .until(let events, _) = step.verb, let user = step.user,
                let result = seen.run.steps.first(where: { $0.number == step.number }), result.isOK
            else { continue }
            let milliseconds = result.took.nanoseconds / 1_000_000
            return "\(events.joined(separator: " and ")) reaches \(user) in \(milliseconds < 1 ? "<1" : "\(milliseconds)") ms"
        }
        return "every step holds"
    }
}

package struct ReplayReport: Sendable {
    package enum Outcome: Sendable, Equatable {
        case stillFailing(failed: Int, of: Int)
        case fixed(of: Int)
        /// Label of the step, and why: `bob until open within 2s: refused with 401 (credential?)`.
        case cannotReplay(step: Int?, String)
        case flaky(failed: Int, of: Int)
    }
    package var outcome: Outcome
    /// Steps of the run that shows the outcome, and the label of the first that differs from what the plan expects.
    package var steps: [StepResult]
    package var firstDifference: Int?
    /// The finding when it was seen again, else a sentence of what happens now.
    package var finding: Finding?
    package var sentence: String
    /// The run that shows the outcome.
    package var run: RigRun?
    /// Ids of findings of any run that are not what the plan is about.
    package var others: [String] = []
    /// Properties that failed by themselves, in all runs.
    package var toolErrors = 0
    package init(
        outcome: Outcome, steps: [StepResult], firstDifference: Int?, finding: Finding?, sentence: String, run: RigRun? = nil
    ) {
        self.outcome = outcome
        self.steps = steps
        self.firstDifference = firstDifference
        self.finding = finding
        self.sentence = sentence
        self.run = run
    }
}
