import Journaling
import NIOCore
import Wire

/// What is shared in rooms, while the decoy W1 is on.
extension BackendMachine {
    mutating func serve(
        _ ask: RoomRequest, _ message: JSON, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) throws(Refusal) {
        guard let user = connections[id]?.user else { return }
        switch ask {
        case .join(let room):
            guard rooms.join(room, user) else { throw Refusal(.messageProcessing, "there is no place in the room") }
            confirm("room_joined", room, message, on: id, user, at: now, &effects)
        case .leave(let room):
            rooms.leave(room, user)
            confirm("room_left", room, message, on: id, user, at: now, &effects)
        case .say(let room, let text):
            try requireMember(user, of: room)
            let event: JSON = [
                "type": "room_message", "room_id": .string(room), "user_id": .string(user),
                "message": .string(Redaction.hideTokens(in: text)), "timestamp": events.timestamp(now),
            ]
            share(event, in: room, by: user, from: id, at: now, &effects)
        }
    }

    /// To every connection of every member, in order of their upgrades.
    /// - Parameter id: the connection whose doing it is.
    mutating func share(
        _ event: JSON, in room: String, by user: String, from id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        mark(.sharedRoom, .reached, on: id, user: user, type: event["type"]?.string ?? "", &effects)
        let receivers = connections.filter { connection in
            connection.value.isOpen && rooms.isMember(connection.value.user, of: room)
        }.sorted { $0.value.ordinal < $1.value.ordinal }
        if receivers.contains(where: { !identical($0.value.user, user) }) {
            mark(.sharedRoom, .triggered, on: id, user: user, type: event["type"]?.string ?? "", &effects)
        }
        for receiver in receivers.map(\.key) {
            greet(receiver, at: now, &effects)
            say(event, to: receiver, &effects)
        }
    }

    func requireMember(_ user: String, of room: String) throws(Refusal) {
        if !rooms.isMember(user, of: room) { throw Refusal(.authentication, "the room is not one of yours") }
    }

    private mutating func confirm(
        _ type: String, _ room: String, _ request: JSON, on id: BackendConnectionID, _ user: String, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        var members: [JSON.Member] = [
            .init(key: "type", value: .string(type)), .init(key: "user_id", value: .string(user)),
            .init(key: "room_id", value: .string(room)),
        ]
        if let name = request.given("request_id") { members.append(.init(key: "request_id", value: name)) }
        members.append(.init(key: "timestamp", value: events.timestamp(now)))
        say(.object(members), to: id, &effects)
    }
}

/// A request about a room.
enum RoomRequest: Sendable {
    case join(String)
    case leave(String)
    case say(String, String)
}
