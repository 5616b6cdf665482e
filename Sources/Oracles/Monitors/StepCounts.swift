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
    /// Where was counted last.
    private var latest = 0

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

    mutating func add(bad: Bool, worst: Duration, at now: Instant) {
        let place = enter(at: now)
        steps[place].all += 1
        if bad { steps[place].bad += 1 }
        steps[place].worst = max(steps[place].worst, worst)
    }

    mutating func add(at now: Instant) { steps[enter(at: now)].all += 1 }

    /// The place of the step that it is now.
    private mutating func enter(at now: Instant) -> Int {
        let number = number(of: now)
        if steps[latest].number == number { return latest }
        latest = Int(truncatingIfNeeded: number.magnitude % UInt64(steps.count))
        if steps[latest].number != number { steps[latest] = Step(number: number) }
        return latest
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
