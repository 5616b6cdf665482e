import Contracts
import Journaling
import NIOCore
import Wire

/// Messages of the server: what each of them is, whose, and which request or run it belongs to.
extension Reader {
    mutating func readEvent(
        _ payload: ByteBuffer, _ message: MessageRecord, _ entry: Entry, _ id: SessionID, at: Instant,
        _ contract: Terms
    ) {
        guard let recognizer, let (user, isBad) = sessions[id].map({ ($0.user, $0.isBad) }) else { return }
        let (recognition, found) = recognizer.read(payload, opcode: message.opcode, direction: .toClient)
        let traits = contract.traits(of: recognition)
        pulseEvent(recognition, traits, id)
        let isShared = contract.sharing?.isBroadcast(name: recognition.name, type: recognition.type) ?? false
        if isShared { canaries.declassify(payload) }
        noteSeen(recognition, isRequest: false, id)
        if case .unreadable(let why) = recognition.outcome { return unread(id, .toClient, why) }
        // Only some parsers take it, ours not: what it was for is open.
        if case .malformed(let why) = recognition.outcome, recognition.tolerated { obscure(id, why) }
        if let part = recognition.heartbeat {
            if let value = recognition.value { passNumber(of: value, entry, id, at: at) }
            return readBeat(part, .toClient, recognition, entry, id, at: at)
        }
        if traits.contains(.isReady) { sessions[id]?.isReadied = true }
        let isCopy = self.members.hasSeveral(user) && copies.isCopy(payload, recognition.value, of: user, on: id)
        let members = found ?? recognition.value.map(contract.members)
        let naming = members.map { name($0, id, contract) } ?? Terms.EventNaming()
        let event = Event(
            recognition, traits, members, naming, entry, id, user, at: at, isCopy: isCopy, contract)
        tellDeclared(event, payload, contract)
        let isInRoom = !memberships.isEmpty && recognition.value.map { !sharedRooms(of: event, $0).isEmpty } ?? false
        hearWords(of: event, isShared: isShared || isInRoom)
        let (ownership, sound, trouble) = judgeOwnership(of: event, payload, isShared: isShared, contract)
        if trouble?.ownerDoubt != nil, let run = trouble?.owningRun { runs[run]?.isIndeterminate = true }
        let holder = trouble?.identity == nil ? ownership : .anothers(user.label)
        let isReplay = contract.delivery != nil && followDelivery(event, holder, contract)
        if isBad {
            if traits.contains(.isGreeting) { sessions[id]?.isGreeted = true }
            readUnauthenticated(recognition, entry, id, at: at)
        } else if recognition.outcome != .ignored {
            if !expiries.isEmpty { judgeExpiry(event, contract) }
            if traits.contains(.isGreeting), let name = contract.greeting { settleGreeting(id, .kept(name)) }
            if !isReplay { link(event, ownership, contract) }
        }
        guard let trouble else { return readings.append(.sound(sound)) }
        tell(trouble, of: event, contract)
    }

    private mutating func name(_ members: Members, _ id: SessionID, _ contract: Terms) -> Terms.EventNaming {
        // It is likely of the same run as the one before: equal names are the same ones.
        if let last = namings[id], contract.isNamed(members, like: last) { return last }
        let naming = contract.naming(of: members, on: id)
        namings[id] = naming
        return naming
    }

    private mutating func link(_ event: Event, _ ownership: Ownership, _ contract: Terms) {
        switch (event.isError, ownership) {
        case (_, .shared): spareWaiting(for: event, contract)
        case (true, .anothers(let owner)):
            tellForm(of: event, nil, contract)
            keepLeftover(event, owner: owner)
            condemn(event, contract)
        case (true, .own): linkError(event, contract)
        case (false, .anothers): condemn(event, contract)
        case (false, .own): linkEvent(event, contract)
        }
    }
}

/// One message of the server, in hand. Behind one reference: whoever looks at it is given it whole.
final class Event {
    let recognition: Recognition
    let entry: Entry
    let session: SessionID
    let user: Principal
    let at: Instant
    private let contract: Terms
    /// Nil when it could not be decoded.
    private let members: Members?
    /// Values at the contract's link paths; none when it could not be decoded. They are compared with all that is open, and
    /// an event of a run that is under way is compared with nothing.
    private(set) lazy var links: [JSON?] = members.map { found in contract.link.indices.map { contract.linked($0, in: found) } } ?? []
    /// Its value of each declared identifier, as text; none when it could not be decoded.
    let names: [String?]
    /// The runs that it names, in the order of the contract.
    let keys: [RunKey]
    let traits: EventTraits
    /// Another connection of the same user got the same message before.
    let isCopy: Bool
    var isError: Bool { traits.contains(.isError) }
    /// For people.
    var type: String { contract.title(of: recognition) }

    init(
        _ recognition: Recognition, _ traits: EventTraits, _ members: Members?, _ naming: Terms.EventNaming, _ entry: Entry,
        _ session: SessionID, _ user: Principal, at: Instant, isCopy: Bool, _ contract: Terms
    ) {
        self.recognition = recognition
        self.entry = entry
        self.session = session
        self.user = user
        self.at = at
        self.isCopy = isCopy
        self.contract = contract
        self.members = members
        names = naming.names
        keys = naming.keys
        self.traits = traits
    }

    func value(_ place: MemberTable.Entry) -> JSON? { members?.value(place) }

    /// Its value at that link path.
    func link(_ index: Int) -> JSON? { members.flatMap { contract.linked(index, in: $0) } }

    /// Its number, where events are numbered.
    var number: Int? { members.flatMap { contract.number(of: $0) } }
}

/// Whose an event is, as far as it shows.
enum Ownership: Sendable, Equatable {
    case own
    /// It was meant for that user, or belongs to a run of theirs.
    case anothers(String)
    /// It came to a room that its receiver shares, and is not known to be the receiver's.
    case shared
}
