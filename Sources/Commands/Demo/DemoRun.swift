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
    var form: DemoForm

    /// A finding with the stage that saw it first.
    struct Seen: Sendable {
        var finding: Finding
        var stage: DemoStage
        var file: String?
    }

    func run() async throws -> ExitReason {
        let clock = ContinuousClock()
        let begun = clock.now
        form.open(seed: seed, contract: contract, port: server.port, bugs: bugs)
        var results: [StageResult] = []
        var tally = Tally()
        var seen: [Seen] = []
        for stage in stages {
            let result = try await play(stage)
            form.stage(result)
            results.append(result)
            tally.add(result.judgement)
            for finding in result.judgement.findings where !seen.contains(where: { $0.finding.id == finding.id }) {
                seen.append(Seen(finding: finding, stage: stage))
            }
        }
        var judgement = tally.judgement
        seen = try await confirm(seen, totals: judgement.findings)
        judgement.findings = seen.map(\.finding)
        let reason = Self.reason(judgement, results)
        form.close(judgement, seen: seen, bugs: bugs, took: begun.duration(to: clock.now), reason: reason)
        return reason
    }

    private static func reason(_ judgement: Judgement, _ results: [StageResult]) -> ExitReason {
        let reason = ExitReason.of(judgement)
        // A step that failed though no property did means that the demo showed less than it says.
        return reason == .pass && results.contains { $0.misses > 0 } ? .inconclusive : reason
    }

    private func rig(_ stage: DemoStage) throws -> Rig {
        let profile = try ProfileLoader().load(stage.profile)
        var rig = Rig(
            target: Endpoint(host: "127.0.0.1", port: server.port), contract: contract, profile: profile, seed: seed,
            key: Array(SigningKey.value().utf8))
        if let record { rig.recording = "\(record)/\(stage.name)" }
        return rig
    }

    private func plan(_ stage: DemoStage) throws -> Plan {
        guard let plan = PlanLibrary.plan(stage.name) else {
            throw Complaint("the shipped plan `\(stage.name)` cannot be read", exit: .selfCheckFailed)
        }
        return plan
    }

    private func play(_ stage: DemoStage) async throws -> StageResult {
        let plan = try plan(stage)
        form.begin(stage, users: plan.users.count)
        do {
            let run = try await rig(stage).run(plan)
            return StageResult(
                stage: stage, users: plan.users.count, judgement: run.judgement, steps: run.steps, took: run.took)
        } catch let error as RigError { throw Target.complaint(error) }
    }

    /// Worst last: the order of the summary is the order of severity reversed (looks.md section 0).
    private func confirm(_ seen: [Seen], totals: [Finding]) async throws -> [Seen] {
        guard !seen.isEmpty else { return [] }
        let clock = ContinuousClock()
        let begun = clock.now
        var confirmed: [Seen] = []
        var reruns = 0
        for item in seen {
            form.confirming(item.finding)
            var rig = try rig(item.stage)
            rig.recording = nil
            let outcome = try await Confirmation(rig: rig).confirm(item.finding, from: try plan(item.stage))
            reruns += outcome.reruns
            var finding = outcome.finding
            finding.repeats = totals.first { $0.id == finding.id }?.repeats ?? finding.repeats
            let file = try write(finding, outcome.plan, item.stage)
            confirmed.append(Seen(finding: finding, stage: item.stage, file: file))
        }
        form.confirmed(findings: confirmed.count, reruns: reruns, took: begun.duration(to: clock.now))
        return confirmed.sorted { Severity.rank($0.finding.property) > Severity.rank($1.finding.property) }
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

/// Order of properties by how much a violation hurts: I A H E D C R (looks.md section 0).
enum Severity {
    static func rank(_ property: String) -> Int {
        let order = "IAHEDCR"
        guard let letter = property.first, let index = order.firstIndex(of: letter) else { return 100 }
        let number = Int(property.dropFirst()) ?? 9
        return order.distance(from: order.startIndex, to: index) * 10 + number
    }
}
