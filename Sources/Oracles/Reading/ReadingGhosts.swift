import Contracts
import Journaling
import Wire

/// Must-reject requests whose time is over: late errors still belong to them (contract.md, semantics 7).
extension Reader {
    /// A must-reject request here whose time is over could be meant as well.
    func isUnansweredGhost(_ kind: String?, _ event: Event, _ contract: Terms) -> Bool {
        sessions[event.session]?.ghosts.contains { ghost in
            guard !ghost.wasAnswered, let rule = ghost.request.rule, contract.reject.indices.contains(rule) else { return false }
            return contract.reject[rule].allows(kind: kind) && Self.match(ghost.request.links, event.links) != .unequal
        } ?? false
    }

    /// It repeats what names a request whose time is over; or it may be the answer to one that is older than all that wait
    /// here, and whose time ran out through no fault of the server.
    mutating func haunts(_ event: Event, _ kind: String?, _ never: Candidates, _ contract: Terms) -> Bool {
        guard let ghosts = sessions[event.session]?.ghosts else { return false }
        let first = never.numbers.min() ?? .max
        // One that waits here would miss it: it takes this one, and the older one's comes to whom it may.
        let isTaken = never.numbers.contains { number in
            guard let request = requests[number], !request.isIndeterminate, let rule = request.rule,
                contract.reject.indices.contains(rule)
            else { return false }
            return contract.reject[rule].allows(kind: kind)
        }
        let index = ghosts.firstIndex { ghost in
            if case .equal(let path) = Self.match(ghost.request.links, event.links) { return isExclusive(path) }
            return false
        } ?? (isTaken ? nil : ghosts.firstIndex { ghost in
            guard ghost.isSpared, !ghost.wasAnswered, ghost.request.number < first, let rule = ghost.request.rule,
                contract.reject.indices.contains(rule)
            else { return false }
            return contract.reject[rule].allows(kind: kind) && Self.match(ghost.request.links, event.links) != .unequal
        })
        guard let index else { return false }
        sessions[event.session]?.ghosts[index].wasAnswered = true
        return true
    }

    /// A late answer, or a second one, to a must-reject request whose time is over: said already.
    mutating func belongsToGhost(_ event: Event, _ kind: String?, _ contract: Terms) -> Bool {
        guard let ghosts = sessions[event.session]?.ghosts else { return false }
        let index = ghosts.firstIndex { ghost in
            if case .equal(let path) = Self.match(ghost.request.links, event.links) { return isExclusive(path) }
            return false
        } ?? ghosts.firstIndex { ghost in
            guard !ghost.wasAnswered, let rule = ghost.request.rule, contract.reject.indices.contains(rule) else { return false }
            return contract.reject[rule].allows(kind: kind) && Self.match(ghost.request.links, event.links) != .unequal
        }
        guard let index else { return false }
        sessions[event.session]?.ghosts[index].wasAnswered = true
        return true
    }

    mutating func markAnswered(_ request: Request) {
        guard let index = sessions[request.session]?.ghosts.lastIndex(where: { $0.request.number == request.number }) else {
            return
        }
        sessions[request.session]?.ghosts[index].wasAnswered = true
    }
}
