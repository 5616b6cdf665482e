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

/// A dictionary of what bears numbers: an entry asks for its session, and for its run, dozens of times, and a list tells
/// where each stands without a hash. It has its own look-up, beside the ledger's `NumberPlaces`, since this one is made part of
/// whoever asks, dozens of times for each entry.
struct NumberMap<Key: Numbered, Value: Sendable>: Sendable {
    /// Numbers from here on stand in a dictionary: whoever wrote the journal chose them.
    private let limit: UInt64 = 1 << 20
    /// By number: one more than the place, 0 where there is nothing.
    private var near: [UInt32] = []
    private var far: [UInt64: Int] = [:]
    private var slots: [Value?] = []
    /// Whose each slot is, or was.
    private var owners: [UInt64] = []
    private var free: [Int] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// In no order.
    var keys: some Sequence<Key> { slots.indices.lazy.filter { slots[$0] != nil }.map { Key(number: owners[$0]) } }
    /// In no order.
    var values: some Sequence<Value> { slots.lazy.compactMap { $0 } }

    subscript(key: Key) -> Value? {
        @inline(__always) get {
            guard let place = place(of: key.number) else { return nil }
            return slots[place]
        }
        @inline(__always) _modify {
            if let place = place(of: key.number) {
                yield &slots[place]
                if slots[place] == nil { forget(key.number, at: place) }
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
            let place = place(of: key.number) ?? keep(make(), for: key.number)
            var value = slots[place] ?? make()
            slots[place] = nil
            defer { slots[place] = value }
            yield &value
        }
    }

    mutating func removeValue(forKey key: Key) -> Value? {
        guard let place = place(of: key.number) else { return nil }
        defer { forget(key.number, at: place) }
        return slots[place]
    }

    @inline(__always)
    private func place(of number: UInt64) -> Int? {
        if number < UInt64(near.count) {
            let place = near[Int(number)]
            return place > 0 ? Int(place) - 1 : nil
        }
        return number < limit ? nil : far[number]
    }

    @discardableResult
    private mutating func keep(_ value: Value, for number: UInt64) -> Int {
        let place = free.popLast() ?? slots.count
        if place == slots.count {
            slots.append(value)
            owners.append(number)
        } else {
            slots[place] = value
            owners[place] = number
        }
        if number < limit {
            let index = Int(number)
            if index >= near.count { near.append(contentsOf: repeatElement(0, count: max(64, index + 1 - near.count))) }
            near[index] = UInt32(place + 1)
        } else {
            far[number] = place
        }
        count += 1
        return place
    }

    private mutating func forget(_ number: UInt64, at place: Int) {
        slots[place] = nil
        free.append(place)
        if number < limit { near[Int(number)] = 0 } else { far[number] = nil }
        count -= 1
    }
}

typealias SessionMap<Value: Sendable> = NumberMap<SessionID, Value>
