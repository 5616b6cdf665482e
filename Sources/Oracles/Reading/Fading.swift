/// A dictionary that forgets its oldest keys when it is full: what is forgotten is unknown again and accuses nobody.
///
/// A run enters a dozen of these and most grow for as long as a journal does, so each key stands in one place and is hashed
/// once: a dictionary beside a list of keys in their order would hold it twice, and hash all again whenever it grows.
struct Fading<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// In the order in which they count as new; nil where one was forgotten, or counts as new again further on.
    private var entries: [(key: Key, value: Value)?] = []
    /// Of the keys, by the same places.
    private var hashes: [Int] = []
    /// A power of two of them, by the last bits of the hash or the next free one: one more than the place, 0 where there is none.
    private var table: [UInt32] = []
    /// No entry stands before it.
    private var head = 0
    private let capacity: Int
    private(set) var count = 0
    private(set) var forgotten = 0

    init(capacity: Int) { self.capacity = min(max(1, capacity), 1 << 30) }

    subscript(key: Key) -> Value? { place(of: key, key.hashValue).flatMap { entries[$0]?.value } }

    /// - Parameter renews: the key counts as new though it is known.
    mutating func set(_ key: Key, _ value: Value, renews: Bool = false) {
        let hash = key.hashValue
        if let place = place(of: key, hash) {
            if !renews {
                entries[place]?.value = value
                return
            }
            remove(at: place)
        }
        enter(key, value, hash)
    }

    /// What is known by that key; otherwise `new`, which is known from now on.
    mutating func value(of key: Key, or new: () -> Value) -> Value { take(key, or: new).value }

    /// The same, with whether it was unknown.
    mutating func take(_ key: Key, or new: () -> Value) -> (value: Value, isNew: Bool) {
        let hash = key.hashValue
        if let place = place(of: key, hash), let value = entries[place]?.value { return (value, false) }
        let value = new()
        enter(key, value, hash)
        return (value, true)
    }

    /// The key's place in the order stays.
    mutating func update(_ key: Key, _ change: (inout Value) -> Void) {
        guard let place = place(of: key, key.hashValue), var entry = entries[place] else { return }
        // Nothing else holds it meanwhile, or what it holds is copied.
        entries[place] = nil
        change(&entry.value)
        entries[place] = entry
    }

    /// Changes every value, whatever the order.
    mutating func transform(_ change: (Value) -> Value) {
        for place in entries.indices {
            if let value = entries[place]?.value { entries[place]?.value = change(value) }
        }
    }

    // MARK: Places

    private var mask: Int { table.count &- 1 }

    private func place(of key: Key, _ hash: Int) -> Int? {
        guard !table.isEmpty else { return nil }
        var index = hash & mask
        // It has free ones.
        while table[index] != 0 {
            let place = Int(table[index]) - 1
            if hashes[place] == hash, entries[place]?.key == key { return place }
            index = (index &+ 1) & mask
        }
        return nil
    }

    private mutating func enter(_ key: Key, _ value: Value, _ hash: Int) {
        if entries.count > 2 * count + 64 { tidy() }
        if 4 * (count + 1) > 3 * table.count { fill(count: max(16, 2 * table.count)) }
        entries.append((key, value))
        hashes.append(hash)
        point(to: entries.count - 1)
        count += 1
        while count > capacity { forget() }
    }

    private mutating func point(to place: Int) {
        var index = hashes[place] & mask
        while table[index] != 0 { index = (index &+ 1) & mask }
        table[index] = UInt32(truncatingIfNeeded: place + 1)
    }

    private mutating func fill(count: Int) {
        table = Array(repeating: 0, count: count)
        for place in entries.indices where entries[place] != nil { point(to: place) }
    }

    /// Empty places are left out.
    private mutating func tidy() {
        hashes = entries.indices.filter { entries[$0] != nil }.map { hashes[$0] }
        entries.removeAll { $0 == nil }
        head = 0
        fill(count: table.count)
    }

    private mutating func forget() {
        while head < entries.count, entries[head] == nil { head += 1 }
        guard head < entries.count else { return }
        remove(at: head)
        forgotten += 1
    }

    private mutating func remove(at place: Int) {
        var hole = hashes[place] & mask
        while table[hole] != UInt32(truncatingIfNeeded: place + 1) { hole = (hole &+ 1) & mask }
        var index = (hole &+ 1) & mask
        // Whoever stands further on because this was taken moves up.
        while table[index] != 0 {
            let home = hashes[Int(table[index]) - 1] & mask
            if (index &- home) & mask >= (index &- hole) & mask {
                table[hole] = table[index]
                hole = index
            }
            index = (index &+ 1) & mask
        }
        table[hole] = 0
        entries[place] = nil
        count -= 1
    }
}
