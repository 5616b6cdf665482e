import Journaling

/// Counts of the last so many steps of time, so that what is counted slides on in steps and takes no more room than they.
struct StepCounts: Sendable {
    private struct Step: Sendable {
        var number: Int64 = .min
        var all = 0
        var bad = 0
        var worst: Duration = .zero
    }
    struct Totals: Sendable {
        var all = 0
        var bad = 0
        var worst: Duration = .zero
    }
    private let length: Int64
    private let count: Int
    /// One more than is counted: what comes at a boundary takes nothing from what is over there.
    private var steps: [Step]

    init(step: Duration, steps: Int) {
        length = max(1, step.nanoseconds)
        count = max(1, steps)
        self.steps = Array(repeating: Step(), count: count + 1)
    }

    private func number(of instant: Instant) -> Int64 { instant.nanoseconds / length }

    /// The end of the step in which that instant is.
    func boundary(behind instant: Instant) -> Instant {
        let (end, overflow) = (number(of: instant) &+ 1).multipliedReportingOverflow(by: length)
        return overflow ? .distantFuture : Instant(nanoseconds: end)
    }

    mutating func add(bad: Bool, worst: Duration = .zero, at now: Instant) {
        let number = number(of: now)
        let place = Int(truncatingIfNeeded: number.magnitude % UInt64(steps.count))
        if steps[place].number != number { steps[place] = Step(number: number) }
        steps[place].all += 1
        if bad { steps[place].bad += 1 }
        steps[place].worst = max(steps[place].worst, worst)
    }

    /// Of as many steps as count, the one in which that instant is being the last.
    func totals(at now: Instant) -> Totals {
        let last = number(of: now)
        var totals = Totals()
        for step in steps where step.number <= last && step.number > last &- Int64(count) {
            totals.all += step.all
            totals.bad += step.bad
            totals.worst = max(totals.worst, step.worst)
        }
        return totals
    }

    /// Of the steps that are over at a boundary.
    func totals(before boundary: Instant) -> Totals { totals(at: boundary.advanced(by: .nanoseconds(-1))) }
}
