import Journaling

/// Tells how long our own loops stood still. A deadline missed while the machine gave us no time proves nothing about
/// the server, so such a miss is inconclusive. Idle loops publish a tick every 100 ms; a loop that never ticked (an
/// imported or a simulated journal) has no such measure and is taken as awake.
struct Starvation: Sendable {
    /// Longest silence of a loop that is still healthy: one tick and half of another.
    static let patience: Int64 = 150_000_000

    private struct Loop {
        var last: Instant
        var lost: Int64 = 0
    }
    private var loops: [UInt16: Loop] = [:]

    /// Nanoseconds lost by a loop up to an instant, since its first tick.
    struct Mark: Sendable, Equatable {
        var lost: Int64
    }

    mutating func observe(_ entry: Entry) {
        if var loop = loops[entry.loop] {
            loop.lost = Self.adding(loop.lost, Self.excess(from: loop.last, to: entry.instant))
            if entry.instant > loop.last { loop.last = entry.instant }
            loops[entry.loop] = loop
        } else if entry.body == .tick {
            loops[entry.loop] = Loop(last: entry.instant)
        }
    }

    /// Nil when that loop does not tick.
    func mark(_ loop: UInt16, at now: Instant) -> Mark? {
        guard let state = loops[loop] else { return nil }
        return Mark(lost: Self.adding(state.lost, Self.excess(from: state.last, to: now)))
    }

    /// Nanoseconds lost since `mark`.
    func lost(_ loop: UInt16, since mark: Mark, at now: Instant) -> Int64 {
        guard let current = self.mark(loop, at: now) else { return 0 }
        let (lost, overflow) = current.lost.subtractingReportingOverflow(mark.lost)
        return overflow ? 0 : max(0, lost)
    }

    /// The sentence's end when more than a tenth of the bound was lost while it ran.
    /// - Parameter isLate: it came after all; then the silence, of which `lost` is only the part beyond `patience`, may explain all of its delay.
    func excuse(_ loop: UInt16, _ pending: Pending, at now: Instant, isLate: Bool = false) -> String? {
        guard let mark = pending.mark else { return nil }
        let lost = lost(loop, since: mark, at: now)
        let late = isLate ? pending.due.duration(to: now).nanoseconds : .max
        let isExplained = lost > 0 && late - Self.patience <= lost
        guard isExplained || lost > max(20_000_000, pending.bound.nanoseconds / 10) else { return nil }
        return "the machine kept miswire waiting for \(Wording.duration(.nanoseconds(lost)))"
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
