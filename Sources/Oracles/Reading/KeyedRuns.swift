import Journaling

/// The run of each key. An event asks for its own several times, and the next one of its connection is likely of the same run.
struct KeyedRuns: Sendable {
    private struct Found: Sendable {
        var key: RunKey
        var number: UInt64
        var changes: UInt64
    }
    private var numbers: [RunKey: UInt64] = [:]
    private var lately = SessionMap<Found>()
    /// How often a key was given to another run while it had one: what was found before may be the old one.
    private var changes: UInt64 = 0

    mutating func forget(_ id: SessionID) { lately[id] = nil }

    /// - Parameters:
    ///   - id: the connection that asks.
    ///   - isOpen: whether the run of that number is under way: where it is, its key is still its own.
    mutating func find(_ key: RunKey, on id: SessionID, isOpen: (UInt64) -> Bool) -> UInt64? {
        if let found = lately[id], found.changes == changes, found.key == key, isOpen(found.number) { return found.number }
        guard let number = numbers[key] else { return nil }
        lately[id] = Found(key: key, number: number, changes: changes)
        return number
    }

    subscript(key: RunKey) -> UInt64? { numbers[key] }

    mutating func set(_ key: RunKey, _ number: UInt64) {
        if let old = numbers.updateValue(number, forKey: key), old != number { changes += 1 }
    }

    /// That run is over.
    mutating func remove(_ key: RunKey, of number: UInt64) {
        if let index = numbers.index(forKey: key), numbers.values[index] == number { numbers.remove(at: index) }
    }
}
