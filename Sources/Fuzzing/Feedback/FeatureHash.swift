/// What a feature tells of. The number is part of the hash and stays what it is: corpora outlive versions.
enum FeatureKind: UInt64 {
    case sequence = 1
    /// A step of the abstract state of a session, run or part.
    case edge = 2
    case close = 3
    case opening = 4
    case shape = 5
    case text = 6
    case count = 7
    case size = 8
    case frame = 9
    case order = 10
    case verdict = 11
    case step = 12
    case end = 13
}

/// Hashes that are the same in every process: FNV-1a over texts, SplitMix64's finaliser over words.
enum FeatureHash {
    static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    @inline(__always) static func step(_ state: UInt64, _ byte: UInt8) -> UInt64 {
        (state ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    static func text(_ text: String) -> UInt64 { bytes(text.utf8) }

    static func bytes(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var state = start
        for byte in bytes { state = step(state, byte) }
        return mixed(state)
    }

    static func join(_ a: UInt64, _ b: UInt64) -> UInt64 { mixed(mixed(a) ^ b) }

    /// The lowest bit says whether it is a state edge, so that boards can count these without a second set.
    static func feature(_ kind: FeatureKind, _ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0) -> UInt64 {
        let hash = join(join(join(join(mixed(kind.rawValue), a), b), c), d)
        return kind == .edge ? hash | 1 : hash & ~1
    }

    static func isEdge(_ feature: UInt64) -> Bool { feature & 1 == 1 }

    /// 0 for 0, then one more with each doubling.
    static func bucket(_ count: Int) -> UInt64 {
        UInt64(clamping: Int.bitWidth - max(0, count).leadingZeroBitCount)
    }
}
