import Journaling
import NIOCore

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

    /// From now on everyone may see them.
    mutating func declassify(_ payload: ByteBuffer) {
        for canary in Self.all(in: payload) { owners.set(canary, Owners(isPublic: true)) }
    }

    /// Whether anyone else has sent a canary, so that a look can find something.
    func hasForeign(to user: Principal) -> Bool { owners.count > counts[user, default: 0] }

    /// The first canary in it that others sent and `user` did not.
    func foreign(
        in payload: ByteBuffer, to user: Principal, _ aliases: Aliases
    ) -> (canary: Canary, owners: [Principal])? {
        for canary in Self.all(in: payload) {
            guard let known = owners[canary], !known.isPublic, !known.users.isEmpty else { continue }
            let users = known.users.map { aliases($0) }
            if !users.contains(user) { return (canary, users) }
        }
        return nil
    }

    static func all(in payload: ByteBuffer) -> [Canary] {
        var found: [Canary] = []
        let bytes = payload.readableBytesView
        var index = bytes.startIndex
        // The last place where one still fits.
        let last = bytes.endIndex - 16
        while index <= last {
            guard bytes[index] == 0x6d, bytes[index + 1] == 0x77, bytes[index + 2] == 0x63, bytes[index + 3] == 0x2d else {
                index += 1
                continue
            }
            var canary = Canary(high: 0, low: 0)
            var length = 0
            while length < 12 {
                let byte = bytes[index + 4 + length]
                guard (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) else { break }
                if length < 8 {
                    canary.high = canary.high << 8 | UInt64(byte)
                } else {
                    canary.low = canary.low << 8 | UInt64(byte)
                }
                length += 1
            }
            if length == 12 { found.append(canary) }
            index += 4 + length
        }
        return found
    }
}
