import Contracts
import Journaling
import Wire

/// Who shares which room (contract.md, semantics 15): whoever asks to join is a member until it asks to leave.
struct Memberships: Sendable {
    struct Room: Hashable, Sendable {
        /// Index into `sharing.rooms`.
        var rule: Int
        var value: String
    }
    private struct Member: Sendable {
        var user: Principal
        /// The request that made it one.
        var request: UInt64
        /// When it asked to leave.
        var left: Instant?
    }

    private let rules: [SharingRules.Room]
    /// Where each rule's id stands.
    private let paths: [[Path]]
    /// What is on its way when a user leaves still comes.
    private let grace: Duration
    private var members: Fading<Room, [Member]>

    init(_ contract: Contract?, capacity: Int) {
        rules = contract?.sharing?.rooms ?? []
        paths = rules.map { rule in contract?.identity.ids.first { $0.name == rule.id }?.at ?? [] }
        grace = contract?.deadline ?? .zero
        members = Fading(capacity: capacity)
    }

    var isEmpty: Bool { rules.isEmpty }

    /// More rooms were joined than are remembered.
    var hasForgotten: Bool { members.forgotten > 0 }

    func isRoom(_ path: Path) -> Bool { paths.contains { $0.contains(path) } }

    /// That user is, or was, in the room that the value at that path names.
    func shares(_ user: Principal, _ path: Path, _ value: JSON, _ aliases: Aliases) -> Bool {
        rules.indices.contains { index in
            paths[index].contains(path) && has(user, Room(rule: index, value: Identifiers.text(value)), at: .zero, aliases)
        }
    }

    func isRoom(_ rule: IdentifierRule) -> Bool { rules.contains { $0.id == rule.name } }

    /// The rooms that a message names.
    func rooms(in message: JSON) -> [Room] {
        rules.indices.compactMap { index in
            paths[index].value(in: message).map { Room(rule: index, value: Identifiers.text($0)) }
        }
    }

    mutating func hear(_ request: Recognition, number: UInt64, user: Principal, at: Instant) {
        guard let value = request.value else { return }
        for room in rooms(in: value) {
            func names(_ names: [MessageName]) -> Bool {
                names.contains { $0.names(isRequest: true, name: request.name, type: request.type) }
            }
            if names(rules[room.rule].join) {
                join(room, user, number)
            } else if names(rules[room.rule].leave) {
                members.update(room) { known in
                    for index in known.indices where known[index].user == user && known[index].left == nil { known[index].left = at }
                }
            }
        }
    }

    private mutating func join(_ room: Room, _ user: Principal, _ request: UInt64) {
        var known = members[room] ?? []
        known.removeAll { $0.user == user }
        // Of a room with so many members the oldest are taken for members of all rooms: nobody is accused.
        if known.count < 4_096 { known.append(Member(user: user, request: request, left: nil)) }
        members.set(room, known)
    }

    /// The server refused to let it in.
    mutating func refuse(_ number: UInt64, in message: JSON) {
        for room in rooms(in: message) { members.update(room) { $0.removeAll { $0.request == number } } }
    }

    func has(_ user: Principal, _ room: Room, at: Instant, _ aliases: Aliases) -> Bool {
        guard let known = members[room] else { return false }
        if known.count >= 4_096 { return true }
        return known.contains { member in
            aliases(member.user) == user && member.left.map { at <= $0.advanced(by: grace) } ?? true
        }
    }
}
