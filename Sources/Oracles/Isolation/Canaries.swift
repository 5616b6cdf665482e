import Journaling
import NIOCore

/// Who sent which canary. Owners are learnt at Sout, after any crossing; what a crossing of ours declassified has none.
struct Canaries: Sendable {
    /// Those that one user alone has sent, and those that several know.
    private var owners: Fading<Canary, Principal>
    private var shared: Fading<Canary, Shared>
    private struct Shared: Sendable {
        var users: [Principal] = []
        /// Everyone may see it, for ever.
        var isPublic = false
    }
    private var counts: Fading<Principal, Int>
    /// No user ever sent more.
    private var most = 0

    init(capacity: Int) {
        owners = Fading(capacity: capacity)
        shared = Fading(capacity: capacity)
        counts = Fading(capacity: capacity)
    }

    /// Whether there was any.
    @discardableResult
    mutating func learn(_ payload: ByteBuffer, owner: Principal) -> Bool {
        let found = CanarySearch.all(in: payload)
        for canary in found where !canary.isDeclassified { learn(canary, owner: owner) }
        return !found.isEmpty
    }

    private mutating func learn(_ canary: Canary, owner: Principal) {
        if shared.count > 0, var known = shared[canary] {
            guard !known.isPublic, !known.users.contains(owner) else { return }
            // Who so many know is no secret.
            if known.users.count < 64 { known.users.append(owner) } else { known.isPublic = true }
            return shared.set(canary, known)
        }
        let (first, isNew) = owners.take(canary) { owner }
        if first != owner { return shared.set(canary, Shared(users: [first, owner])) }
        guard isNew else { return }
        let count = (counts[owner] ?? 0) + 1
        counts.set(owner, count, renews: true)
        most = max(most, count)
    }

    func isKnown(_ canary: Canary) -> Bool { owners[canary] != nil || shared[canary] != nil }

    /// It is forgotten who else knew some of them.
    var mayBeShared: Bool { shared.forgotten > 0 }

    /// From now on everyone may see them.
    mutating func declassify(_ payload: ByteBuffer) {
        for canary in CanarySearch.all(in: payload) where !canary.isDeclassified { shared.set(canary, Shared(isPublic: true)) }
    }

    /// Whether anyone else has sent a canary, so that a look can find something.
    func hasForeign(to user: Principal) -> Bool { shared.count > 0 || owners.count > most || owners.count > counts[user] ?? 0 }

    /// One that not everybody may see, and who sent it.
    struct Secret: Sendable {
        var canary: Canary
        var owners: [Principal]
    }

    /// Those in it that somebody sent, in order.
    func secrets(in payload: ByteBuffer) -> [Secret] {
        guard owners.count > 0 || shared.count > 0 else { return [] }
        return CanarySearch.all(in: payload).compactMap { canary in
            let known = shared.count > 0 ? shared[canary] : nil
            guard !canary.isDeclassified, known?.isPublic != true, let users = known?.users ?? owners[canary].map({ [$0] }) else { return nil }
            return Secret(canary: canary, owners: users)
        }
    }
}
