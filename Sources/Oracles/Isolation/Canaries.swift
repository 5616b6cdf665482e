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

    /// The first canary in it that others sent and its reader does not know.
    func foreign(
        in payload: ByteBuffer, knownBy isKnown: (Principal) -> Bool
    ) -> (canary: Canary, owners: [Principal])? {
        guard owners.count > 0 else { return nil }
        for canary in CanarySearch.all(in: payload) where !canary.isDeclassified {
            guard let known = owners[canary], !known.isPublic, !known.users.isEmpty else { continue }
            if !known.users.contains(where: isKnown) { return (canary, known.users) }
        }
        return nil
    }
}
