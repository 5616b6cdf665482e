import Contracts
import Journaling
import Wire

/// How a session stands to the state that labels ask for (contract.md, semantics 3), as it is now: asked at once and not kept.
final class Standing: LabelContext, Sendable {
    /// A run that is under way, as far as is known.
    struct OpenRun: Sendable {
        var key: String?
        var isHere: Bool
        /// It is in a hot state, and no link to it is doubtful.
        var isCertain: Bool
    }

    let session: Session
    let identifiers: Identifiers
    let aliases: Aliases
    let memberships: Memberships
    /// What it joined is not all known.
    let mayHaveJoined: Bool
    let isReady: Bool
    let watched: [MessageName]
    /// Of the user; those of connections alone, where keys are these' own, are of this connection.
    let open: [OpenRun]

    init(_ session: Session, _ reader: Reader, isReady: Bool, open: [OpenRun]) {
        self.session = session
        identifiers = reader.identifiers
        aliases = reader.aliases
        memberships = reader.memberships
        mayHaveJoined = reader.mayHaveJoined(session.user, session.id)
        self.isReady = isReady
        watched = reader.watched
        self.open = open
    }

    /// Who has no name is nobody's `{user}`.
    var user: String? { if case .named(let name) = session.user { name } else { "" } }

    func hasSeen(_ name: MessageName) -> Bool { watched.firstIndex(of: name).map(session.seen.contains) ?? false }

    /// One without a key is some run of this connection: of another the server need not think.
    func isRunOpen(key: JSON?) -> Bool {
        let key = key.map { Identifiers.text($0) }
        return open.contains { $0.isCertain && (key == nil ? $0.isHere : $0.key == key) }
    }

    /// A run that has no key yet may have any.
    func mayRunBeOpen(key: JSON?) -> Bool {
        let key = key.map { Identifiers.text($0) }
        return open.contains { key == nil || $0.key == nil || $0.key == key }
    }

    func isForeign(_ path: Path, _ value: JSON) -> Bool {
        guard identifiers.isForeign(path, value, to: session.user, aliases) else { return false }
        guard memberships.isRoom(path) else { return true }
        return !mayHaveJoined && !memberships.shares(session.user, path, value, aliases)
    }
}

extension Reader {
    func standing(of id: SessionID) -> Standing? {
        guard let session = sessions[id] else { return nil }
        let isReady = session.acceptedAt != nil && session.cutBy == nil && session.obscured == nil
            && (contract?.session?.greeting == nil || session.isGreeted) && isReadied(session)
        return Standing(session, self, isReady: isReady, open: asksRuns ? openRuns(beside: session) : [])
    }

    private func openRuns(beside session: Session) -> [Standing.OpenRun] {
        guard let contract else { return [] }
        var open: [Standing.OpenRun] = []
        for member in members[session.user] ?? [] {
            for number in sessions[member]?.runs ?? [] {
                guard let run = runs[number], contract.runs.indices.contains(run.rule) else { continue }
                let rule = contract.runs[run.rule]
                guard rule.serverScope || member == session.id else { continue }
                open.append(
                    .init(key: run.key?.text, isHere: member == session.id, isCertain: isHot(number) && !run.isSettled && !run.isIndeterminate))
            }
        }
        return open
    }

    /// The event has come that ends AUTHENTICATING, where there is one.
    func isReadied(_ session: Session) -> Bool { contract?.session?.ready == nil || session.isReadied }

    /// What rules of `reject` ask for has passed on that connection.
    mutating func noteSeen(_ recognition: Recognition, isRequest: Bool, _ id: SessionID) {
        for (index, name) in watched.enumerated()
        where name.names(isRequest: isRequest, name: recognition.name, type: recognition.type) {
            if sessions[id]?.seen.contains(index) == false { sessions[id]?.seen.append(index) }
        }
    }

    /// A Close of that code is as good as the outcomes of its rule.
    func allows(_ request: Request, close code: Int) -> Bool { rules(of: request).contains { $0.allows(close: code) } }

    /// A rule that may hold for it allows such a Close.
    func mayAllow(_ request: Request, close code: Int) -> Bool {
        guard let contract, let labeler, let standing = standing(of: request.session) else { return false }
        return labeler.possible(request.recognition, in: standing).contains { contract.reject[$0].allows(close: code) }
    }

    /// An error event of that kind is as good as the outcomes of its rule.
    func allows(_ request: Request, kind: String?) -> Bool { rules(of: request).contains { $0.allows(kind: kind) } }

    /// The rule by which it is refused, and earlier ones that depend on a state of which nobody knows how it is where the
    /// server decides.
    private func rules(of request: Request) -> [RejectRule] {
        guard let contract, let index = request.rule, contract.reject.indices.contains(index) else { return [] }
        let rule = contract.reject[index]
        guard let labeler, asksRuns || !watched.isEmpty, let standing = standing(of: request.session) else { return [rule] }
        return [rule] + labeler.rivals(of: index, request.recognition, in: standing).map { contract.reject[$0] }
    }
}
