import Journaling
import NIOCore
import Wire

/// Reads the journal for people: counts what happens and turns it into one event a line.
struct Teller {
    var statistics = Statistics()
    private var sessions: [SessionID: Known] = [:]

    /// What is remembered of a session until it closes.
    private struct Known {
        var opened: Instant
        var peer: String
        var path: String?
        var user: String?
        var requestAt: Instant?
        var answeredAt: Instant?
        var became: Became?
        /// Ids of faults that acted before the session's kind was decided.
        var faults: [String] = []
        var expectsRefusal = false
        var trouble: String?
        var messagesToServer: UInt64 = 0
        var messagesToClient: UInt64 = 0
        var closeCode: UInt16?
        var closedBy: Side?
        var unanswered: Instant?
    }

    /// - Parameter counts: messages are in the journal and can be counted.
    init(counts: Bool) {
        if counts {
            statistics.messagesToServer = 0
            statistics.messagesToClient = 0
        }
    }

    mutating func observe(_ entry: Entry, tell: (RuntimeEvent) -> Void) {
        guard let session = entry.session else { return }
        if case .opened(let opened) = entry.body {
            statistics.opened += 1
            sessions[session] = Known(opened: entry.instant, peer: opened.peer)
            return
        }
        guard var known = sessions.removeValue(forKey: session) else { return }
        let kind = read(entry, into: &known)
        if let kind {
            tell(RuntimeEvent(instant: entry.instant, session: session, user: known.user, peer: known.peer, kind: kind))
        }
        if case .closed = entry.body { return }
        sessions[session] = known
    }

    private mutating func read(_ entry: Entry, into known: inout Known) -> RuntimeEvent.Kind? {
        switch entry.body {
        case .head(let head): note(head, in: &known)
        case .facts(let facts): known.user = facts.user ?? known.user
        case .became(let became): return decide(became, at: entry.instant, &known)
        case .frame(let frame): note(frame, in: &known)
        case .fault(let fault): return count(fault, &known)
        case .limit(let limit):
            statistics.limits += 1
            if known.became == nil { known.trouble = limit.detail }
            return .limit(limit)
        case .ended(let end):
            if known.became == nil, known.trouble == nil { known.trouble = trouble(end) }
        case .closed(let totals): return close(totals, at: entry.instant, &known)
        case .opened, .bytes, .hold, .recoded, .note, .target, .tick: break
        }
        return nil
    }

    private func trouble(_ end: EndRecord) -> String? {
        if !end.cause.isEmpty { return end.cause }
        return switch (end.side, end.style) {
        case (.client, _): "the client left before the server had answered"
        case (.server, .reset): "the server reset the connection before it had answered"
        case (.server, .finish): "the server ended the connection before it had answered"
        }
    }

    private func note(_ head: HeadRecord, in known: inout Known) {
        switch head.passage.direction {
        case .toServer:
            let view = HeadView(head.bytes)
            if let path = view.path { known.path = view.text(path) }
            known.requestAt = head.passage.out
        case .toClient:
            known.answeredAt = head.passage.in
        }
    }

    private mutating func decide(_ became: Became, at now: Instant, _ known: inout Known) -> RuntimeEvent.Kind? {
        known.became = became
        let total = known.opened.duration(to: now)
        switch became {
        case .accepted:
            statistics.connected += 1
            statistics.connect.record(total)
            var server: Duration?
            if let sent = known.requestAt, let got = known.answeredAt { server = sent.duration(to: got) }
            return .open(total: total, server: server, peer: known.peer, path: known.path)
        case .refused(let status):
            statistics.refused += 1
            return .refused(
                status: status, total: total, faults: known.faults, path: known.path,
                isExpected: known.expectsRefusal && status >= 400)
        case .opaque(let reason):
            statistics.opaque += 1
            return .opaque(reason, peer: known.peer)
        }
    }

    private mutating func note(_ frame: FrameRecord, in known: inout Known) {
        let passage = frame.passage
        if passage.in != nil { count(frame.wireSize, passage.direction) }
        if frame.frame.opcode == .close, known.closedBy == nil, passage.in != nil {
            known.closedBy = passage.direction.source
            known.closeCode = frame.frame.payload.getInteger(at: frame.frame.payload.readerIndex)
        }
        guard let message = frame.message, message.ordinal > 0 else { return }
        switch passage.direction {
        case .toServer:
            if passage.in != nil {
                known.messagesToServer += 1
                statistics.messagesToServer = (statistics.messagesToServer ?? 0) + 1
            }
            if known.unanswered == nil { known.unanswered = passage.out }
        case .toClient:
            guard let arrival = passage.in else { return }
            known.messagesToClient += 1
            statistics.messagesToClient = (statistics.messagesToClient ?? 0) + 1
            if let asked = known.unanswered, asked <= arrival {
                statistics.answer.record(asked.duration(to: arrival))
                known.unanswered = nil
            }
        }
    }

    private mutating func count(_ bytes: UInt64, _ direction: Direction) {
        switch direction {
        case .toServer: statistics.bytesToServer &+= bytes
        case .toClient: statistics.bytesToClient &+= bytes
        }
    }

    private mutating func count(_ fault: FaultRecord, _ known: inout Known) -> RuntimeEvent.Kind {
        if fault.applied {
            if let index = statistics.faults.firstIndex(where: { $0.id == fault.id }) {
                statistics.faults[index].acted += 1
            } else {
                statistics.faults.append(.init(id: fault.id, kind: fault.kind, acted: 1))
            }
            if fault.held > .zero {
                statistics.heldMessages += 1
                statistics.held += fault.held
            }
            if known.became == nil {
                known.faults.append("\(fault.id) \(fault.kind)")
                if fault.expect?.what == .refused { known.expectsRefusal = true }
            }
        }
        return .fault(fault)
    }

    private mutating func close(
        _ totals: Totals, at now: Instant, _ known: inout Known
    ) -> RuntimeEvent.Kind? {
        let bytes = totals.clientIn &+ totals.serverIn
        statistics.bytes &+= bytes
        if statistics.messagesToServer == nil {
            count(totals.clientIn, .toServer)
            count(totals.serverIn, .toClient)
        }
        switch known.became {
        case .refused: return nil
        case nil:
            statistics.failed += 1
            return .failed(
                known.trouble ?? "the client left before it had asked for anything", peer: known.peer, path: known.path)
        case .accepted, .opaque:
            let counted = statistics.messagesToServer != nil
            return .close(
                RuntimeEvent.Closing(
                    code: known.closeCode, by: known.closedBy, lasted: known.opened.duration(to: now),
                    messagesToServer: counted ? known.messagesToServer : nil,
                    messagesToClient: counted ? known.messagesToClient : nil, bytes: bytes))
        }
    }
}
