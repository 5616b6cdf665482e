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
/// where each stands without a hash. What is kept at one time has numbers that are near each other, since they are given
/// upwards: their last bits tell them apart. It has its own look-up, beside the ledger's `NumberPlaces`, since this one is made
/// part of whoever asks, dozens of times for each entry.
struct NumberMap<Key: Numbered, Value: Sendable>: Sendable {
    /// No list is longer; it is a power of two, as they all are.
    private static var longest: Int { 1 << 16 }
    /// By the last bits of a number: one more than its place, 0 where there is nothing.
    private var near: [UInt32] = []
    /// Those that are not told apart by their last bits: whoever wrote the journal chose them.
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

    @inline(__always)
    func contains(_ key: Key) -> Bool { place(of: key.number) != nil }

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
        if near.isEmpty { return nil }
        let place = Int(near[index(of: number)]) - 1
        if place >= 0, owners[place] == number { return place }
        return far.isEmpty ? nil : far[number]
    }

    /// Of a list that is not empty.
    @inline(__always)
    private func index(of number: UInt64) -> Int { Int(truncatingIfNeeded: number & (UInt64(near.count) &- 1)) }

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
        count += 1
        point(at: place, number)
        return place
    }

    private mutating func point(at place: Int, _ number: UInt64) {
        while near.isEmpty || near[index(of: number)] != 0 {
            guard near.count < Self.longest else { return far[number] = place }
            lengthen(without: place)
        }
        near[index(of: number)] = UInt32(clamping: place + 1)
    }

    /// Twice as long a list tells more numbers apart.
    /// - Parameter place: of a number that has no place in the list yet.
    private mutating func lengthen(without place: Int) {
        near = Array(repeating: 0, count: max(64, near.count * 2))
        for other in owners.indices where other != place && slots[other] != nil {
            // Those that had one had different last bits, and have now.
            near[index(of: owners[other])] = UInt32(clamping: other + 1)
        }
    }

    private mutating func forget(_ number: UInt64, at place: Int) {
        slots[place] = nil
        free.append(place)
        if near[index(of: number)] == UInt32(clamping: place + 1) { near[index(of: number)] = 0 } else { far[number] = nil }
        count -= 1
    }
}

typealias SessionMap<Value: Sendable> = NumberMap<SessionID, Value>
