import Journaling
import NIOCore

/// Who sent which canary. Owners are learnt at Sout, after any crossing; what a crossing of ours declassified has none.
struct Canaries: Sendable {
    private struct Owners: Sendable {
        var users: [Principal] = []
        /// Everyone may see it, for ever.
        var isPublic = false
    }
    private var owners: Fading<Canary, Owners>
    private var counts: [Principal: Int] = [:]

    init(capacity: Int) { owners = Fading(capacity: capacity) }

    /// Whether there was any.
    @discardableResult
    mutating func learn(_ payload: ByteBuffer, owner: Principal) -> Bool {
        let found = CanarySearch.all(in: payload)
        for canary in found where !canary.isDeclassified {
            var known = owners[canary] ?? Owners()
            guard !known.users.contains(owner) else { continue }
            // Who so many know is no secret.
            if known.users.count < 64 { known.users.append(owner) } else { known.isPublic = true }
            owners.set(canary, known)
            counts[owner, default: 0] += 1
        }
        return !found.isEmpty
    }

    func isKnown(_ canary: Canary) -> Bool { owners[canary] != nil }

    /// From now on everyone may see them.
    mutating func declassify(_ payload: ByteBuffer) {
        for canary in CanarySearch.all(in: payload) where !canary.isDeclassified { owners.set(canary, Owners(isPublic: true)) }
    }

    /// Whether anyone else has sent a canary, so that a look can find something.
    func hasForeign(to user: Principal) -> Bool { owners.count > counts[user, default: 0] }

    /// One that not everybody may see, and who sent it.
    struct Secret: Sendable {
        var canary: Canary
        var owners: [Principal]
    }

    /// Those in it that somebody sent, in order.
    func secrets(in payload: ByteBuffer) -> [Secret] {
        guard owners.count > 0 else { return [] }
        return CanarySearch.all(in: payload).compactMap { canary in
            guard !canary.isDeclassified, let known = owners[canary], !known.isPublic, !known.users.isEmpty else { return nil }
            return Secret(canary: canary, owners: known.users)
        }
    }
}
