import Findings
import Journaling
import Oracles
import Peers
import Plans
import Reporting

/// Reruns a finding's plan with and without its faults, reduces it, and says where the blame lies (oracle.md,
/// "Attribution").
struct Confirmation: Sendable {
    var rig: Rig
    /// Profile whose faults acted when it was found; nil = none.
    var runs = 5

    struct Outcome: Sendable {
        var finding: Finding
        var plan: Plan
        var reruns: Int
    }

    func confirm(_ finding: Finding, from plan: Plan) async throws -> Outcome {
        var reruns = 0
        let bare = try await reduce(finding, plan, faults: false, reruns: &reruns)
        var confirmed = finding
        if let bare {
            let failed = try await count(finding, bare, faults: false, reruns: &reruns)
            confirmed.attribution =
                failed == runs ? .intrinsic(failed: failed, of: runs) : .flaky(failed: failed, of: runs)
            return Outcome(finding: confirmed, plan: bare, reruns: reruns)
        }
        let ids = Self.faultIDs(rig)
        let exposed = try await reduce(finding, plan, faults: true, reruns: &reruns) ?? plan
        let failed = try await count(finding, exposed, faults: true, reruns: &reruns)
        confirmed.attribution =
            failed == runs && !ids.isEmpty
            ? .faultExposed(ids, failed: failed, of: runs) : .flaky(failed: failed, of: runs)
        return Outcome(finding: confirmed, plan: withFaults(exposed), reruns: reruns)
    }

    /// The smallest candidate that still shows the finding; nil when none does.
    private func reduce(
        _ finding: Finding, _ plan: Plan, faults: Bool, reruns: inout Int
    ) async throws -> Plan? {
        for candidate in PlanReducer.candidates(plan, witnesses: finding.users, upTo: nil) {
            reruns += 1
            if try await shows(finding, candidate, faults: faults) { return candidate }
        }
        return nil
    }

    private func count(_ finding: Finding, _ plan: Plan, faults: Bool, reruns: inout Int) async throws -> Int {
        var failed = 1
        for _ in 1..<runs {
            reruns += 1
            if try await shows(finding, plan, faults: faults) { failed += 1 }
        }
        return failed
    }

    private func shows(_ finding: Finding, _ plan: Plan, faults: Bool) async throws -> Bool {
        var rig = rig
        if !faults { rig.profile = nil }
        let run = try await rig.run(plan)
        return run.judgement.findings.contains { $0.property == finding.property && $0.fingerprint == finding.fingerprint }
    }

    private static func faultIDs(_ rig: Rig) -> [String] { rig.profile?.faults.map(\.id) ?? [] }

    private func withFaults(_ plan: Plan) -> Plan {
        var plan = plan
        plan.faults = rig.profile?.faults.map(Plan.FaultLine.init(rule:)) ?? []
        return plan
    }
}
