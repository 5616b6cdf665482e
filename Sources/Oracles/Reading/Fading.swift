/// A dictionary that forgets its oldest keys when it is full: what is forgotten is unknown again and accuses nobody.
struct Fading<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Slot: Sendable {
        var value: Value
        /// Of the key's place in `order` that counts.
        var turn: UInt64
    }
    private var slots: [Key: Slot] = [:]
    private var order: [(key: Key, turn: UInt64)] = []
    private var head = 0
    private var turns: UInt64 = 0
    private let capacity: Int
    private(set) var forgotten = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { slots.count }

    subscript(key: Key) -> Value? { slots[key]?.value }

    /// - Parameter renews: the key counts as new though it is known.
    mutating func set(_ key: Key, _ value: Value, renews: Bool = false) {
        let turn = turns + 1
        guard Self.put(value, into: &slots[key, default: Slot(value: value, turn: turn)], turn, renews) else { return }
        enter(key, turn)
    }

    /// What is known by that key; otherwise `new`, which is known from now on.
    mutating func value(of key: Key, or new: () -> Value) -> Value { take(key, or: new).value }

    /// The same, with whether it was unknown.
    mutating func take(_ key: Key, or new: () -> Value) -> (value: Value, isNew: Bool) {
        let turn = turns + 1
        let taken = Self.look(at: &slots[key, default: Slot(value: new(), turn: turn)], turn)
        if taken.isNew { enter(key, turn) }
        return taken
    }

    private static func look(at slot: inout Slot, _ turn: UInt64) -> (value: Value, isNew: Bool) { (slot.value, slot.turn == turn) }

    private mutating func enter(_ key: Key, _ turn: UInt64) {
        turns = turn
        order.append((key, turn))
        while slots.count > capacity, head < order.count {
            forget(order[head])
            head += 1
        }
        if head > capacity {
            order.removeFirst(head)
            head = 0
        }
        if order.count > 4 * capacity { tidy() }
    }

    /// - Returns: whether the key is new, or counts as new.
    private static func put(_ value: Value, into slot: inout Slot, _ turn: UInt64, _ renews: Bool) -> Bool {
        if slot.turn == turn { return true }
        slot.value = value
        if renews { slot.turn = turn }
        return renews
    }

    private mutating func forget(_ oldest: (key: Key, turn: UInt64)) {
        guard slots[oldest.key]?.turn == oldest.turn else { return }
        slots[oldest.key] = nil
        forgotten += 1
    }

    /// Places that were renewed since are left out.
    private mutating func tidy() {
        order = order[head...].filter { slots[$0.key]?.turn == $0.turn }
        head = 0
    }

    /// The key's place in the order stays.
    mutating func update(_ key: Key, _ change: (inout Value) -> Void) {
        guard let index = slots.index(forKey: key) else { return }
        change(&slots.values[index].value)
    }

    /// Changes every value, whatever the order.
    mutating func transform(_ change: (Value) -> Value) {
        slots = slots.mapValues { Slot(value: change($0.value), turn: $0.turn) }
    }
}
