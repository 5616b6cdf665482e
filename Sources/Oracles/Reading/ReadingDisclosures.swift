import Contracts
import Journaling
import Wire

/// What it takes to tell who gave away whose credential.
struct Disclosing: Sendable {
    /// Facts follow the entry that they are about: its kind is known when they come.
    var last: Entry?
    /// By tag.
    var owners = Fading<String, Principal>(capacity: 4_096)
}

/// Credentials in what the server says (oracle.md, I4). Who transcribed the session saw them; here only their tags are.
extension Reader {
    mutating func noteForDisclosures(_ entry: Entry) {
        disclosing.last = entry
        guard let id = entry.session, let session = sessions[id], session.credential?.isSecret == true, session.inScope,
            case .frame(let frame) = entry.body, frame.passage.in != nil, frame.message?.payload != nil
        else { return }
        readings.append(.credential(.init(user: session.user.label, found: nil)))
    }

    mutating func noteOwner(_ facts: Facts) {
        guard facts.tap == .serverOut, let tag = facts.tag, let user = facts.user, facts.rivals.isEmpty, facts.isSecret else { return }
        // Two who share a token are told by neither name.
        if let known = disclosing.owners[tag], known != .named(user) { return disclosing.owners.set(tag, .credential(tag)) }
        disclosing.owners.set(tag, .named(user))
    }

    mutating func readDisclosure(_ facts: Facts, _ id: SessionID) {
        guard let contract, !contract.identity.credential.isEmpty, let tag = facts.tag, facts.isSecret, let session = sessions[id],
            isInScope(session)
        else { return }
        let entry = disclosing.last.flatMap { $0.session == id ? $0 : nil }
        let owner = disclosing.owners[tag].flatMap { owner in if case .named(let name) = owner { name } else { nil } }
        let found = Reading.Disclosed.Found(
            place: facts.place ?? "a message", type: entry.map { type(of: $0) } ?? "<answer>", tag: "‹\(tag)›", owner: owner,
            evidence: evidence(for: session, entry: entry, at: entry?.instant ?? .zero))
        readings.append(.credential(.init(user: session.user.label, found: found)))
    }

    private func type(of entry: Entry) -> String {
        guard case .frame(let frame) = entry.body else { return "<answer>" }
        guard let message = frame.message, let payload = message.payload, !message.opcode.isControl else {
            return "<\(frame.frame.opcode == .close ? "close" : "control")>"
        }
        let title = recognizer?.recognise(payload, opcode: message.opcode, direction: .toClient).title
        return title.map { Terminal.plain($0) } ?? "a message"
    }
}
