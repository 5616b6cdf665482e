import Findings
import Foundation
import Fuzzing
import Oracles
import Plans
import Reporting
import Synchronization

/// What the run has found so far. Each finding is a file as soon as it is settled, so that nothing of it is lost however
/// the run ends.
final class FindingShelf: Sendable {
    private struct State {
        var seen: [Finding] = []
        var settled: [FuzzFinding] = []
        /// Ids under which settled ones were seen at first.
        var aliases: Set<String> = []
        var reported: [ReportedFinding] = []
        /// Where plans are that our own check failed on.
        var unbalanced: [String] = []
        /// One sentence why the last file could not be written.
        var trouble: String?
    }
    private let order: FuzzOrder
    private let state = Mutex(State())

    init(_ order: FuzzOrder) { self.order = order }

    func counts(_ finding: Finding) -> Bool { order.options.counts(finding) }

    func saw(_ finding: Finding) {
        state.withLock { state in
            if !state.seen.contains(where: { $0.id == finding.id }) { state.seen.append(finding) }
        }
    }

    /// Writes the plan, anew when it is smaller or its counts have changed.
    @discardableResult func settle(_ found: FuzzFinding) -> ReportedFinding {
        state.withLock { state in
            var item = report(found)
            if let path = item.file, let plan = item.plan {
                do { try write(PlanText.print(plan), to: path) } catch {
                    state.trouble = "the plan \(path) cannot be written: \(error.localizedDescription)"
                    item.file = nil
                    item.line = nil
                    item.replay = nil
                }
            }
            if let alias = found.seenAs { state.aliases.insert(alias) }
            state.settled.removeAll { $0.finding.id == found.finding.id }
            state.reported.removeAll { $0.finding.id == found.finding.id }
            state.settled.append(found)
            state.reported.append(item)
            return item
        }
    }

    /// Keeps the plan of a case whose books do not balance, for us to look at.
    func keep(unbalanced name: CaseName, _ plan: Plan) {
        let path = path(of: "self-check-\(name).plan")
        state.withLock { state in
            do {
                try write(PlanText.print(plan), to: path)
                state.unbalanced.append(path)
            } catch { state.trouble = "the plan \(path) cannot be written: \(error.localizedDescription)" }
        }
    }

    /// Worst first; what does not fail the run stands last.
    var reported: [ReportedFinding] {
        state.withLock(\.reported).sorted { left, right in
            if left.isFlaky != right.isFlaky { return right.isFlaky }
            let (first, second) = (Severity.rank(left.finding.property), Severity.rank(right.finding.property))
            if first != second { return first < second }
            return left.finding.repeats != right.finding.repeats
                ? left.finding.repeats > right.finding.repeats : left.finding.id < right.finding.id
        }
    }

    var settled: [FuzzFinding] { state.withLock(\.settled) }

    /// Seen, and never run again.
    var open: [Finding] {
        state.withLock { state in
            state.seen.filter { finding in
                counts(finding) && !state.settled.contains { $0.finding.id == finding.id }
                    && !state.aliases.contains(finding.id)
            }
        }
    }

    var unbalanced: [String] { state.withLock(\.unbalanced) }

    var trouble: String? { state.withLock(\.trouble) }

    private func path(of file: String) -> String {
        order.findings == "." ? file : order.findings.trimmingSlashes + "/" + file
    }

    private func report(_ found: FuzzFinding) -> ReportedFinding {
        let options = order.options
        let profile = found.plan.faults.isEmpty ? "none" : options.profile?.name ?? "plan"
        let origin =
            "fuzz, seed \(options.seed), case \(found.name), miswire \(Miswire.number), profile \(profile), "
            + "contract \(options.contract.name) \(options.contract.hash)"
        let file = FindingPlan(
            found.finding, steps: FailingStep.marked(found.plan, for: found.finding), origin: origin,
            attribution: FindingBlock.short(found.finding.attribution))
        let path = path(of: file.name)
        var item = ReportedFinding(
            finding: found.finding, plan: file.plan, file: path, line: FailingStep.line(in: PlanText.print(file.plan)),
            replay: "\(OwnName.command) replay \(FuzzCommandLine.quoted(path))\(order.replay)")
        item.exit = found.exit
        item.stderr = found.stderr
        return item
    }

    private func write(_ text: String, to path: String) throws {
        try FileManager.default.createDirectory(atPath: order.findings, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

/// Which step of a plan a reader should look at.
enum FailingStep {
    static let mark = "fails here"

    /// Marks what the finding's first user waits for last, as that is where it shows; without such a step the last one. A
    /// target that goes away does so after what that user did last. Whoever marked a step before knew more.
    static func marked(_ plan: Plan, for finding: Finding) -> Plan {
        guard !plan.steps.contains(where: { $0.comment?.hasPrefix(mark) ?? false }) else { return plan }
        var plan = plan
        let showsByAct = finding.property == CrashFinding.property
        let own = plan.steps.lastIndex { step in
            step.verb.isGuard != showsByAct && step.user != nil && step.user == finding.users.first
        }
        guard let index = own ?? plan.steps.lastIndex(where: \.verb.isGuard) ?? plan.steps.indices.last else { return plan }
        plan.steps[index].comment = "\(mark): \(finding.sentence)"
        return plan
    }

    /// From 1.
    static func line(in text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.firstIndex { $0.contains("# \(mark)") }.map { $0 + 1 }
    }
}

extension String {
    /// `findings/` is `findings`; `/` stays.
    var trimmingSlashes: String {
        var text = self
        while text.count > 1, text.hasSuffix("/") { text.removeLast() }
        return text
    }
}
