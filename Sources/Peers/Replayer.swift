package import Oracles
package import Plans

/// Plays a finding's plan again and says what became of it (looks.md section 3).
package struct Replayer: Sendable {
    package var rig: Rig
    /// How often at most.
    package var runs = 5
    package init(rig: Rig) { self.rig = rig }
    package func replay(_ plan: Plan) async throws -> ReplayReport { throw RigError.cannotListen("not built") }
}

package struct ReplayReport: Sendable {
    package enum Outcome: Sendable, Equatable {
        case stillFailing(failed: Int, of: Int)
        case fixed(of: Int)
        /// Label of the step, and why: `refused with 401 (credential?)`.
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
    package init(
        outcome: Outcome, steps: [StepResult], firstDifference: Int?, finding: Finding?, sentence: String
    ) {
        self.outcome = outcome
        self.steps = steps
        self.firstDifference = firstDifference
        self.finding = finding
        self.sentence = sentence
    }
}
