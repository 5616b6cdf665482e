/// Makes canaries and tells whose they are: owner (40 bits, a keyed hash of the user's name), number (24 bits), and a keyed
/// tag over both (64 bits). Whoever has the key, and the names of the users, needs no list of what was handed out; who has
/// not can neither make one nor take one user's for another's. Keys come from the seed of a run, so that its plan says the
/// same words each time.
package struct CanaryKey: Sendable, Hashable {
    private let key: [UInt8]

    package init(_ key: [UInt8]) { self.key = key }

    package init(seed: UInt64) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: seed >> UInt64(56 - 8 * $0)) }
        self.init(Digest.hmacSHA256(bytes, key: Array("miswire canary".utf8)))
    }

    /// - Parameter number: tells one user's canaries apart; 24 bits of it count.
    package func canary(of user: String, number: UInt64) -> Canary {
        let high = owner(user) << 24 | number & 0xff_ffff
        return Canary(.ordinary, high: high, low: tag(high))
    }

    /// Made with this key, for whomever. Never true of an old one. One in 2^64 of others passes.
    package func made(_ canary: Canary) -> Bool { canary.kind != .old && canary.low == tag(canary.high) }

    /// Whether it was made for that user. Two users of 10,000 share their 40 bits once in 20,000 runs; their canaries
    /// are then taken for each other's own.
    package func isOwner(_ user: String, of canary: Canary) -> Bool { made(canary) && canary.high >> 24 == owner(user) }

    /// Of these users the one it was made for.
    package func owner(of canary: Canary, among users: some Sequence<String>) -> String? {
        made(canary) ? users.first { canary.high >> 24 == owner($0) } : nil
    }

    private func owner(_ user: String) -> UInt64 { word("owner \(user)".utf8) >> 24 }

    private func tag(_ high: UInt64) -> UInt64 {
        word(Array("tag ".utf8) + (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) })
    }

    private func word(_ bytes: some Sequence<UInt8>) -> UInt64 {
        Digest.hmacSHA256(Array(bytes), key: key).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
