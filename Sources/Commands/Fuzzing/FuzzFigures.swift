import Fuzzing
import Reporting

/// The run's own numbers as the forms of Reporting want them.
enum FuzzFigures {
    static func board(_ progress: Fuzzing.Progress) -> BoardFigures {
        var figures = BoardFigures()
        figures.elapsed = progress.elapsed
        figures.total = progress.total
        figures.phaseNumber = number(of: progress.phase)
        figures.phaseCount = Phase.allCases.count - 1
        figures.phase = progress.phase.rawValue
        figures.executions = progress.executions
        figures.messages = progress.messages
        figures.sessions = progress.sessions
        figures.executionsPerSecond = progress.executions > 0 ? progress.executionsPerSecond : nil
        figures.messagesPerSecond = progress.messages > 0 ? progress.messagesPerSecond : nil
        figures.targetP99 = progress.targetP99
        figures.features = progress.features
        figures.featuresPerMinute = progress.featuresPerMinute
        figures.edges = progress.edges
        figures.corpus = progress.corpus
        figures.favoured = progress.favoured
        figures.stability = progress.stability
        figures.flaky = progress.flaky
        figures.reconnects = progress.reconnects
        figures.restarts = progress.restarts
        figures.floods = progress.floods
        figures.downSince = progress.downSince
        figures.sinceNewFeature = progress.features > 0 ? progress.sinceNewFeature : nil
        figures.energies = progress.energies.map { (name: $0.0.rawValue, share: $0.1) }
        figures.mustReject = progress.mustReject
        figures.errorsDelivered = progress.errorsDelivered
        figures.errorKinds = progress.errorKinds
        figures.findings = progress.findings
        figures.confirming = progress.confirming
        figures.shrinking = progress.shrinking.map { .init(number: $0.number, of: $0.of, from: $0.from, to: $0.to) }
        return figures
    }

    /// Calibration is phase 0.
    static func number(of phase: Phase) -> Int { Phase.allCases.firstIndex(of: phase) ?? 0 }

    /// The closing table; phase 0 has its own line at the top of the run.
    static func rows(_ phases: [PhaseResult], kept: Int, flaky: Int) -> [PhaseRow] {
        phases.filter { $0.phase != .calibration }.map { result in
            let number = number(of: result.phase)
            if result.phase == .confirm {
                return PhaseRow(
                    number: number, name: result.phase.rawValue, executions: result.executions, took: result.took,
                    newFeatures: nil, findings: PhaseRow.kept(kept, flaky: flaky))
            }
            return PhaseRow(
                number: number, name: result.phase.rawValue, executions: result.executions, took: result.took,
                newFeatures: result.newFeatures, findings: result.findings)
        }
    }
}
