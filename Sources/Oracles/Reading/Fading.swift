/// A dictionary that forgets its oldest keys when it is full: what is forgotten is unknown again and accuses nobody.
struct Fading<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var values: [Key: Value] = [:]
    private var order: [Key] = []
    private var head = 0
    private let capacity: Int
    private(set) var forgotten = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { values.count }

    subscript(key: Key) -> Value? { values[key] }

    mutating func set(_ key: Key, _ value: Value) {
        if values.updateValue(value, forKey: key) == nil { order.append(key) }
        while values.count > capacity, head < order.count {
            if values.removeValue(forKey: order[head]) != nil { forgotten += 1 }
            head += 1
        }
        if head > capacity {
            order.removeFirst(head)
            head = 0
        }
    }

    /// The key's place in the order stays and is passed over when its turn comes.
    mutating func update(_ key: Key, _ change: (inout Value) -> Void) {
        guard var value = values[key] else { return }
        change(&value)
        values[key] = value
    }

    /// Changes every value, whatever the order.
    mutating func transform(_ change: (Value) -> Value) { values = values.mapValues(change) }
}
