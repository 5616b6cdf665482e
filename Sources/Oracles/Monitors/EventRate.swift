import Contracts
import Journaling

/// Fewer events than so many in a time, during all of which runs were under way (incidents.md I5).
struct EventRate: Monitor {
    static let id = "event-rate"
    static let name = "event rate"
    static let severity = Alert.Severity.warning
    static let needsEveryone = true
    static let hears: SignalKinds = [.event, .touched, .underWay, .rests, .over]

    /// The time is looked at in so many steps.
    private static let steps = 6
    private let rate: Rate
    private var counts: StepCounts
    private var runs = LiveRuns()
    private(set) var due: Instant?
    /// Nothing will be different before something is heard.
    private var isAsleep = false

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let rate = rules.eventRate, rate.count > 0, rate.per > .zero, let contract, !contract.runs.isEmpty else { return nil }
        self.rate = rate
        counts = StepCounts(step: max(rate.per / Self.steps, .milliseconds(1)), steps: Self.steps)
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        switch signal {
        case .event, .touched:
            counts.add(at: now)
            if isAsleep { due = counts.boundary(behind: now) }
            isAsleep = false
        case .underWay(let run, let card):
            // All of the time must have had runs under way.
            if runs.isEmpty { due = counts.boundary(behind: now.advanced(by: rate.per)) }
            if runs.isEmpty { isAsleep = false }
            runs.enter(run, on: card.session)
        case .rests(let run, _), .over(let run, _, _):
            guard runs.leave(run), runs.isEmpty else { return }
            (due, isAsleep) = (nil, false)
            book.clear("no run is active", at: now)
        default: return
        }
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        let seen = counts.totals(before: now).all
        let words = "\(Wording.count(seen))/\(unit)"
        // Who is not read from may have said anything.
        let isHeld = runs.sessions.contains { scene[$0]?.isHeld ?? false }
        if book.isOpen() {
            // A fifth more than is needed, so that it does not come and go.
            if seen - rate.count >= rate.count / 5 { book.clear(words, at: now) }
        } else if seen < rate.count, !isHeld {
            book.open("\(words) with \(Wording.count(runs.count, "run")) active, needs \(Wording.count(rate.count))", at: now)
        }
        isAsleep = seen == 0 && (book.isOpen() || isHeld)
        due = isAsleep ? nil : counts.boundary(behind: now)
    }

    /// `min`, `s`, `h`, or the time itself.
    private var unit: String {
        switch rate.per {
        case .seconds(1): "s"
        case .seconds(60): "min"
        case .seconds(3_600): "h"
        default: Wording.duration(rate.per)
        }
    }
}
