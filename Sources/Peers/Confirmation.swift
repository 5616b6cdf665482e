import Faults
package import Journaling
package import Oracles
package import Plans

/// A server to play against, of one's own as long as it is held, so that what one rerun leaves behind reaches no other.
package protocol Stand: Sendable {
    associatedtype Held: Sendable
    func take() async throws -> (endpoint: Endpoint, held: Held)
    func give(back held: Held) async
    /// What it takes now; nil when that cannot be seen.
    func sample(_ held: Held) async -> TargetSample?
}

extension Stand {
    package func sample(_ held: Held) async -> TargetSample? { nil }
}

/// Reruns a finding's plan with and without its faults, makes it smaller, and says where the blame lies (oracle.md,
/// "Attribution"). Reruns are independent of one another and overlap.
package struct Confirmation<Place: Stand>: Sendable {
    /// As it was when the finding was seen; its target is replaced by what `place` gives.
    package var rig: Rig
    package var place: Place
    /// How many runs the attribution counts.
    package var runs = 5
    /// Reruns that nobody can decide are repeated, so many of one count in all; a smaller plan is tried once more.
    package var repeats = 5
    /// Plays once; tests put their own here.
    var play: @Sendable (Rig, Plan) async throws -> RigRun = { rig, plan in try await rig.run(plan) }
    package init(rig: Rig, place: Place) {
        self.rig = rig
        self.place = place
        self.rig.recording = nil
    }

    package struct Outcome: Sendable {
        package var finding: Finding
        package var plan: Plan
        package var reruns: Int
        /// Why its attribution says no more, when reruns could not be decided.
        package var reason: String?
    }

    /// - Parameter run: the run that showed it, to tell which step of the plan the finding is about.
    package func confirm(_ finding: Finding, from plan: Plan, seenIn run: RigRun) async throws -> Outcome {
        let candidates = PlanReducer.candidates(
            plan, witnesses: finding.users, upTo: BlamedStep.label(of: finding, in: plan, steps: run.steps, origin: run.origin))
        var reruns = 0
        var isOpen = false
        var confirmed = finding
        var bare = rig
        bare.profile = nil
        if let plan = try await smallest(candidates, finding, bare, &reruns, &isOpen) {
            let count = try await count(finding, plan, bare, &reruns)
            confirmed.attribution = count.attribution { .intrinsic(failed: $0, of: $1) }
            return Outcome(finding: confirmed, plan: plan, reruns: reruns, reason: count.reason)
        }
        guard let profile = rig.profile, !profile.faults.isEmpty else {
            // What could not be decided speaks for nobody.
            confirmed.attribution = isOpen ? .unattributed : .flaky(failed: 1, of: reruns + 1)
            return Outcome(
                finding: confirmed, plan: plan, reruns: reruns, reason: isOpen ? "reruns could not be decided" : nil)
        }
        let exposing = try await faults(finding, candidates, &reruns)
        var shown = rig
        shown.profile?.faults = exposing.rules
        var count = try await count(finding, exposing.plan, shown, &reruns)
        var written = exposing.plan
        written.faults = exposing.rules.map(Plan.FaultLine.init(rule:))
        confirmed.attribution = count.attribution { _, _ in .unattributed }
        if count.isSteady(runs) {
            // Twice two is not enough to clear the server: as often without the faults as with them.
            let without = try await self.count(finding, exposing.plan, bare, from: Count(failed: 0, decided: 0), &reruns)
            if without.failed > 0 {
                // Without them it comes as well: always, or as it likes.
                confirmed.attribution = without.attribution { .intrinsic(failed: $0, of: $1) }
                written.faults = []
            } else if without.decided < runs {
                // Nobody can say what it would have been without them: nobody is blamed.
                confirmed.attribution = .unattributed
            } else {
                confirmed.attribution = .faultExposed(
                    exposing.rules.map(\.id), failed: count.failed, of: count.decided, without: without.decided)
            }
            count.undecided += without.undecided
        }
        return Outcome(finding: confirmed, plan: written, reruns: reruns, reason: count.reason)
    }

    /// The runs that the attribution counts, the one that led here among them.
    private struct Count {
        var failed = 1
        var decided = 1
        var undecided = 0
        var lastReason = ""
        func isSteady(_ runs: Int) -> Bool { failed == runs && decided == runs }
        /// One decided rerun that did not show it makes it flaky; one alone that did says nothing.
        func attribution(_ steady: (_ failed: Int, _ of: Int) -> Attribution) -> Attribution {
            failed < decided ? .flaky(failed: failed, of: decided) : decided < 2 ? .unattributed : steady(failed, decided)
        }
        var reason: String? {
            undecided == 0 ? nil : "\(undecided) of \(undecided + decided) reruns could not be decided: \(lastReason)"
        }
    }

    /// The fewest faults that show the finding, one alone where that will do, and the smallest plan for them.
    private func faults(
        _ finding: Finding, _ candidates: [Plan], _ reruns: inout Int
    ) async throws -> (rules: [FaultRule], plan: Plan) {
        let all = rig.profile?.faults ?? []
        var isOpen = false
        let first = try await smallest(candidates, finding, rig, &reruns, &isOpen) ?? candidates.last ?? Plan()
        guard all.count > 1 else { return (all, first) }
        for rule in all {
            if let plan = try await smallest(candidates, finding, with([rule]), &reruns, &isOpen) { return ([rule], plan) }
        }
        // No single one will do: several act together, and only the smallest plan is tried with fewer of them.
        let fewest = try await DeltaDebugging.fewest(of: all) { rules in
            reruns += 1
            return try await shows(finding, first, with(rules)) ?? false
        }
        return (fewest, try await smallest(candidates, finding, with(fewest), &reruns, &isOpen) ?? first)
    }

    private func with(_ rules: [FaultRule]) -> Rig {
        var rig = rig
        rig.profile?.faults = rules
        return rig
    }

    /// The first candidate that shows the finding; nil when none does.
    /// - Parameter isOpen: set where it could not be decided of one.
    private func smallest(
        _ candidates: [Plan], _ finding: Finding, _ rig: Rig, _ reruns: inout Int, _ isOpen: inout Bool
    ) async throws -> Plan? {
        reruns += candidates.count
        let (plan, isUndecided) = try await withThrowingTaskGroup(of: (Int, Bool?).self) { group -> (Plan?, Bool) in
            for (index, plan) in candidates.enumerated() {
                group.addTask { (index, try await shows(finding, plan, rig)) }
            }
            var shown: [Int: Bool] = [:]
            var isUndecided = false
            while let (index, isShown) = try await group.next() {
                shown[index] = isShown ?? false
                isUndecided = isUndecided || isShown == nil
                // Larger ones no longer matter once all smaller ones are known.
                let known = candidates.indices.prefix { shown[$0] == false }
                if known.count < candidates.count, shown[known.count] == true {
                    group.cancelAll()
                    return (candidates[known.count], isUndecided)
                }
            }
            return (nil, isUndecided)
        }
        isOpen = isOpen || isUndecided
        return plan
    }

    /// How many of `runs` show it. What is undecided is no "not shown": it is played again.
    private func count(
        _ finding: Finding, _ plan: Plan, _ rig: Rig, from first: Count = Count(), _ reruns: inout Int
    ) async throws -> Count {
        var count = first
        while count.decided < runs, count.undecided <= repeats {
            let wanted = runs - count.decided
            reruns += wanted
            let looked = try await withThrowingTaskGroup(of: Rerun.self) { group in
                for _ in 0..<wanted { group.addTask { try await look(finding, plan, rig) } }
                var looked: [Rerun] = []
                for try await rerun in group { looked.append(rerun) }
                return looked
            }
            for rerun in looked {
                switch rerun {
                case .shown:
                    count.failed += 1
                    count.decided += 1
                case .missing: count.decided += 1
                case .undecided(let reason, _):
                    count.undecided += 1
                    count.lastReason = reason
                }
            }
        }
        return count
    }

    /// Nil when it cannot be decided.
    private func shows(_ finding: Finding, _ plan: Plan, _ rig: Rig) async throws -> Bool? {
        for _ in 0..<2 {
            switch try await look(finding, plan, rig) {
            case .shown: return true
            case .missing: return false
            case .undecided: if Task.isCancelled { return nil }
            }
        }
        return nil
    }

    private func look(_ finding: Finding, _ plan: Plan, _ rig: Rig) async throws -> Rerun {
        let (endpoint, held) = try await place.take()
        var rig = rig
        rig.target = endpoint
        rig.isEnough = { Rerun.same($0, finding) }
        if finding.property == BoundedResources.id { rig.meter = { [place] in await place.sample(held) } }
        let run: RigRun
        do { run = try await play(rig, plan) } catch {
            await place.give(back: held)
            throw error
        }
        await place.give(back: held)
        return Rerun(of: finding, run.judgement)
    }
}

/// Which step of a plan a finding is about.
package enum BlamedStep {
    /// Label of the last step that one of the finding's users began before the last entry of the witness came in; guards
    /// do nothing and are never it. Nil when there is none.
    /// - Parameter origin: a step's instant plus this is an entry's.
    package static func label(
        of finding: Finding, in plan: Plan, steps: [StepResult], origin: Instant
    ) -> Int? {
        guard let last = finding.witness.last?.instant else { return nil }
        var began: [Int: Instant] = [:]
        for step in steps { began[step.number] = origin.advanced(by: Instant.zero.duration(to: step.started)) }
        let own = plan.steps.filter { step in
            guard let user = step.user, finding.users.contains(user), !step.verb.isGuard else { return false }
            return began[step.number].map { $0 <= last } ?? false
        }
        return own.last?.number
    }
}
