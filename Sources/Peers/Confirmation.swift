import Faults
import Journaling
package import Oracles
package import Plans

/// A server to play against, of one's own as long as it is held, so that what one rerun leaves behind reaches no other.
package protocol Stand: Sendable {
    associatedtype Held: Sendable
    func take() async throws -> (endpoint: Endpoint, held: Held)
    func give(back held: Held) async
}

/// Reruns a finding's plan with and without its faults, makes it smaller, and says where the blame lies (oracle.md,
/// "Attribution"). Reruns are independent of one another and overlap.
package struct Confirmation<Place: Stand>: Sendable {
    /// As it was when the finding was seen; its target is replaced by what `place` gives.
    package var rig: Rig
    package var place: Place
    /// How many runs the attribution counts.
    package var runs = 5
    package init(rig: Rig, place: Place) {
        self.rig = rig
        self.place = place
        self.rig.recording = nil
    }

    package struct Outcome: Sendable {
        package var finding: Finding
        package var plan: Plan
        package var reruns: Int
    }

    /// - Parameter run: the run that showed it, to tell which step of the plan the finding is about.
    package func confirm(_ finding: Finding, from plan: Plan, seenIn run: RigRun) async throws -> Outcome {
        let candidates = PlanReducer.candidates(
            plan, witnesses: finding.users, upTo: Self.step(of: finding, in: plan, run))
        var reruns = 0
        var confirmed = finding
        var bare = rig
        bare.profile = nil
        if let plan = try await smallest(candidates, finding, bare, &reruns) {
            let failed = try await count(finding, plan, bare, &reruns)
            confirmed.attribution =
                failed == runs ? .intrinsic(failed: failed, of: runs) : .flaky(failed: failed, of: runs)
            return Outcome(finding: confirmed, plan: plan, reruns: reruns)
        }
        guard let profile = rig.profile, !profile.faults.isEmpty else {
            confirmed.attribution = .flaky(failed: 1, of: reruns + 1)
            return Outcome(finding: confirmed, plan: plan, reruns: reruns)
        }
        let exposing = try await faults(finding, candidates, &reruns)
        var shown = rig
        shown.profile?.faults = exposing.rules
        let failed = try await count(finding, exposing.plan, shown, &reruns)
        confirmed.attribution =
            failed == runs
            ? .faultExposed(exposing.rules.map(\.id), failed: failed, of: runs) : .flaky(failed: failed, of: runs)
        var written = exposing.plan
        written.faults = exposing.rules.map(Plan.FaultLine.init(rule:))
        return Outcome(finding: confirmed, plan: written, reruns: reruns)
    }

    /// The fewest faults that show the finding, one alone where that will do, and the smallest plan for them.
    private func faults(
        _ finding: Finding, _ candidates: [Plan], _ reruns: inout Int
    ) async throws -> (rules: [FaultRule], plan: Plan) {
        let all = rig.profile?.faults ?? []
        if all.count > 1 {
            for rule in all {
                var alone = rig
                alone.profile?.faults = [rule]
                if let plan = try await smallest(candidates, finding, alone, &reruns) { return ([rule], plan) }
            }
        }
        return (all, try await smallest(candidates, finding, rig, &reruns) ?? candidates.last ?? Plan())
    }

    /// The first candidate that shows the finding; nil when none does.
    private func smallest(
        _ candidates: [Plan], _ finding: Finding, _ rig: Rig, _ reruns: inout Int
    ) async throws -> Plan? {
        reruns += candidates.count
        return try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
            for (index, plan) in candidates.enumerated() {
                group.addTask { (index, try await shows(finding, plan, rig)) }
            }
            var shown: [Int: Bool] = [:]
            while let (index, isShown) = try await group.next() {
                shown[index] = isShown
                // Larger ones no longer matter once all smaller ones are known.
                let known = candidates.indices.prefix { shown[$0] == false }
                if known.count < candidates.count, shown[known.count] == true {
                    group.cancelAll()
                    return candidates[known.count]
                }
            }
            return nil
        }
    }

    /// How many of `runs` show it, the one that led here among them.
    private func count(_ finding: Finding, _ plan: Plan, _ rig: Rig, _ reruns: inout Int) async throws -> Int {
        reruns += runs - 1
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 1..<runs { group.addTask { try await shows(finding, plan, rig) } }
            var failed = 1
            for try await isShown in group where isShown { failed += 1 }
            return failed
        }
    }

    private func shows(_ finding: Finding, _ plan: Plan, _ rig: Rig) async throws -> Bool {
        let (endpoint, held) = try await place.take()
        var rig = rig
        rig.target = endpoint
        let same: @Sendable (Finding) -> Bool = {
            $0.property == finding.property && $0.fingerprint == finding.fingerprint
        }
        rig.isEnough = same
        let run: RigRun
        do { run = try await rig.run(plan) } catch {
            await place.give(back: held)
            throw error
        }
        await place.give(back: held)
        return run.judgement.findings.contains(where: same)
    }

    /// Label of the step that sends what the finding is about: the last that one of its users began before the last
    /// entry of the witness came in.
    static func step(of finding: Finding, in plan: Plan, _ run: RigRun) -> Int? {
        guard let last = finding.witness.last?.instant else { return nil }
        var began: [Int: Instant] = [:]
        for step in run.steps { began[step.number] = run.origin.advanced(by: Instant.zero.duration(to: step.started)) }
        let own = plan.steps.filter { step in
            guard let user = step.user, finding.users.contains(user), !step.verb.isGuard else { return false }
            return began[step.number].map { $0 <= last } ?? false
        }
        return own.last?.number
    }
}
