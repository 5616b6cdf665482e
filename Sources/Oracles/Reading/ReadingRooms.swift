import Contracts
import Journaling
import NIOCore
import Wire

/// Events of rooms: they are for all members, and move nobody's run but their own.
extension Reader {
    /// What is said in a room is known to its members, those of later included.
    mutating func shareWords(_ payload: ByteBuffer, _ message: JSON, by user: Principal, at: Instant) {
        for room in memberships.rooms(in: message) where memberships.has(user, room, at: at, aliases) {
            _ = canaries.learn(payload, owner: .room(room))
        }
    }

    /// The rooms that an event names and its receiver shares.
    func sharedRooms(of event: Event, _ message: JSON) -> [Memberships.Room] {
        memberships.rooms(in: message).filter { isIn($0, event.user, event.session, at: event.at) }
    }

    private func isIn(_ room: Memberships.Room, _ user: Principal, _ id: SessionID, at: Instant) -> Bool {
        if memberships.has(user, room, at: at, aliases) { return true }
        return mayHaveJoined(user, id)
    }

    /// It may have joined where nobody looked.
    func mayHaveJoined(_ user: Principal, _ id: SessionID) -> Bool {
        guard !memberships.isEmpty else { return false }
        let mayHaveSaid = (members[user] ?? [id]).contains { said[$0]?.isUnknown ?? true }
        return mayHaveSaid || memberships.hasForgotten || holes.last != nil || !absence.isSubset(of: .users)
    }

    /// That user may know what the owner of a word said.
    func knows(_ user: Principal, _ owner: Principal, at: Instant) -> Bool {
        if aliases(owner) == user { return true }
        guard case .room(let room) = owner else { return false }
        return memberships.has(user, room, at: at, aliases)
    }

    /// Of whose run or request it is.
    func isOwn(_ event: Event, _ message: JSON, _ contract: Terms) -> Bool {
        for key in event.keys {
            if let run = runsByKey[key].flatMap({ runs[$0] }) { return run.owner == event.user }
            if let tomb = tombs[key] { return aliases(tomb.owner) == event.user }
        }
        let names = contract.identity.ids.filter { $0.is == .user }.compactMap { $0.at.value(in: message) }
        if let name = names.first, let own = event.user.name { return Identifiers.text(name) == own }
        return openRequests(of: event.user).contains { number in
            guard let request = requests[number], case .equal(let path) = Self.match(request.links, event.links) else { return false }
            return isExclusive(path)
        }
    }

    /// Nobody knows whose start or answer it is: what waits for one like it here is left undecided.
    mutating func spareWaiting(for event: Event, _ contract: Terms) {
        let isSuccess = contract.isSuccess(event.recognition)
        let waiting = openRequests(of: event.user).filter { number in
            requests[number].map { waits($0, for: event, isSuccess: isSuccess) && Self.match($0.links, event.links) != .unequal } ?? false
        }
        doubt(waiting)
    }
}
