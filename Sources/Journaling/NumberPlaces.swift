/// Gives numbers places in an array, where numbers come one behind the other and old ones go, as those of sessions and runs do:
/// a number is looked for where its end says. Whichever finds that taken is kept as a dictionary keeps it, so that no choice of
/// numbers makes it slow.
package struct NumberPlaces: Sendable {
    private struct Slot: Sendable {
        var number: UInt64 = 0
        /// Less than none: nobody's.
        var place = -1
    }
    /// None, or a power of two.
    private var slots: [Slot] = []
    private var others: [UInt64: Int] = [:]
    /// Places that were given before and are not now.
    private var free: [Int] = []
    package private(set) var count = 0

    private static let fewest = 16
    /// More slots than this are not laid out.
    private static let most = 65_536

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package subscript(number: UInt64) -> Int? {
        if !slots.isEmpty {
            let slot = slots[Int(truncatingIfNeeded: number & UInt64(truncatingIfNeeded: slots.count &- 1))]
            if slot.number == number, slot.place >= 0 { return slot.place }
        }
        return others.isEmpty ? nil : others[number]
    }

    /// The place of a number that has none yet: one that was given up, or the next, which is `count`.
    package mutating func add(_ number: UInt64) -> Int {
        if let known = self[number] { return known }
        let place = free.popLast() ?? count
        count += 1
        if !put(place, number) {
            if count > slots.count / 2, slots.count < Self.most { grow() }
            if !put(place, number) { others[number] = place }
        }
        return place
    }

    /// The place that it gives up.
    package mutating func remove(_ number: UInt64) -> Int? {
        guard let place = self[number] else { return nil }
        let slot = slot(of: number)
        if slots[slot].number == number, slots[slot].place >= 0 { slots[slot].place = -1 } else { others[number] = nil }
        free.append(place)
        count -= 1
        return place
    }

    private func slot(of number: UInt64) -> Int { Int(truncatingIfNeeded: number & UInt64(truncatingIfNeeded: slots.count &- 1)) }

    /// False: another stands there.
    private mutating func put(_ place: Int, _ number: UInt64) -> Bool {
        guard !slots.isEmpty else { return false }
        let slot = slot(of: number)
        guard slots[slot].place < 0 else { return false }
        slots[slot] = Slot(number: number, place: place)
        return true
    }

    private mutating func grow() {
        let old = slots.filter { $0.place >= 0 } + others.map { Slot(number: $0.key, place: $0.value) }
        slots = Array(repeating: Slot(), count: max(Self.fewest, slots.count * 2))
        others = [:]
        for known in old where !put(known.place, known.number) { others[known.number] = known.place }
    }
}
