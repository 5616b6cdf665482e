package import Wire

import struct Crypto.SHA256

/// What fixes every draw of one connection: never arrival order, time or thread (design.md, "Determinism").
package struct DiceKey: Sendable, Hashable {
    package let state: UInt64

    /// - Parameters:
    ///   - profile: the profile's name and hash, so that another profile draws otherwise.
    ///   - user: the label known at the upgrade; empty when none is.
    ///   - connection: ordinal of the connection for that user (or for the listener), from 1.
    package init(seed: UInt64, profile: String, user: String, connection: UInt64) {
        var hash = SHA256()
        for word in [seed, connection] { withBytes(of: word) { hash.update(data: $0) } }
        for text in [profile, user] {
            withBytes(of: UInt64(text.utf8.count)) { hash.update(data: $0) }
            hash.update(data: Array(text.utf8))
        }
        state = hash.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

private func withBytes(of word: UInt64, _ body: ([UInt8]) -> Void) {
    body((0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) })
}

/// Counter-based draws: a pure function of (key, direction, message ordinal, fault id, draw number).
package struct Dice: Sendable, Hashable {
    private let key: UInt64
    private var counter: UInt64 = 0

    package init(_ key: DiceKey, direction: Direction?, message: UInt64, fault: String) {
        var state = key.state
        state = mixed(state ^ (direction == nil ? 3 : direction == .toServer ? 1 : 2))
        state = mixed(state ^ message)
        for byte in fault.utf8 { state = mixed(state ^ UInt64(byte)) }
        self.key = mixed(state ^ UInt64(fault.utf8.count))
    }

    package mutating func next() -> UInt64 {
        counter &+= 1
        return mixed(key &+ counter &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Evenly 0..<n; 0 when n is 0.
    package mutating func below(_ n: UInt64) -> UInt64 { n == 0 ? 0 : n.multipliedFullWidth(by: next()).high }

    package mutating func below(_ n: Int) -> Int {
        Int(truncatingIfNeeded: below(UInt64(clamping: n)))
    }

    /// Evenly from `spread` below to `spread` above, in nanoseconds; never below zero, and the middle where 64 bits do not hold it.
    package mutating func around(_ middle: Duration, by spread: Duration) -> Duration {
        let width = spread.nanoseconds
        guard width > 0 else { return max(.zero, middle) }
        let draw = Int64(clamping: below(UInt64(clamping: width) &* 2 &+ 1)) &- width
        let (sum, overflow) = middle.nanoseconds.addingReportingOverflow(draw)
        return overflow ? middle : .nanoseconds(max(0, sum))
    }

    /// True with probability `p` (0 never, 1 always).
    package mutating func chance(_ p: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < p
    }
}

/// SplitMix64's finaliser (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
private func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
