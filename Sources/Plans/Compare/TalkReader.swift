package import Contracts
package import Journaling
package import NIOCore
package import Wire

/// Reads journals as talks, at the server's taps (what the server got and said) or at the client's.
package struct TalkReader: Sendable {
    private struct Draft: Sendable {
        var talk: Talk
        var isUpgrade = false
        /// A fault opened it: no user's talk.
        var isOurs = false
        var isOver = false
    }
    private let recognizer: Recognizer?
    private let isRaw: Bool
    private let side: Side
    private var drafts: [SessionID: Draft] = [:]
    private var order: [SessionID] = []
    private var count = 0

    package init(contract: Contract?, at side: Side) {
        recognizer = contract.map { Recognizer($0) }
        isRaw = contract?.wire.format == .raw
        self.side = side
    }

    package mutating func take(_ entry: Entry) {
        count += 1
        guard let id = entry.session else { return }
        if drafts[id] == nil { order.append(id) }
        var mine = drafts.removeValue(forKey: id) ?? Draft(talk: Talk(session: id, opened: entry.instant))
        take(entry, &mine)
        mine.talk.ended = max(mine.talk.ended, entry.instant)
        drafts[id] = mine
    }

    /// Sessions with an upgrade request, in the order in which they began.
    package mutating func finish() -> [Talk] {
        order.compactMap { id in
            guard var draft = drafts[id], draft.isUpgrade, !draft.isOurs else { return nil }
            draft.talk.requests = Self.ordered(draft.talk.requests)
            draft.talk.answers = Self.ordered(draft.talk.answers)
            return draft.talk
        }
    }

    private static func ordered(_ said: [Said]) -> [Said] {
        var sorted = said.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        for index in sorted.indices { sorted[index].number = index + 1 }
        return sorted
    }

    private func take(_ entry: Entry, _ draft: inout Draft) {
        switch entry.body {
        case .opened(let opened): draft.isOurs = opened.fault != nil
        case .head(let record):
            guard instant(record.passage) != nil else { return }
            if record.passage.direction == .toClient { draft.talk.response = record.bytes }
            guard record.passage.direction == .toServer,
                let head = try? RequestHead(record.bytes)
            else { return }
            draft.isUpgrade = true
            draft.talk.path = head.path
        case .facts(let facts):
            if let user = facts.user, facts.tap == .clientIn || draft.talk.user == nil { draft.talk.user = user }
        case .became(let became):
            draft.talk.answeredAt = entry.instant
            switch became {
            case .accepted(let subprotocol, _): draft.talk.answer = .accepted(subprotocol: subprotocol)
            case .refused(let status): draft.talk.answer = .refused(status)
            case .opaque: draft.isUpgrade = false
            }
        case .frame(let record): frame(record, entry, &draft)
        case .bytes(let record) where record.kind == .missing:
            if record.passage.direction == .toServer {
                draft.talk.tornToServer = draft.talk.tornToServer ?? entry.instant
            } else {
                draft.talk.tornToClient = draft.talk.tornToClient ?? entry.instant
            }
        case .ended(let record):
            guard record.by == .peer, case .accepted = draft.talk.answer else { return }
            if record.side == .server, draft.talk.clientClose == nil, draft.talk.serverClose == nil, !draft.isOver {
                draft.talk.isDropped = true
            }
            draft.isOver = true
        default: break
        }
    }

    private func instant(_ passage: Passage) -> Instant? {
        side == .server ? passage.atServer : passage.atClient
    }

    private func frame(_ record: FrameRecord, _ entry: Entry, _ draft: inout Draft) {
        guard let at = instant(record.passage) else { return }
        let isRequest = record.passage.direction == .toServer
        guard (isRequest ? draft.talk.tornToServer : draft.talk.tornToClient) == nil else { return }
        if record.frame.opcode == .close {
            let body = CloseBody(record.frame.payload)
            let isFirst = isRequest ? draft.talk.serverClose == nil : draft.talk.clientClose == nil
            let closing = Talk.Closing(at: at, code: body.code, reason: body.reason ?? "", isFirst: isFirst)
            if isRequest {
                if draft.talk.clientClose == nil { draft.talk.clientClose = closing }
            } else if draft.talk.serverClose == nil {
                draft.talk.serverClose = closing
            }
            return
        }
        guard !record.frame.opcode.isControl, let message = record.message else { return }
        let said = read(message.payload, message.opcode, record.passage.direction, at: at, order: count, ref: entry.ref)
        if isRequest { draft.talk.requests.append(said) } else { draft.talk.answers.append(said) }
    }

    /// One message as the contract reads it.
    package func read(
        _ payload: ByteBuffer?, _ opcode: Opcode, _ direction: Direction, at: Instant, order: Int, ref: EntryRef? = nil
    ) -> Said {
        var said = Said(number: 0, at: at, order: order, opcode: opcode, payload: payload, value: nil, name: nil, ref: ref)
        guard let payload else { return said }
        if opcode == .text, !isRaw { said.value = JSON.decode(payload).value }
        if let recognizer {
            // Several messages of one frame are compared as one, by the name of the first.
            let read = recognizer.recogniseAll(payload, opcode: opcode, direction: direction)
            said.name = read.first?.title
            if said.value == nil, !isRaw { said.value = read.first?.value }
        } else {
            said.name = said.value?["type"]?.string
        }
        return said
    }
}
