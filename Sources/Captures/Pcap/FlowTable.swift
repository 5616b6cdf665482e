/// The two ends of a TCP connection, whichever of them sent: the lower one is the first.
struct FlowKey: Equatable {
    var lowHigh: UInt64 = 0
    var lowLow: UInt64 = 0
    var highHigh: UInt64 = 0
    var highLow: UInt64 = 0
    /// Ports, the first end's in the upper half.
    var ports: UInt32 = 0

    init() {}

    /// - Returns: also whether the sender is the lower end.
    @inline(__always)
    static func of(_ ends: FlowEnds, _ source: UInt16, _ target: UInt16) -> (key: FlowKey, fromLow: Bool) {
        let fromLow =
            ends.sourceHigh != ends.targetHigh
            ? ends.sourceHigh < ends.targetHigh
            : ends.sourceLow != ends.targetLow ? ends.sourceLow < ends.targetLow : source <= target
        var key = FlowKey()
        if fromLow {
            key.lowHigh = ends.sourceHigh
            key.lowLow = ends.sourceLow
            key.highHigh = ends.targetHigh
            key.highLow = ends.targetLow
            key.ports = UInt32(source) << 16 | UInt32(target)
        } else {
            key.lowHigh = ends.targetHigh
            key.lowLow = ends.targetLow
            key.highHigh = ends.sourceHigh
            key.highLow = ends.sourceLow
            key.ports = UInt32(target) << 16 | UInt32(source)
        }
        return (key, fromLow)
    }

    var lowPort: UInt16 { UInt16(ports >> 16) }
    var highPort: UInt16 { UInt16(truncatingIfNeeded: ports) }
    /// `10.0.0.7:50412`
    var low: String { AddressText.endpoint(lowHigh, lowLow, lowPort) }
    var high: String { AddressText.endpoint(highHigh, highLow, highPort) }
}

/// From a key to a number, by open addressing: no packet costs an allocation. Its hash is keyed by chance, so that no
/// capture can be made whose connections all share a place; what comes out does not depend on it.
struct FlowTable {
    private var slots: [Int32]
    private var keys: [FlowKey]
    private var mask: Int
    private(set) var count = 0
    private let salt: (UInt64, UInt64)

    init(salt: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))) {
        slots = Array(repeating: -1, count: 1_024)
        keys = Array(repeating: FlowKey(), count: 1_024)
        mask = 1_023
        self.salt = (salt.0 | 1, salt.1 | 1)
    }

    @inline(__always)
    private func home(_ key: FlowKey) -> Int {
        let first = (key.lowLow ^ salt.0).multipliedFullWidth(by: (key.highLow ^ salt.1) | 1)
        let second = (key.lowHigh ^ first.low ^ UInt64(key.ports)).multipliedFullWidth(
            by: (key.highHigh ^ first.high ^ salt.0) | 1)
        let mixed = (second.high ^ second.low ^ salt.1).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return Int(truncatingIfNeeded: mixed.high ^ mixed.low) & mask
    }

    @inline(__always)
    func find(_ key: FlowKey) -> Int? {
        var at = home(key)
        while slots[at] >= 0 {
            if keys[at] == key { return Int(slots[at]) }
            at = (at &+ 1) & mask
        }
        return nil
    }

    /// The key must not be there yet.
    mutating func insert(_ key: FlowKey, _ value: Int) {
        if count &* 2 >= slots.count { grow() }
        place(key, Int32(clamping: value))
        count += 1
    }

    private mutating func place(_ key: FlowKey, _ value: Int32) {
        var at = home(key)
        while slots[at] >= 0 { at = (at &+ 1) & mask }
        slots[at] = value
        keys[at] = key
    }

    private mutating func grow() {
        let old = (slots, keys)
        mask = slots.count &* 2 &- 1
        slots = Array(repeating: -1, count: mask &+ 1)
        keys = Array(repeating: FlowKey(), count: mask &+ 1)
        for at in old.0.indices where old.0[at] >= 0 { place(old.1[at], old.0[at]) }
    }

    /// Moves what follows into the hole, so that searches still find it.
    mutating func remove(_ key: FlowKey) {
        var hole = home(key)
        while slots[hole] >= 0, keys[hole] != key { hole = (hole &+ 1) & mask }
        guard slots[hole] >= 0 else { return }
        count -= 1
        var at = hole
        while true {
            at = (at &+ 1) & mask
            guard slots[at] >= 0 else { break }
            let wanted = home(keys[at])
            if (at &- wanted) & mask >= (at &- hole) & mask {
                slots[hole] = slots[at]
                keys[hole] = keys[at]
                hole = at
            }
        }
        slots[hole] = -1
    }
}

/// Addresses as people write them (RFC 5952).
enum AddressText {
    static func endpoint(_ high: UInt64, _ low: UInt64, _ port: UInt16) -> String {
        if high == 0, low >> 32 == 0xffff {
            return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255):\(port)"
        }
        return "[\(version6(high, low))]:\(port)"
    }

    private static func version6(_ high: UInt64, _ low: UInt64) -> String {
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3)))
        }
        var best = 0..<0
        var at = 0
        while at < 8 {
            let end = groups[at...].firstIndex { $0 != 0 } ?? 8
            if end - at > max(best.count, 1) { best = at..<end }
            at = max(end, at + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty
            ? text(groups[...]) : text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
