/// What one finding may cost (fuzzing.md, "Shrinking").
package struct ConfirmBudget: Sendable {
    /// Plays, and time on the clock. Whichever is used up first ends the work with the best that is known by then.
    package var executions: Int
    package var time: Duration
    /// False for `--no-shrink`: it is rerun and attributed, its plan stays as large as it is.
    package var shrinks: Bool
    /// How many reruns the attribution counts.
    package var runs = 5
    /// Reruns that nobody can decide are repeated, so many in all at each step of the ladder.
    package var repeats = 5
    package init(executions: Int = 400, time: Duration = .seconds(60), shrinks: Bool = true) {
        self.executions = executions
        self.time = time
        self.shrinks = shrinks
    }
}

/// Who else uses the target while a finding is rerun: nobody.
package struct Quiet: Sendable {
    /// Every play has a target of its own, so that several may be under way; else they follow one another, and the caller
    /// sees to it that no other case is played meanwhile.
    package var isolated: Bool
    /// How many at once, when isolated.
    package var lanes: Int
    package init(isolated: Bool, lanes: Int = 4) {
        self.isolated = isolated
        self.lanes = max(1, lanes)
    }
    var width: Int { isolated ? lanes : 1 }
}
