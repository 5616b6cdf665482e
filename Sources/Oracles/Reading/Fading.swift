/// A dictionary that forgets its oldest keys when it is full: what is forgotten is unknown again and accuses nobody.
///
/// A run enters a dozen of these and most grow for as long as a journal does: what is hashed is small, and what is kept stands in
/// memory in the order in which it came.
struct Fading<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// By key: how many entered before it.
    private var turns: [Key: Int] = [:]
    /// In the order in which they count as new; nil where one was forgotten, or counts as new again further on.
    private var entries: [(key: Key, value: Value)?] = []
    /// How many entered before the first of `entries`, and before the oldest that is known.
    private var base = 0
    private var oldest = 0
    private let capacity: Int
    private(set) var forgotten = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { turns.count }

    subscript(key: Key) -> Value? { turns[key].flatMap { entries[$0 - base]?.value } }

    /// - Parameter renews: the key counts as new though it is known.
    mutating func set(_ key: Key, _ value: Value, renews: Bool = false) {
        let turn = base + entries.count
        let known = Self.look(at: &turns[key, default: turn], turn, renews)
        if known == turn { return enter(key, value) }
        guard renews else {
            entries[known - base]?.value = value
            return
        }
        entries[known - base] = nil
        enter(key, value)
    }

    /// What is known by that key; otherwise `new`, which is known from now on.
    mutating func value(of key: Key, or new: () -> Value) -> Value { take(key, or: new).value }

    /// The same, with whether it was unknown.
    mutating func take(_ key: Key, or new: () -> Value) -> (value: Value, isNew: Bool) {
        let turn = base + entries.count
        let known = Self.look(at: &turns[key, default: turn], turn, false)
        if known != turn, let value = entries[known - base]?.value { return (value, false) }
        let value = new()
        enter(key, value)
        return (value, true)
    }

    /// One look-up both finds a key and enters it.
    private static func look(at known: inout Int, _ turn: Int, _ renews: Bool) -> Int {
        defer { if renews { known = turn } }
        return known
    }

    /// The key's place in the order stays.
    mutating func update(_ key: Key, _ change: (inout Value) -> Void) {
        guard let turn = turns[key], var entry = entries[turn - base] else { return }
        // Nothing else holds it meanwhile, or what it holds is copied.
        entries[turn - base] = nil
        change(&entry.value)
        entries[turn - base] = entry
    }

    /// Changes every value, whatever the order.
    mutating func transform(_ change: (Value) -> Value) {
        for place in entries.indices {
            if let value = entries[place]?.value { entries[place]?.value = change(value) }
        }
    }

    private mutating func enter(_ key: Key, _ value: Value) {
        entries.append((key, value))
        while turns.count > capacity { forget() }
        if entries.count > 2 * turns.count + 64 { tidy() }
    }

    private mutating func forget() {
        while oldest - base < entries.count, entries[oldest - base] == nil { oldest += 1 }
        guard oldest - base < entries.count, let entry = entries[oldest - base] else { return }
        turns[entry.key] = nil
        entries[oldest - base] = nil
        forgotten += 1
    }

    /// Empty places are left out: those before the oldest, and the others where there are too many.
    private mutating func tidy() {
        while oldest - base < entries.count, entries[oldest - base] == nil { oldest += 1 }
        entries.removeFirst(oldest - base)
        base = oldest
        guard entries.count > turns.count + turns.count / 2 + 32 else { return }
        entries.removeAll { $0 == nil }
        for place in entries.indices {
            if let key = entries[place]?.key { turns[key] = base + place }
        }
    }
}
