import Contracts
import Faults
import Findings
import Foundation
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import ReferenceBackend
import Reporting

/// Plays the stages one after the other, then confirms what was found.
struct DemoRun: Sendable {
    var server: BackendServer
    var bugs: [BackendBug]
    var contract: Contract
    var seed: UInt64
    var stages: [DemoStage]
    /// Where plans of findings go.
    var directory: String
    var record: String?
    /// Event loops of the proxy.
    var loops = 1
    var form: DemoForm

    /// A finding with the stage that saw it first.
    struct Seen: Sendable {
        var finding: Finding
        var stage: DemoStage
        var file: String?
        var reruns = 0
    }

    func run() async throws -> ExitReason {
        let clock = ContinuousClock()
        let begun = clock.now
        form.open(seed: seed, contract: contract, port: server.port, bugs: bugs)
        var results: [StageResult] = []
        var tally = Tally()
        var known: Set<String> = []
        // What a stage finds is confirmed while the next stages play, on servers of its own.
        let (seen, waited) = try await withThrowingTaskGroup(of: Seen.self) { group in
            for stage in stages {
                let (result, run) = try await play(stage)
                form.stage(result)
                results.append(result)
                tally.add(result.judgement)
                for finding in result.judgement.findings where known.insert(finding.id).inserted {
                    group.addTask { try await confirm(finding, stage, run) }
                }
            }
            let played = clock.now
            var seen: [Seen] = []
            if !known.isEmpty { form.confirming(known.count) }
            for try await item in group { seen.append(item) }
            return (seen, played.duration(to: clock.now))
        }
        var judgement = tally.judgement
        let totals = judgement.findings
        let written = seen.sorted(by: Self.worstLast).map { item in
            var item = item
            item.finding.repeats = totals.first { $0.id == item.finding.id }?.repeats ?? item.finding.repeats
            return item
        }
        if !written.isEmpty {
            form.confirmed(findings: written.count, reruns: written.reduce(0) { $0 + $1.reruns }, took: waited)
        }
        judgement.findings = written.map(\.finding)
        let reason = Self.reason(judgement, results)
        form.close(judgement, seen: written, bugs: bugs, took: begun.duration(to: clock.now), reason: reason)
        return reason
    }

    /// Worst last: a terminal shows the most important at the bottom (looks.md section 0).
    private static func worstLast(_ left: Seen, _ right: Seen) -> Bool {
        Severity.isWorse(right.finding, than: left.finding)
    }

    private static func reason(_ judgement: Judgement, _ results: [StageResult]) -> ExitReason {
        let reason = ExitReason.of(judgement)
        // A step that failed though no property did means that the demo showed less than it says.
        return reason == .pass && results.contains { $0.misses > 0 } ? .inconclusive : reason
    }

    private func rig(_ stage: DemoStage) throws -> Rig {
        var profile = try ProfileLoader().load(stage.profile)
        // A plan that says where faults act says so of all of them.
        if let plan = PlanLibrary.plan(stage.name), !plan.faults.isEmpty {
            profile = try PlanFile.profile(plan)
            profile.name = stage.profile
        }
        var rig = Rig(
            target: Endpoint(host: "127.0.0.1", port: server.port), contract: contract, profile: profile, seed: seed,
            key: Array(SigningKey.value().utf8))
        rig.loops = loops
        if let record { rig.recording = "\(record)/\(stage.name)" }
        return rig
    }

    private func plan(_ stage: DemoStage) throws -> Plan {
        guard let plan = PlanLibrary.plan(stage.name) else {
            throw Complaint("the shipped plan `\(stage.name)` cannot be read", exit: .selfCheckFailed)
        }
        return plan
    }

    private func play(_ stage: DemoStage) async throws -> (StageResult, RigRun) {
        let plan = try plan(stage)
        form.begin(stage, users: plan.users.count)
        do {
            var rig = try rig(stage)
            rig.missesAllowed = 1
            let run = try await rig.run(plan)
            let result = StageResult(
                stage: stage, users: plan.users.count, judgement: run.judgement, steps: run.steps, took: run.took)
            return (result, run)
        } catch let error as RigError { throw Target.complaint(error) }
    }

    private func confirm(_ finding: Finding, _ stage: DemoStage, _ run: RigRun) async throws -> Seen {
        let confirmation = Confirmation(rig: try rig(stage), place: DemoStand(bugs: Set(bugs)))
        let outcome = try await confirmation.confirm(finding, from: try plan(stage), seenIn: run)
        let file = try write(outcome.finding, outcome.plan, stage)
        return Seen(finding: outcome.finding, stage: stage, file: file, reruns: outcome.reruns)
    }

    private func write(_ finding: Finding, _ plan: Plan, _ stage: DemoStage) throws -> String {
        let origin =
            "demo, seed \(seed), miswire \(Miswire.number), profile \(plan.faults.isEmpty ? "none" : stage.profile), "
            + "contract \(contract.name) \(contract.hash)"
        let file = FindingPlan(
            finding, steps: plan, origin: origin, attribution: FindingBlock.short(finding.attribution))
        let path = directory == "." ? file.name : "\(directory)/\(file.name)"
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(PlanText.print(file.plan).utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Complaint(
                "the plan \(SafeText.show(path)) cannot be written",
                details: [("found", SafeText.show(error.localizedDescription)), ("remedy", "name another directory with --findings")],
                exit: .usage)
        }
        return path
    }
}
