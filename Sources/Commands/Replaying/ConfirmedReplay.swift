import Faults
import Journaling
import Oracles
import Peers
import Plans
import Reporting

/// `replay --confirm`: what a plan shows, each finding with its evidence and where the blame lies.
struct ConfirmedReplay {
    var plan: Plan
    var file: String
    var rig: Rig
    var place: TargetStand
    /// The whole command line.
    var command: String
    var seed: UInt64

    struct Item {
        var finding: Finding
        var reruns: Int
        var reason: String?
        var replay: String
        var facts: RunFacts
    }

    /// More than one plan can show at once is a server that is not there.
    private static let most = 16

    func findings(of report: ReplayReport) async throws -> [Item] {
        guard let run = report.run else { return [] }
        var items: [Item] = []
        for finding in run.judgement.findings.prefix(Self.most) {
            let confirmation = Confirmation(rig: rig, place: place)
            let outcome = try await confirmation.confirm(finding, from: plan, seenIn: run)
            items.append(
                Item(
                    finding: outcome.finding, reruns: outcome.reruns, reason: outcome.reason, replay: command, facts: facts))
        }
        return items
    }

    private var facts: RunFacts {
        let text = PlanText.print(plan)
        let contract = rig.contract.map { "\($0.name) \($0.hash)" }
        let faults = plan.faults.map(\.id).joined(separator: " ")
        return RunFacts(
            seed: seed, plan: "\(file) \(Digest.sha256Hex(text, digits: 6))",
            profile: faults.isEmpty ? "none" : "plan (\(faults))", contract: contract, version: Miswire.number)
    }
}
