import Fuzzing
import Oracles
import Reporting

/// What a run means for the exit code (fuzzing.md, "Exit codes"). Without evidence there is no pass (trust.md T53).
enum FuzzVerdict {
    /// - Parameter isOpen: something was seen that could not be run again.
    static func reason(
        _ result: CampaignResult, findings: [ReportedFinding], isOpen: Bool, checks: Set<String>?
    ) -> ExitReason {
        if case .selfCheckFailed = result.end { return .selfCheckFailed }
        if !result.judgement.toolErrors.isEmpty { return .selfCheckFailed }
        if result.end == .interrupted { return .interrupted }
        if findings.contains(where: { !$0.isFlaky }) { return .violations }
        switch result.end {
        case .unreachable: return .targetUnreachable
        case .nothingExercised: return .nothingExercised
        case .complete, .interrupted, .selfCheckFailed: break
        }
        // What came behind a limit of ours is evidence of nothing.
        if isOpen || !findings.isEmpty || result.progress.floods > 0 { return .inconclusive }
        let asked = result.judgement.properties.filter { checks?.contains($0.id) ?? true }
        if result.progress.executions == 0 || asked.allSatisfy({ $0.verdict == nil }) { return .nothingExercised }
        // Something failed, and nothing says what became of it.
        if asked.contains(where: { $0.failed > 0 }) { return .inconclusive }
        // Among thousands of cases some always end undecided; a property that was never decided at all says nothing.
        let undecided = asked.contains { $0.inconclusive > 0 && $0.passed + $0.excused + $0.failed == 0 }
        return undecided ? .inconclusive : .pass
    }

    /// What makes the verdicts worth less; printed above them.
    /// - Parameter unbalanced: files with plans that our own check failed on.
    static func warnings(_ result: CampaignResult, open: [Finding], unbalanced: [String] = []) -> [String] {
        var sentences: [String] = []
        switch result.end {
        case .complete, .interrupted: break
        case .unreachable(let sentence), .selfCheckFailed(let sentence): sentences.append(sentence)
        case .nothingExercised(let sentence, let remedy): sentences.append(sentence + (remedy.isEmpty ? "" : "; " + remedy))
        }
        if let stability = result.progress.stability, stability < 85 {
            sentences.append(
                "stability is \(Figures.fixed(stability, digits: 1)) %: the target answers the same case differently, so findings may be missed")
        }
        if result.progress.floods > 0 {
            let cases = Figures.plural(result.progress.floods, "case was", "cases were")
            sentences.append("the target sends without end: \(cases) stopped, and what it sent after that is not judged")
        }
        if let first = unbalanced.first {
            let more = unbalanced.count > 1 ? " and \(Figures.plural(unbalanced.count - 1, "other"))" : ""
            sentences.append("a mistake of miswire's own: the plan that shows it is \(first)\(more); please report it with that file")
        }
        for finding in open.prefix(8) {
            sentences.append("\(finding.id) was seen and not run again: \(finding.sentence)")
        }
        if open.count > 8 { sentences.append("\(Figures.plural(open.count - 8, "other finding")) was seen and not run again") }
        return sentences
    }
}
