import Journaling
import NIOCore
import Plans
import Wire

/// What the client says, and what it is answered.
extension ServingMachine {
    mutating func readFrames(_ id: Int, _ now: Instant) {
        while let peer = peers[id], peer.phase == .open || peer.phase == .closing {
            var mine = peer
            let result = mine.parser.next()
            peers[id] = mine
            switch result {
            case .partial: return
            case .oversize(let header): fail(id, 1009, "a frame of \(header.declaredLength) bytes", now)
            case .piece: fail(id, 1002, "bytes of no frame", now)
            case .illegal(_, let violation): fail(id, 1002, "an illegal frame: \(violation.detail)", now)
            case .frame(let frame, _):
                if let violation = mine.legality.violations(of: frame).first {
                    return fail(id, 1002, "an illegal frame: \(violation.detail)", now)
                }
                let message = mine.assembler.take(frame)
                peers[id] = mine
                if let message { take(message, id, now) }
            }
        }
    }

    private mutating func fail(_ id: Int, _ code: UInt16, _ why: String, _ now: Instant) {
        if let index = peers[id]?.script { differ(.extra, .message, why, "the client breaks the protocol", index) }
        write(.close, CloseBody(code: code).payload, id)
        peers[id]?.phase = .over
        commands.append(.finish(id))
    }

    private mutating func write(_ opcode: Opcode, _ payload: ByteBuffer, _ id: Int) {
        commands.append(.write(id, FrameWriter.bytes(Frame(opcode: opcode, payload: payload))))
    }

    private mutating func take(_ message: AssembledMessage, _ id: Int, _ now: Instant) {
        guard let payload = message.payload, let index = peers[id]?.script else { return }
        switch message.opcode {
        case .ping: write(.pong, payload, id)
        case .pong: break
        case .close: closed(CloseBody(payload), id, index, now)
        default: said(payload, message.opcode, index, now)
        }
    }

    private mutating func closed(_ body: CloseBody, _ id: Int, _ index: Int, _ now: Instant) {
        if let recorded = scripts[index].talk.clientClose, recorded.isFirst, peers[id]?.sentClose == false,
            recorded.code != body.code
        {
            let (new, old) = (body.code.map { "\($0)" } ?? "no code", recorded.code.map { "\($0)" } ?? "no code")
            differ(.changed, .close, "close", "the client closes with \(new), recorded \(old)", index)
        }
        if peers[id]?.sentClose == false {
            // As recorded, where the server's answer was another than the echo that is usual.
            let answer = scripts[index].talk.serverClose.flatMap { $0.isFirst ? nil : $0.code } ?? body.code
            write(.close, answer.map { CloseBody(code: $0).payload } ?? ByteBuffer(), id)
        }
        peers[id]?.phase = .over
        commands.append(.finish(id))
        scripts[index].conclude(at: now, opened: peers[id]?.openedAt)
    }

    private mutating func said(_ payload: ByteBuffer, _ opcode: Opcode, _ index: Int, _ now: Instant) {
        scripts[index].received += 1
        let said = matcher.read(payload, opcode, number: scripts[index].received, at: now)
        let near = scripts[index].near
        let requests = scripts[index].talk.requests
        let verdict = matcher.take(said, among: requests, open: near.filter { requests[$0].payload != nil })
        if verdict.difference?.kind == .extra {
            // It stands for one that the recording does not hold, or behind the place where it lacks a part.
            let unheld = near.first { requests[$0].payload == nil }
            if let unheld { scripts[index].meet(unheld) }
            if unheld != nil || scripts[index].talk.isTorn {
                scripts[index].result.undecided += 1
                return
            }
        }
        if let met = verdict.index { scripts[index].meet(met) }
        guard let difference = verdict.difference else {
            scripts[index].result.same += 1
            return
        }
        if difference.kind == .extra { scripts[index].result.extra += 1 } else { scripts[index].result.changed += 1 }
        scripts[index].result.differences.append(difference)
    }

    /// Says what is due, and tells when the next is.
    mutating func advance(_ id: Int, _ now: Instant) {
        guard let index = peers[id]?.script, peers[id]?.phase == .open, !scripts[index].isOver else { return }
        while scripts[index].next < scripts[index].items.count {
            let item = scripts[index].items[scripts[index].next].item
            if case .request(let request) = item {
                guard scripts[index].met.contains(request) || givesUp(request, index, now) else { return }
            } else {
                let pause = Double(min(scripts[index].gap.nanoseconds, 86_400_000_000_000)) * settings.pace
                let due = scripts[index].lastAt.advanced(by: .nanoseconds(Int64(pause)))
                guard now >= due else {
                    alarms.append(due)
                    return
                }
                switch item {
                case .answer(let answer):
                    let said = scripts[index].talk.answers[answer]
                    write(said.opcode, matcher.rewrite(said), id)
                case .close(let closing):
                    write(.close, closing.code.map { CloseBody(code: $0, reason: closing.reason).payload } ?? ByteBuffer(), id)
                    peers[id]?.sentClose = true
                    peers[id]?.phase = .closing
                case .request: break
                }
            }
            scripts[index].next += 1
            scripts[index].lastAt = now
        }
        linger(id, index, now)
    }

    /// A request that is overtaken by a later one is waited for a while.
    private mutating func givesUp(_ request: Int, _ index: Int, _ now: Instant) -> Bool {
        guard scripts[index].latest > request else { return false }
        let since = scripts[index].overdueSince ?? now
        let due = since.advanced(by: settings.patience)
        scripts[index].overdueSince = since
        guard now >= due else {
            alarms.append(due)
            return false
        }
        scripts[index].overdueSince = nil
        scripts[index].skipped.insert(request)
        scripts[index].lack(request)
        return true
    }

    /// Everything is said: a client that stays for longer than it did then is closed as a server going away does.
    private mutating func linger(_ id: Int, _ index: Int, _ now: Instant) {
        let talk = scripts[index].talk
        let last = scripts[index].items.last?.at ?? talk.opened
        let stayed = Double(min(max(0, last.duration(to: talk.ended).nanoseconds), 3_600_000_000_000)) * settings.pace
        let due = scripts[index].lastAt.advanced(by: .nanoseconds(Int64(stayed))).advanced(by: settings.patience)
        guard now >= due else { return alarms.append(due) }
        if peers[id]?.sentClose == false {
            write(.close, CloseBody(code: 1001).payload, id)
            peers[id]?.sentClose = true
        }
        peers[id]?.phase = .over
        commands.append(.finish(id))
        scripts[index].conclude(at: now, opened: peers[id]?.openedAt)
    }
}
