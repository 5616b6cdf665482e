import Contracts
import Journaling
import Wire

/// What became of a bad credential, from the first outcome that comes (contract.md, semantics 17).
extension Reader {
    private var auth: AuthRules { contract?.auth ?? AuthRules() }

    mutating func settleAuthentication(_ id: SessionID, _ fate: Fate) {
        guard let session = sessions[id], session.authentication != nil, let facts = session.credential else { return }
        sessions[id]?.authentication = nil
        sessions[id]?.authenticationError = nil
        readings.append(
            .settled(.authentication(state: facts.state, user: session.user.label, line: auth.line), fate))
    }

    mutating func settleRefusal(_ id: SessionID, status: Int, _ entry: Entry) {
        guard let session = sessions[id], session.authentication != nil else { return }
        if auth.refuse.contains(status) {
            settleAuthentication(id, .kept("refused with \(status)"))
        } else if status >= 400 {
            // It fails closed; the request may have had other faults that were seen first (400, 404, 426, 431, 5xx).
            settleAuthentication(id, .undecided("the server answered \(status) for another reason"))
        } else {
            settleAuthentication(
                id, .broken("silent drop: the upgrade is answered with \(status)", edge: "silent drop",
                    evidence(for: session, entry: entry, at: entry.instant)))
        }
    }

    /// An event on a connection whose credential is bad.
    mutating func readUnauthenticated(_ event: Recognition, _ entry: Entry, _ id: SessionID, at: Instant) {
        guard let session = sessions[id], session.authentication != nil, let contract, let name = event.name else { return }
        if contract.isError(event: name) {
            switch auth.event {
            case .alone: settleAuthentication(id, .kept("error event"))
            case .thenClose: if session.authenticationError == nil { sessions[id]?.authenticationError = entry }
            case .never: break
            }
        } else if contract.isSuccess(event) {
            settleAuthentication(
                id, .broken("accepted: \(Terminal.plain(event.title ?? name)) at \(Wording.time(at))", edge: "accepted",
                    evidence(for: session, entry: entry, at: at)))
        }
    }

    mutating func settleAuthentication(_ id: SessionID, closedWith code: Int?, isAnswer: Bool, _ entry: Entry) {
        guard let session = sessions[id], session.authentication != nil else { return }
        if isAnswer {
            settleAuthentication(id, .undecided("the client left before the deadline"))
        } else if let code, auth.close.contains(code) {
            settleAuthentication(id, .kept("closed with \(code)"))
        } else if session.authenticationError != nil, code != nil {
            settleAuthentication(id, .kept("error event, then a close"))
        } else if code == nil, session.answeredAt == nil {
            // Whatever else is odd about its request may be why; nobody was let in.
            settleAuthentication(id, .undecided("the server ended before it answered the upgrade"))
        } else {
            let how = code.map { "a close with \($0)" } ?? "the end of the connection without a close"
            settleAuthentication(
                id, .broken("silent drop: \(how)", edge: "silent drop",
                    evidence(for: session, entry: entry, at: entry.instant)))
        }
    }
}
