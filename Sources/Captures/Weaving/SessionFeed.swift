import Faults
import Journaling
import NIOCore
import Wire

/// One session of a capture: hands its bytes to a session machine without faults, which writes the raw entries that the
/// proxy would have written. What the machine wants done is done already, in the capture. A reference, because a machine is
/// large and every read would copy it.
final class SessionFeed {
    let id: SessionID
    private var machine: SessionMachine
    private let outbox: ImportOutbox
    /// Reads the answer beforehand, until it is whole: one that a proxy would not pass on is no answer of ours.
    private var answer: HeadParser?
    /// What is still to come of the answer that refused the upgrade. Nil: none did, or nobody can tell where it ends.
    private var refusal: HTTPBody?
    /// Directions in which bytes are missing, so that nothing behind them can be told apart.
    private var isTornToServer = false
    private var isTornToClient = false
    private var fromClient: UInt64 = 0
    private var fromServer: UInt64 = 0
    private(set) var isOver = false

    init(_ id: SessionID, _ configuration: SessionConfiguration, into outbox: ImportOutbox) {
        self.id = id
        self.outbox = outbox
        machine = SessionMachine(configuration: configuration, id: id)
        let limits = configuration.limits
        answer = HeadParser(
            .response,
            limits: HeadLimits(
                total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes,
                fields: limits.headFields))
    }

    /// Bytes of that side are read and written down at once: nobody holds on to them.
    func keepsNothing(from side: Side) -> Bool {
        answer == nil && !isTornToServer && !isTornToClient && machine.keepsNothing(from: side)
    }

    /// The upgrade was refused and the answer is whole: what the client says next is another request, if it says anything
    /// (RFC 9112 section 9.3).
    var isAnswered: Bool { !isOver && refusal?.isOver == true }

    func begin(_ connection: Connection, _ head: RequestHead, at now: Instant) {
        let opened = Opened(
            transport: TransportID(UInt32(truncatingIfNeeded: connection.id)), peer: connection.client,
            isMadeUp: connection.isMadeUp)
        handle(.accepted(opened), at: now)
        handle(.connected, at: now)
        bytes(head.bytes, from: .client, at: now)
    }

    func bytes(_ bytes: ByteBuffer, from side: Side, at now: Instant) {
        guard !isOver, bytes.readableBytes > 0 else { return }
        if side == .server, !isTornToClient {
            if answer != nil {
                if let refusal = preview(bytes) { return refused(refusal, at: now) }
            } else if refusal != nil {
                var rest = bytes
                refusal?.skip(&rest)
            }
        }
        let count = UInt64(clamping: bytes.readableBytes)
        if side == .client { fromClient &+= count } else { fromServer &+= count }
        if side == .client ? isTornToServer : isTornToClient {
            add(.piece(side.outgoing, .bytes(.opaque), bytes, in: now, out: now, .none), at: now)
        } else {
            handle(.received(side, bytes), at: now)
        }
    }

    /// The reason for which the answer's head cannot be taken.
    private func preview(_ bytes: ByteBuffer) -> HeadRefusal? {
        answer?.feed(bytes)
        while let result = answer?.next() {
            switch result {
            case .response(let head) where head.isInterim: continue
            case .refused(let refusal): return refusal
            case .partial: return nil
            case .response(let head):
                guard var rest = answer?.takeHeld() else { return nil }
                answer = nil
                guard head.status != 101 else { return nil }
                var body = HTTPBody(of: head, to: "GET")
                body.skip(&rest)
                refusal = body
            case .request, .notHTTP: answer = nil
            }
        }
        return nil
    }

    private func refused(_ refusal: HeadRefusal, at now: Instant) {
        let detail = "response head: \(refusal.detail)"
        let limit = LimitRecord(id: refusal.isLimit ? "L1" : "T22", detail: detail, direction: .toClient)
        add(.value(.limit(limit)), at: now)
        for side in Side.allCases {
            add(.value(.ended(EndRecord(side: side, style: .finish, by: .tool, cause: detail))), at: now)
        }
        close(at: now, why: nil)
    }

    /// Bytes of that side are missing in the capture, or cannot be found in it.
    func lack(_ count: UInt64, from side: Side, at now: Instant) {
        guard !isOver else { return }
        let direction = side.outgoing
        let passage = Passage(direction, in: now, out: now)
        let record = BytesRecord(passage: passage, kind: .missing, bytes: ByteBuffer(), wireSize: count)
        add(.value(.bytes(record)), at: now)
        if direction == .toServer { isTornToServer = true } else { isTornToClient = true }
        answer = nil
        refusal = nil
    }

    func ended(_ side: Side, _ style: EndStyle, at now: Instant) {
        if !isOver { handle(.ended(side, style), at: now) }
    }

    func note(_ sentence: String, at now: Instant) {
        if !isOver { add(.value(.note(sentence)), at: now) }
    }

    /// The session's last entries.
    /// - Parameter why: what the capture does not tell of its end.
    func close(at now: Instant, why: String?) {
        guard !isOver else { return }
        if let why { note(why, at: now) }
        handle(
            .closed(Totals(clientIn: fromClient, clientOut: fromServer, serverIn: fromServer, serverOut: fromClient)), at: now)
        isOver = true
    }

    private func handle(_ event: SessionEvent, at now: Instant) {
        machine.handle(event, at: now, into: &outbox.output)
        outbox.output.commands.removeAll(keepingCapacity: true)
    }

    /// What no machine knows of bears ordinal 0, as everything derived does.
    private func add(_ body: RawEntry.Body, at now: Instant) {
        outbox.output.entries.append(RawEntry(instant: now, session: id, ordinal: 0, body: body))
    }
}

/// What sessions write, until the journal takes it: one for all of them, so that nothing is allocated per read.
final class ImportOutbox {
    var output = SessionOutput()
}
