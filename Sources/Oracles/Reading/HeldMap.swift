import Journaling

/// What is known by a number of ours.
protocol Numbered {
    var number: UInt64 { get }
    init(number: UInt64)
}

extension SessionID: Numbered {
    var number: UInt64 { UInt64(value) }
    init(number: UInt64) { self.init(UInt32(truncatingIfNeeded: number)) }
}

extension UInt64: Numbered {
    var number: UInt64 { self }
    init(number: UInt64) { self = number }
}

/// A dictionary of which one key is at hand (`hold`): an entry asks for its own session, and for its run, dozens of times,
/// and each of these is found without a look-up.
struct HeldMap<Key: Numbered, Value: Sendable>: Sendable {
    private var places: [UInt64: Int] = [:]
    private var slots: [Value?] = []
    private var free: [Int] = []
    private var held: UInt64?
    /// Of the key at hand; nil: nothing is kept for it.
    private var place: Int?

    var isEmpty: Bool { places.isEmpty }
    var count: Int { places.count }
    /// In no order.
    var keys: some Sequence<Key> { places.keys.lazy.map { Key(number: $0) } }
    /// In no order.
    var values: some Sequence<Value> { slots.lazy.compactMap { $0 } }

    mutating func hold(_ key: Key) {
        guard held != key.number else { return }
        held = key.number
        place = places[key.number]
    }

    subscript(key: Key) -> Value? {
        get {
            guard let place = self.place(of: key) else { return nil }
            return slots[place]
        }
        _modify {
            if let place = self.place(of: key) {
                yield &slots[place]
                if slots[place] == nil { forget(key, at: place) }
            } else {
                var value: Value?
                yield &value
                if let value { keep(value, for: key) }
            }
        }
    }

    subscript(key: Key, default make: @autoclosure () -> Value) -> Value {
        get { self[key] ?? make() }
        _modify {
            let place = place(of: key) ?? keep(make(), for: key)
            var value = slots[place] ?? make()
            slots[place] = nil
            defer { slots[place] = value }
            yield &value
        }
    }

    mutating func removeValue(forKey key: Key) -> Value? {
        guard let place = place(of: key) else { return nil }
        defer { forget(key, at: place) }
        return slots[place]
    }

    private func place(of key: Key) -> Int? { held == key.number ? place : places[key.number] }

    @discardableResult
    private mutating func keep(_ value: Value, for key: Key) -> Int {
        let place = free.popLast() ?? slots.count
        if place == slots.count { slots.append(value) } else { slots[place] = value }
        places[key.number] = place
        if held == key.number { self.place = place }
        return place
    }

    private mutating func forget(_ key: Key, at place: Int) {
        slots[place] = nil
        free.append(place)
        places[key.number] = nil
        if held == key.number { self.place = nil }
    }
}

typealias SessionMap<Value: Sendable> = HeldMap<SessionID, Value>
