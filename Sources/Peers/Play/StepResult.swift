package import Journaling

/// What became of one step of a plan.
package struct StepResult: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case ok
        /// The guard did not hold; the text says what came instead: `bob got error at 6 ms`.
        case failed(String)
        /// It could not be tried: refused, no connection, a value that nothing bound.
        case cannot(String)
    }
    /// The step's label in the plan.
    package var number: Int
    package var outcome: Outcome
    /// Since the play began.
    package var started: Instant
    package var took: Duration
    package init(number: Int, outcome: Outcome, started: Instant, took: Duration) {
        self.number = number
        self.outcome = outcome
        self.started = started
        self.took = took
    }
    package var isOK: Bool { outcome == .ok }
}
