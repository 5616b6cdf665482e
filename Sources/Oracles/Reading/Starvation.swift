import Journaling

/// Tells how long our own loops stood still, and how long the machine that we share with the server had no processor to
/// spare. A deadline missed in such time proves nothing about the server: it is credited, and a miss that remains is
/// inconclusive. Idle loops publish a tick every 100 ms; a loop that never ticked (an imported or a simulated journal)
/// has no such measure and is taken as awake.
struct Starvation: Sendable {
    /// Longest silence of a loop that is still healthy: one tick and half of another.
    static let patience: Int64 = 150_000_000
    /// A bound is credited until so many times its length have passed; what is open then is inconclusive.
    static let mostBounds: Int64 = 8

    private struct Loop {
        var last: Instant
        var lost: Int64 = 0
        var crowded: Int64 = 0
    }
    /// By the loop's number; nil: it has not ticked.
    private var loops: [Loop?] = []

    /// Nanoseconds lost by a loop up to an instant, since its first tick: silent, and crowded.
    struct Mark: Sendable, Equatable {
        var lost: Int64
        var crowded: Int64
    }

    mutating func observe(_ entry: Entry) {
        let place = Int(entry.loop)
        guard place < loops.count, var loop = loops[place] else {
            guard entry.body.isTick else { return }
            if place >= loops.count { loops.append(contentsOf: repeatElement(nil, count: place + 1 - loops.count)) }
            return loops[place] = Loop(last: entry.instant)
        }
        loop.lost = Self.adding(loop.lost, Self.excess(from: loop.last, to: entry.instant))
        if case .tick(let crowded) = entry.body { loop.crowded = Self.adding(loop.crowded, Int64(clamping: crowded)) }
        if entry.instant > loop.last { loop.last = entry.instant }
        loops[place] = loop
    }

    /// Nil when that loop does not tick.
    func mark(_ loop: UInt16, at now: Instant) -> Mark? {
        guard Int(loop) < loops.count, let state = loops[Int(loop)] else { return nil }
        return Mark(lost: Self.adding(state.lost, Self.excess(from: state.last, to: now)), crowded: state.crowded)
    }

    /// Nanoseconds lost in silence, and crowded, since `mark`.
    private func lost(_ loop: UInt16, since mark: Mark, at now: Instant) -> (silent: Int64, crowded: Int64) {
        guard let current = self.mark(loop, at: now) else { return (0, 0) }
        return (Self.difference(current.lost, mark.lost), Self.difference(current.crowded, mark.crowded))
    }

    /// When a bound is to be looked at that has run out at `now`: later by what was lost while it ran. Nil: it has been
    /// credited already, or for as long as any bound may be.
    /// - Parameter allowance: until when it is credited for what lay unread.
    func credited(
        _ loop: UInt16, _ pending: Pending, allowance: Instant, proof: Duration, at now: Instant
    ) -> Instant? {
        guard excuse(loop, pending, at: now) == nil else { return nil }
        var wanted = allowance
        if let mark = pending.mark {
            let lost = lost(loop, since: mark, at: now)
            let (most, overflow) = pending.bound.nanoseconds.multipliedReportingOverflow(by: Self.mostBounds)
            let credit = min(Self.adding(lost.silent, lost.crowded), overflow ? .max : most)
            wanted = allowance.advanced(by: proof).advanced(by: .nanoseconds(credit))
        }
        return wanted > (pending.proofDue ?? pending.due) ? wanted : nil
    }

    /// The sentence's end when what was lost while the bound ran may explain its miss: more than a tenth of it in silence,
    /// or a crowd that outlasted every credit.
    /// - Parameter isLate: it came after all; then the silence, of which `silent` is only the part beyond `patience`, and
    ///   the crowd may explain all of its delay.
    func excuse(_ loop: UInt16, _ pending: Pending, at now: Instant, isLate: Bool = false) -> String? {
        guard let mark = pending.mark else { return nil }
        let (silent, crowded) = lost(loop, since: mark, at: now)
        let late = isLate ? pending.due.duration(to: now).nanoseconds : .max
        let isExplained = silent > 0 && late - Self.patience <= Self.adding(silent, crowded)
        if isExplained || silent > max(20_000_000, pending.bound.nanoseconds / 10) {
            return "the machine kept miswire waiting for \(Wording.duration(.nanoseconds(silent)))"
        }
        let (most, overflow) = pending.bound.nanoseconds.multipliedReportingOverflow(by: Self.mostBounds)
        // What is crowded between two ticks is known at the second.
        let isCrowded = isLate && crowded > 0 && late - Self.patience <= crowded
        guard isCrowded || (!overflow && crowded >= most) else { return nil }
        return "the machine had no processor to spare for \(Wording.duration(.nanoseconds(crowded)))"
    }

    private static func difference(_ later: Int64, _ earlier: Int64) -> Int64 {
        let (lost, overflow) = later.subtractingReportingOverflow(earlier)
        return overflow ? 0 : max(0, lost)
    }

    private static func excess(from last: Instant, to now: Instant) -> Int64 {
        let (gap, overflow) = now.nanoseconds.subtractingReportingOverflow(last.nanoseconds)
        return overflow ? 0 : max(0, gap - patience)
    }

    private static func adding(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
