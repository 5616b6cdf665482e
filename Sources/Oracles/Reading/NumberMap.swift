import Journaling

/// What is known by a number of ours, given from 1 upwards.
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

/// A dictionary of what bears numbers: an entry asks for its session, and for its run, dozens of times, and each is found
/// without a hash.
struct NumberMap<Key: Numbered, Value: Sendable>: Sendable {
    private var places = NumberPlaces()
    private var slots: [Value?] = []
    /// Whose each slot is, or was.
    private var owners: [UInt64] = []

    var count: Int { places.count }
    var isEmpty: Bool { places.isEmpty }
    /// In no order.
    var keys: some Sequence<Key> { slots.indices.lazy.filter { slots[$0] != nil }.map { Key(number: owners[$0]) } }
    /// In no order.
    var values: some Sequence<Value> { slots.lazy.compactMap { $0 } }

    // Within whoever asks: called, a modification has a frame of its own, on the heap, each time.
    subscript(key: Key) -> Value? {
        @inline(__always)
        get {
            guard let place = places[key.number] else { return nil }
            return slots[place]
        }
        @inline(__always)
        _modify {
            if let place = places[key.number] {
                yield &slots[place]
                if slots[place] == nil { _ = places.remove(key.number) }
            } else {
                var value: Value?
                yield &value
                if let value { keep(value, for: key.number) }
            }
        }
    }

    subscript(key: Key, default make: @autoclosure () -> Value) -> Value {
        get { self[key] ?? make() }
        _modify {
            let place = places[key.number] ?? keep(make(), for: key.number)
            var value = slots[place] ?? make()
            slots[place] = nil
            defer { slots[place] = value }
            yield &value
        }
    }

    mutating func removeValue(forKey key: Key) -> Value? {
        guard let place = places.remove(key.number) else { return nil }
        defer { slots[place] = nil }
        return slots[place]
    }

    @discardableResult
    private mutating func keep(_ value: Value, for number: UInt64) -> Int {
        let place = places.add(number)
        if place < slots.count {
            slots[place] = value
            owners[place] = number
        } else {
            slots.append(value)
            owners.append(number)
        }
        return place
    }
}

typealias SessionMap<Value: Sendable> = NumberMap<SessionID, Value>
