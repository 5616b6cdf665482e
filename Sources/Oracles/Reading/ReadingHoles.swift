import Contracts
import Journaling
import Wire

/// What may have passed on sessions that the journal does not hold. A server is judged by what it did; whoever sees only
/// a part of that leaves undecided what the rest may explain.
extension Reader {
    /// To be told before time goes on to that entry: what is due until then may have come where the hole is.
    mutating func noteHoles(_ entry: Entry) {
        if !absence.contains(.numbers) { holes.observe(entry) }
    }

    /// Why something that is awaited may have come all the same, on another connection of that user: one that is not here, and
    /// on which perhaps nobody listened any more.
    func mayHaveCome(to user: Principal) -> String? {
        if isHoled { return "the journal lacks entries" }
        return unseen[user].map { _ in whyUnseen(user) }
    }

    /// Why what came may belong to something that the user asked for, or was told, on a session that is not here.
    /// - Parameter isNamed: it bears what names one request of this connection and no other.
    func mayBeOfUnseen(_ user: Principal, at: Instant, isNamed: Bool) -> String? {
        if lacks(user, at: at) { return "the journal lacks entries" }
        // Who brings credentials of several users may be any of them, and is left out with the one that it names first.
        let mayLack = !absence.isDisjoint(with: [.users, .sessions])
        return unseen[user] != nil || mayLack && !isNamed ? whyUnseen(user) : nil
    }

    /// Sessions may be missing that are still there, whatever they do.
    private var isHoled: Bool { holes.isWithin || (holes.last != nil && !absence.contains(.beginning)) }

    /// What was asked for where the hole is may be going on, or be read late.
    private func lacks(_ user: Principal, at: Instant) -> Bool {
        guard !isHoled, let last = holes.last else { return isHoled }
        let until = longestRun(from: last)
        guard at > until, let id = members[user]?.first else { return at <= until }
        let held = held(id, .user, since: last, until: at)
        return held != .none && at <= until.advanced(by: held.time).advanced(by: Self.catchUp)
    }

    /// A run that begins without a name of what asked for it may have been asked for on a session that is not here.
    func mayBeginForUnseen(_ user: Principal, at: Instant) -> Bool {
        unseen[user] != nil || lacks(user, at: at)
    }

    /// Why a word may be known to a user though nothing here says so: it was said, or made public, on a session that is not
    /// here. Words are for ever.
    var mayBeKnown: String? {
        if holes.last != nil { return "the journal lacks entries, and the word may be there" }
        if canaries.mayBeShared { return "more words are known to several users than miswire keeps" }
        let isShared = contract?.sharing.map { !$0.broadcast.isEmpty || !$0.rooms.isEmpty } ?? false
        return isShared && !absence.holdsEverybody ? "it may have been made public on a session that the journal does not hold" : nil
    }

    /// The user has connections that the journal does not hold: something came of what was asked for there.
    mutating func meetUnseen(_ user: Principal, at: Instant) { unseen.set(user, at, renews: true) }

    private func whyUnseen(_ user: Principal) -> String {
        "\(user.label) may have connections that the journal does not hold"
    }

    /// When everything that was asked for by now must be over.
    private func longestRun(from at: Instant) -> Instant {
        let mayLast = contract?.runs.contains { rule in
            rule.states.contains { state in !rule.hot.contains { $0.state == state.name && $0.within != nil } }
        }
        return mayLast == false ? longestWait(from: at) : .distantFuture
    }

    // MARK: Labels

    /// The labels that a request might have as well, if what the journal lacks were known: values may be other users', and
    /// runs open or over.
    func supposedLabels(of recognition: Recognition, in standing: Standing) -> [Label] {
        guard let labeler else { return [] }
        let mayLackRuns = holes.last != nil || absence.contains(.sessions)
        guard mayLackRuns || absence.contains(.users) else { return [] }
        var supposed: [Label] = []
        for isOpen in mayLackRuns ? [nil, true, false] : [nil] {
            for isForeign in [false, true] {
                let context = Supposed(standing: standing, isForeign: isForeign, isOpen: isOpen)
                supposed.append(labeler.label(recognition, in: context))
            }
        }
        return supposed
    }

    func doubt(of label: Label, _ supposed: [Label], _ contract: Terms) -> LabelDoubt {
        var doubt = LabelDoubt()
        for other in supposed {
            if label == .mustAccept, other != label { doubt.isRefusable = true }
            guard case .mustReject(let rule, _) = other else {
                if case .mustReject = label { doubt.isOpen = true }
                continue
            }
            if case .mustReject(let known, _) = label {
                if known != rule { doubt.isOpen = true }
                continue
            }
            doubt.rule = doubt.rule ?? rule
            if contract.reject.indices.contains(rule), contract.reject[rule].outcomes.contains(.silence) { doubt.isOpen = true }
        }
        return doubt
    }
}

/// What a label is worth when the journal may lack whom it depends on.
struct LabelDoubt {
    /// It need not be accepted.
    var isRefusable = false
    /// Nobody can say what is owed.
    var isOpen = false
    /// The rule by which it may have to be refused.
    var rule: Int?
}

/// A standing as it might be.
private struct Supposed: LabelContext {
    let standing: Standing
    /// Identifiers that are not known to be the user's own are another's.
    let isForeign: Bool
    /// Whether runs are open; nil = as far as is known.
    let isOpen: Bool?

    var isReady: Bool { standing.isReady }
    var user: String? { standing.user }
    func hasSeen(_ name: MessageName) -> Bool { standing.hasSeen(name) }
    func isRunOpen(key: JSON?) -> Bool { isOpen ?? standing.isRunOpen(key: key) }
    func mayRunBeOpen(key: JSON?) -> Bool { isOpen ?? standing.mayRunBeOpen(key: key) }
    func isForeign(_ path: Path, _ value: JSON) -> Bool {
        standing.isForeign(path, value)
            || isForeign && !standing.identifiers.isOwn(path, value, of: standing.session.user, standing.aliases)
    }
}
