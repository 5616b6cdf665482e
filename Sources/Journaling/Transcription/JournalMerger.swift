/// Has a place in its loop's order.
package protocol Journaled: Sendable {
    var instant: Instant { get set }
}

extension Entry: Journaled {}
extension RawEntry: Journaled {}

/// Merges what several event loops wrote into the one order that every reader sees, live and offline: (instant, loop,
/// sequence). Each loop hands over its items in order and publishes a watermark, the instant before which it will add
/// nothing more; an item is given out once no loop can still add an earlier one. A loop that has nothing to say ticks.
package struct JournalMerger<Item: Journaled>: Sendable {
    package struct Merged: Sendable {
        package var item: Item
        package var loop: UInt16
        package var sequence: UInt64
    }

    private struct Lane {
        /// Nil where one was given out: it holds bytes of the network, and nobody counts these any more.
        var items: [Item?] = []
        var head = 0
        /// Sequence number of `items[head]`.
        var sequence: UInt64 = 0
        var latest = Instant(nanoseconds: .min)
        var watermark = Instant(nanoseconds: .min)
        var isOver = false

        var isEmpty: Bool { head == items.count }

        var first: Item? { isEmpty ? nil : items[head] }

        mutating func pop() -> Item? {
            guard !isEmpty else { return nil }
            let item = items[head]
            items[head] = nil
            head += 1
            if head > 256, head * 2 > items.count {
                items.removeSubrange(0..<head)
                head = 0
            }
            return item
        }
    }

    private var lanes: [Lane]
    /// Items waiting for a slower loop's watermark.
    package private(set) var waiting = 0

    /// - Parameter loops: how many there are; they are numbered from 0.
    package init(loops: Int) {
        lanes = Array(repeating: Lane(), count: max(1, loops))
    }

    /// Adds what a loop wrote, in its order. An instant behind the loop's last one or behind its watermark is raised to
    /// it, because a reader may have passed that point; the passage inside the item keeps the true times.
    package mutating func push(_ items: [Item], loop: Int) {
        guard lanes.indices.contains(loop) else { return }
        for var item in items {
            item.instant = max(item.instant, lanes[loop].latest, lanes[loop].watermark)
            lanes[loop].latest = item.instant
            lanes[loop].items.append(item)
        }
        waiting += items.count
    }

    /// From now on the loop adds nothing before `instant`.
    package mutating func advance(loop: Int, to instant: Instant) {
        guard lanes.indices.contains(loop) else { return }
        lanes[loop].watermark = max(lanes[loop].watermark, instant)
    }

    /// The loop adds nothing more at all.
    package mutating func finish(loop: Int) {
        guard lanes.indices.contains(loop) else { return }
        lanes[loop].isOver = true
    }

    /// Nothing earlier than this will be given out: how far a reader's clock may go in silence.
    package var watermark: Instant {
        var earliest = Instant.distantFuture
        for lane in lanes {
            if let first = lane.first {
                earliest = min(earliest, first.instant)
            } else if !lane.isOver {
                earliest = min(earliest, max(lane.watermark, lane.latest))
            }
        }
        return earliest
    }

    /// The next item in order, or nil while a loop may still add an earlier one.
    package mutating func next() -> Merged? {
        var earliest: (loop: Int, instant: Instant)?
        for index in lanes.indices {
            guard let instant = lanes[index].first?.instant else { continue }
            if let earliest, instant >= earliest.instant { continue }
            earliest = (index, instant)
        }
        guard let (best, instant) = earliest else { return nil }
        for index in lanes.indices where index != best && lanes[index].isEmpty && !lanes[index].isOver {
            // A lower loop wins at equal instants, so it must have passed the instant, not only reached it.
            let reached = max(lanes[index].watermark, lanes[index].latest)
            if index < best ? reached <= instant : reached < instant { return nil }
        }
        let sequence = lanes[best].sequence
        guard let item = lanes[best].pop() else { return nil }
        lanes[best].sequence += 1
        waiting -= 1
        return Merged(item: item, loop: UInt16(clamping: best), sequence: sequence)
    }
}
