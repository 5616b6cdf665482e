import Contracts
import Journaling
import NIOCore
import Wire

/// Sorts the entries of a recording by session and keeps what the clients did and got.
struct LiftReader {
    private let contract: Contract?
    private var sessions: [SessionID: Draft] = [:]
    private var order: [SessionID] = []
    private var count = 0

    private struct Draft {
        var session: LiftSession
        var head: RequestHead?
        var facts: Facts?
        var problem: String?
        var wasAnswered = false
        var isClosing = false
        var isOver = false
        var isDenied = false
        /// Payloads of the server's pings that wait for their pong.
        var pings: [ByteBuffer] = []
    }

    init(contract: Contract?) { self.contract = contract }

    mutating func take(_ entry: Entry) {
        count += 1
        guard let id = entry.session else { return }
        if sessions[id] == nil {
            order.append(id)
            sessions[id] = Draft(session: LiftSession(id: id, began: entry.instant))
        }
        guard var draft = sessions.removeValue(forKey: id) else { return }
        take(entry, &draft)
        sessions[id] = draft
    }

    mutating func finish() -> (sessions: [LiftSession], left: [Lift.Left]) {
        var found: [LiftSession] = []
        var left: [Lift.Left] = []
        for id in order {
            guard var draft = sessions[id] else { continue }
            guard let head = draft.head else {
                left.append(
                    Lift.Left(session: id, reason: draft.problem ?? "the recording holds no upgrade request of it"))
                continue
            }
            var problem = draft.problem
            if problem == nil {
                do throws(LiftProblem) {
                    draft.session.opening = try LiftOpening(
                        head, facts: draft.facts, isDenied: draft.isDenied, contract: contract)
                } catch { problem = error.reason }
            }
            if let problem {
                left.append(Lift.Left(session: id, reason: problem))
                continue
            }
            draft.session.user = draft.facts?.user ?? draft.session.user
            draft.session.moments.sort { ($0.at, $0.order) < ($1.at, $1.order) }
            found.append(draft.session)
        }
        return (found, left)
    }

    private func take(_ entry: Entry, _ draft: inout Draft) {
        switch entry.body {
        case .opened(let opened):
            // It is said in the plan by the fault, which opens it again.
            if let fault = opened.fault { draft.problem = "the fault \(fault) opened it, and no user" }
        case .head(let record):
            guard let at = record.passage.in, record.passage.direction == .toServer else { return }
            draft.head = try? RequestHead(record.bytes)
            if draft.head == nil { draft.problem = "its upgrade request cannot be read" }
            add(.connect, at, &draft)
        case .facts(let facts):
            if facts.tap == .clientIn, facts.place != nil || draft.facts == nil || facts.user != nil {
                draft.facts = facts
            }
        case .became(let became): answered(became, entry.instant, &draft)
        case .frame(let record): frame(record, &draft)
        case .bytes(let record): bytes(record, &draft)
        case .ended(let record):
            guard record.by == .peer, !draft.isOver, draft.wasAnswered else { return }
            draft.isOver = true
            if record.side == .server { return closed(entry.instant, &draft) }
            if !draft.isClosing { add(.end(record.style), entry.instant, &draft) }
        case .closed: draft.session.ended = entry.instant
        default: break
        }
    }

    private func add(_ action: LiftSession.Action, _ at: Instant, _ draft: inout Draft) {
        draft.session.moments.append(LiftSession.Moment(at: at, order: count, action: action))
    }

    private func closed(_ at: Instant, _ draft: inout Draft) {
        if !draft.isClosing { add(.closed, at, &draft) }
        draft.isClosing = true
    }

    private func answered(_ became: Became, _ at: Instant, _ draft: inout Draft) {
        switch became {
        case .accepted(_, let deflate):
            draft.session.deflates = deflate
            draft.wasAnswered = true
            add(.answered(true), at, &draft)
        case .refused(let status):
            draft.isDenied = status == 401 || status == 403
            add(.answered(false), at, &draft)
            draft.isOver = true
        case .opaque(let reason): draft.problem = "it is no WebSocket: \(reason)"
        }
    }

