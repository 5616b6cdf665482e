import Journaling
import NIOCore
import Wire

/// Who sent which canary (`mwc-` and twelve of a-z, 0-9). Owners are learnt at Sout, after any crossing.
struct Canaries: Sendable {
    private struct Owners: Sendable {
        var users: [Principal] = []
        /// Everyone may see it, for ever.
        var isPublic = false
    }
    private var owners: Fading<Canary, Owners>
    private var counts: [Principal: Int] = [:]

    /// The twelve characters behind the prefix.
    struct Canary: Sendable, Hashable {
        var high: UInt64
        var low: UInt64
        var text: String {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
                + (0..<4).map { UInt8(truncatingIfNeeded: low >> (24 - 8 * $0)) }
            return "mwc-" + String(decoding: bytes, as: UTF8.self)
        }
    }

    init(capacity: Int) { owners = Fading(capacity: capacity) }

    mutating func learn(_ payload: ByteBuffer, owner: Principal) {
        for canary in Self.all(in: payload) {
            var known = owners[canary] ?? Owners()
            guard !known.users.contains(owner) else { continue }
            // Who so many know is no secret.
            if known.users.count < 64 { known.users.append(owner) } else { known.isPublic = true }
            owners.set(canary, known)
            counts[owner, default: 0] += 1
        }
    }

    func isKnown(_ canary: Canary) -> Bool { owners[canary] != nil }

    /// From now on everyone may see them.
    mutating func declassify(_ payload: ByteBuffer) {
        for canary in Self.all(in: payload) { owners.set(canary, Owners(isPublic: true)) }
    }

    /// Whether anyone else has sent a canary, so that a look can find something.
    func hasForeign(to user: Principal) -> Bool { owners.count > counts[user, default: 0] }

    /// The first canary in it that others sent and its reader does not know.
    func foreign(
        in payload: ByteBuffer, knownBy isKnown: (Principal) -> Bool
    ) -> (canary: Canary, owners: [Principal])? {
        for canary in Self.all(in: payload) {
            guard let known = owners[canary], !known.isPublic, !known.users.isEmpty else { continue }
            if !known.users.contains(where: isKnown) { return (canary, known.users) }
        }
        return nil
    }

    static func all(in payload: ByteBuffer) -> [Canary] {
        guard payload.readableBytes >= 16 else { return [] }
        var found: [Canary] = []
        let bytes = payload.readableBytesView
        let start = bytes.startIndex
        // The hyphen is the rarest of the prefix.
        var from = 3
        while let hyphen = ByteScan.first(0x2d, in: payload.readableBytesSpan, from: from) {
            from = hyphen + 1
            let at = start + hyphen
            guard at + 12 < bytes.endIndex else { break }
            guard bytes[at - 3] == 0x6d, bytes[at - 2] == 0x77, bytes[at - 1] == 0x63 else { continue }
            if let canary = canary(bytes[(at + 1)..<(at + 13)]) { found.append(canary) }
        }
        return found
    }

    /// Nil when one of the twelve is no letter of ours and no digit.
    private static func canary(_ characters: ByteBufferView) -> Canary? {
        var canary = Canary(high: 0, low: 0)
        for (offset, byte) in characters.enumerated() {
            guard (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) else { return nil }
            if offset < 8 {
                canary.high = canary.high << 8 | UInt64(byte)
            } else {
                canary.low = canary.low << 8 | UInt64(byte)
            }
        }
        return canary
    }
}