    private func bytes(_ record: BytesRecord, _ draft: inout Draft) {
        guard let at = record.passage.in, record.passage.direction == .toServer else { return }
        // Of unknown length it bears no bytes, and none are counted.
        guard record.kind != .missing else {
            draft.problem = draft.problem ?? "a part of what the client said is missing in the recording"
            return
        }
        guard record.wireSize == UInt64(clamping: record.bytes.readableBytes) else {
            draft.problem = draft.problem ?? "bytes of the client are not in the recording as they were"
            return
        }
        add(.bytes(Array(record.bytes.readableBytesView)), at, &draft)
    }

    private func frame(_ record: FrameRecord, _ draft: inout Draft) {
        if record.passage.direction == .toClient {
            // Faults are left out: what one took away is said all the same, and what one brought or changed is not.
            guard let said = record.passage.in else { return }
            return arrived(record, record.passage.out ?? said, &draft)
        }
        guard let at = record.passage.in else { return }
        sent(record, at, &draft)
    }

    private func arrived(_ record: FrameRecord, _ at: Instant, _ draft: inout Draft) {
        switch record.frame.opcode {
        case .close: closed(at, &draft)
        case .ping: if draft.pings.count < 1_000 { draft.pings.append(record.frame.payload) }
        case .pong: break
        default:
            guard let message = record.message, let payload = message.payload else { return }
            add(.event(payload, message.opcode), at, &draft)
        }
    }

    private func sent(_ record: FrameRecord, _ at: Instant, _ draft: inout Draft) {
        let frame = record.frame
        if frame.opcode == .pong, let ping = draft.pings.firstIndex(of: frame.payload) {
            draft.pings.remove(at: ping)
            return
        }
        if frame.opcode == .close, isOrdinary(record) {
            // The answer to the server's own is given by whoever plays.
            guard !draft.isClosing else { return }
            draft.isClosing = true
            let body = CloseBody(frame.payload)
            if let code = body.code, let reason = body.reason {
                return add(.close(code: code, reason: reason), at, &draft)
            }
            return add(.frame(record), at, &draft)
        }
        if draft.session.deflates, frame.opcode.isOfMessage, let message = record.message {
            guard let payload = message.payload else { return lose(message, &draft) }
            if message.opcode == .text { return add(.text(payload), at, &draft) }
            let plain = Frame(opcode: message.opcode, maskKey: frame.maskKey, payload: payload)
            return add(.frame(FrameRecord(passage: record.passage, frame: plain, message: message)), at, &draft)
        }
        // The beginning of a deflated message; its end brings all of it.
        if draft.session.deflates, frame.opcode.isOfMessage { return }
        if let message = record.message, message.payload == nil { return lose(message, &draft) }
        if frame.opcode == .text, frame.fin, isOrdinary(record), let payload = record.message?.payload {
            return add(.text(payload), at, &draft)
        }
        add(.frame(record), at, &draft)
    }

    private func lose(_ message: MessageRecord, _ draft: inout Draft) {
        draft.problem =
            draft.problem ?? "a message of the client is not in the recording: \(message.unlifted ?? "no reason")"
    }

    /// One whole masked frame with its true length in its shortest form, reserved bits clear.
    private func isOrdinary(_ record: FrameRecord) -> Bool {
        let frame = record.frame
        guard frame.fin, frame.rsv == 0, frame.maskKey != nil else { return false }
        if record.redacted { return true }
        let plain = Frame(opcode: frame.opcode, maskKey: frame.maskKey, payload: frame.payload)
        return frame.lengthForm == plain.lengthForm && frame.declaredLength == plain.declaredLength
    }
}

/// Why a session cannot be done again: one phrase.
struct LiftProblem: Error {
    var reason: String
}
