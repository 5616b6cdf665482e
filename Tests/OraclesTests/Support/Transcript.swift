import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// Writes a journal as people tell a story: who connects, says and hears what, and when (milliseconds).
struct Transcript {
    private(set) var entries: [Entry] = []
    private var ordinals: [Int: UInt32] = [:]
    private var sequence: UInt64 = 0
    var loop: UInt16 = 0

    private mutating func add(_ session: Int?, _ ms: Double, _ body: Entry.Body) {
        sequence += 1
        var ref: EntryRef?
        if let session {
            ordinals[session, default: 0] += 1
            ref = EntryRef(session: SessionID(UInt32(session)), ordinal: ordinals[session] ?? 0)
        }
        entries.append(
            Entry(
                number: sequence, instant: Self.instant(ms), loop: loop, sequence: sequence, ref: ref, body: body))
    }

    /// The entry, counted from the end, comes to the journal last, as what it belonged to ended then.
    mutating func comesLate(_ back: Int, at ms: Double) {
        sequence += 1
        var entry = entries.remove(at: entries.count - back)
        entry.instant = Self.instant(ms)
        entry.sequence = sequence
        entries.append(entry)
    }

    /// An interim answer of the server.
    mutating func interim(_ session: Int, at ms: Double) {
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "HTTP/1.1 103 Early Hints\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toClient, in: at, out: at), bytes: bytes)))
    }

    static func instant(_ ms: Double) -> Instant { Instant(nanoseconds: Int64(ms * 1_000_000)) }

    var last: EntryRef? { entries.last?.ref }

    // MARK: Opening

    /// A whole opening: transport, request head, facts at Cin and Sout, the server's 101.
    mutating func open(
        _ session: Int, _ user: String?, at ms: Double, state: Facts.State = .intact, faults: [String] = [],
        path: String = "/ws", accepted: Bool = true, agent: String? = nil
    ) {
        upgrade(session, user, at: ms, state: state, faults: faults, path: path, agent: agent)
        if accepted { accept(session, at: ms) }
    }

    mutating func upgrade(
        _ session: Int, _ user: String?, at ms: Double, state: Facts.State = .intact, faults: [String] = [],
        path: String = "/ws", opaque: Bool = false, isMadeUp: Bool = false, agent: String? = nil
    ) {
        let peer = "127.0.0.1:\(50_000 + session)"
        add(session, ms, .opened(Opened(transport: TransportID(UInt32(session)), peer: peer, isMadeUp: isMadeUp)))
        if opaque { add(session, ms, .became(.opaque("no Upgrade: websocket"))) }
        let more = agent.map { "User-Agent: \($0)\r\n" } ?? ""
        let bytes = ByteBuffer(string: "GET \(path)?token=x HTTP/1.1\r\nhost: test\r\n\(more)\r\n")
        let at = Self.instant(ms)
        add(session, ms, .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: bytes)))
        facts(session, user, at: ms, state: state, faults: faults)
    }

    mutating func facts(_ session: Int, _ user: String?, at ms: Double, state: Facts.State, faults: [String] = []) {
        let place = state == .absent ? nil : "query token"
        add(session, ms, .facts(Facts(tap: .clientIn, user: user, place: place, state: .intact)))
        add(session, ms, .facts(Facts(tap: .serverOut, user: user, place: place, state: state, faults: faults)))
    }

    /// Credentials of several users in one head.
    mutating func enter(_ session: Int, _ user: String, or rivals: [String], at ms: Double) {
        add(session, ms, .opened(Opened(transport: TransportID(UInt32(session)), peer: "127.0.0.1:\(50_000 + session)")))
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "GET /ws HTTP/1.1\r\nhost: test\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: bytes)))
        for tap in [Tap.clientIn, .serverOut] {
            add(session, ms, .facts(Facts(tap: tap, user: user, rivals: rivals, place: "query token", state: .ambiguous)))
        }
        accept(session, at: ms)
    }

    /// Opened and greeted, with a credential that nobody guesses.
    mutating func bring(_ session: Int, _ user: String, tag: String, at ms: Double) {
        add(session, ms, .opened(Opened(transport: TransportID(UInt32(session)), peer: "127.0.0.1:\(50_000 + session)")))
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "GET /ws?token=‹\(tag)› HTTP/1.1\r\nhost: test\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: bytes)))
        for tap in [Tap.clientIn, .serverOut] {
            add(session, ms, .facts(Facts(tap: tap, user: user, place: "query token", state: .intact, tag: tag, isSecret: true)))
        }
        accept(session, at: ms)
        event(session, #"{"type":"connected","user_id":"\#(user)","connection_id":"ws_\#(session)"}"#, at: ms)
    }

    /// What the server said before held that credential.
    mutating func discloses(_ session: Int, _ tag: String, in place: String = "a message", at ms: Double) {
        add(session, ms, .facts(Facts(tap: .serverIn, user: nil, place: place, state: .unknown, tag: tag, isSecret: true)))
    }

    /// A credential that names nobody.
    mutating func opaqueToken(_ session: Int, tag: String, at ms: Double) {
        add(session, ms, .opened(Opened(transport: TransportID(UInt32(session)), peer: "127.0.0.1:\(50_000 + session)")))
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "GET /ws HTTP/1.1\r\nhost: test\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: bytes)))
        let facts = Facts(tap: .serverOut, user: nil, place: "query token", state: .unknown, tag: tag)
        add(session, ms, .facts(facts))
        accept(session, at: ms)
    }

    mutating func accept(_ session: Int, subprotocol: String? = nil, at ms: Double) {
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toClient, in: at, out: at), bytes: bytes)))
        add(session, ms, .became(.accepted(subprotocol: subprotocol, deflate: false)))
    }

    mutating func refuse(_ session: Int, _ status: Int, at ms: Double) {
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "HTTP/1.1 \(status) No\r\n\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toClient, in: at, out: at), bytes: bytes)))
        add(session, ms, .became(.refused(status: status)))
    }

    /// Opened and greeted.
    mutating func enter(_ session: Int, _ user: String, at ms: Double) {
        open(session, user, at: ms)
        event(session, #"{"type":"connected","user_id":"\#(user)","connection_id":"ws_\#(session)"}"#, at: ms)
    }

    // MARK: Messages

    /// - Parameters:
    ///   - out: when it left at Sout; nil = it never did.
    ///   - faults: ids that made it what it is.
    mutating func send(
        _ session: Int, _ text: String, at ms: Double, out: Double?? = .none, faults: [String] = [],
        opcode: Opcode = .text
    ) {
        let departure: Double? = if case .some(let given) = out { given } else { ms }
        let passage = Passage(.toServer, in: Self.instant(ms), out: departure.map(Self.instant))
        message(session, text, passage, at: ms, faults: faults, opcode: opcode)
    }

    /// A message that reached this session's server from another session.
    mutating func cross(_ session: Int, _ text: String, at ms: Double, source: EntryRef?, faults: [String]) {
        let passage = Passage(.toServer, in: nil, out: Self.instant(ms))
        message(session, text, passage, at: ms, faults: faults, source: source)
    }

    /// - Parameter out: when it left at Cout; nil = our fault kept it.
    mutating func event(_ session: Int, _ text: String, at ms: Double, out: Double?? = .none) {
        let departure: Double? = if case .some(let given) = out { given } else { ms }
        let passage = Passage(.toClient, in: Self.instant(ms), out: departure.map(Self.instant))
        message(session, text, passage, at: ms)
    }

    /// What our own fault put on the client's side: never at Sin.
    mutating func inject(_ session: Int, _ text: String, at ms: Double) {
        message(session, text, Passage(.toClient, in: nil, out: Self.instant(ms)), at: ms, faults: ["f1"])
    }

    private mutating func message(
        _ session: Int, _ text: String, _ passage: Passage, at ms: Double, faults: [String] = [],
        source: EntryRef? = nil, opcode: Opcode = .text
    ) {
        let payload = ByteBuffer(string: text)
        let record = FrameRecord(
            passage: passage, frame: Frame(opcode: opcode, maskKey: passage.direction == .toServer ? 1 : nil, payload: payload),
            message: MessageRecord(opcode: opcode, payload: payload, ordinal: 1),
            provenance: Provenance(source: source, faults: faults))
        add(session, ms, .frame(record))
    }

    /// Any frame, which ends its message or has none.
    mutating func frame(
        _ session: Int, _ direction: Direction, _ frame: Frame, whole: String? = nil, at ms: Double, redacted: Bool = false,
        faults: [String] = []
    ) {
        let at = Self.instant(ms)
        let opcode = frame.opcode == .continuation ? Opcode.text : frame.opcode
        let message = frame.fin ? MessageRecord(opcode: opcode, payload: whole.map { ByteBuffer(string: $0) } ?? frame.payload, ordinal: 1) : nil
        let record = FrameRecord(
            passage: Passage(direction, in: at, out: at), frame: frame, message: message, provenance: Provenance(faults: faults),
            redacted: redacted)
        add(session, ms, .frame(record))
    }

    /// The server's 101 with these header lines.
    mutating func accept(_ session: Int, with lines: String, deflate: Bool = false, at ms: Double) {
        let at = Self.instant(ms)
        let bytes = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\(lines)\r\n")
        add(session, ms, .head(HeadRecord(passage: Passage(.toClient, in: at, out: at), bytes: bytes)))
        add(session, ms, .became(.accepted(subprotocol: nil, deflate: deflate)))
    }

    mutating func unlifted(_ session: Int, _ direction: Direction, at ms: Double) {
        let at = Self.instant(ms)
        let record = FrameRecord(
            passage: Passage(direction, in: at, out: at),
            frame: Frame(opcode: .text, maskKey: direction == .toServer ? 1 : nil, payload: ByteBuffer()),
            message: MessageRecord(opcode: .text, payload: nil, unlifted: "larger than 16 MiB", ordinal: 1))
        add(session, ms, .frame(record))
    }

    // MARK: Ends, faults, time

    mutating func close(_ session: Int, by side: Side, _ code: UInt16, at ms: Double) {
        var payload = ByteBuffer()
        payload.writeInteger(code)
        let at = Self.instant(ms)
        let record = FrameRecord(
            passage: Passage(side.outgoing, in: at, out: at),
            frame: Frame(opcode: .close, maskKey: side == .client ? 1 : nil, payload: payload),
            message: MessageRecord(opcode: .close, payload: payload, ordinal: 0))
        add(session, ms, .frame(record))
    }

    mutating func end(
        _ session: Int, _ side: Side, _ style: EndStyle = .finish, by: EndRecord.By = .peer, undelivered: UInt64 = 0,
        at ms: Double
    ) {
        let cause = by == .fault ? "f1" : ""
        add(session, ms, .ended(EndRecord(side: side, style: style, by: by, cause: cause, undelivered: undelivered)))
    }

    mutating func control(_ session: Int, _ opcode: Opcode, by side: Side, _ text: String = "", at ms: Double) {
        message(session, text, Passage(side.outgoing, in: Self.instant(ms), out: Self.instant(ms)), at: ms, opcode: opcode)
    }

    /// A fault cuts one side, or both, as the machine writes it down: the fault, then what ends at once.
    mutating func cut(_ session: Int, _ style: EndStyle?, _ sides: [Side], at ms: Double) {
        fault(session, "cut", Influence(.openOperations, [.ending, .completion, .delivery]), tap: .serverOut, at: ms)
        guard let style else { return }
        for side in style == .reset ? Side.allCases : sides { end(session, side, style, by: .fault, at: ms) }
    }

    mutating func fault(
        _ session: Int, _ kind: String, _ influence: Influence, tap: Tap, on: EntryRef? = nil, held: Duration = .zero,
        expect: Journaling.Expectation? = nil, at ms: Double
    ) {
        add(
            session, ms,
            .fault(FaultRecord(id: "f1", kind: kind, influence: influence, tap: tap, on: on, detail: kind, held: held, expect: expect)))
    }

    /// One that could not act.
    mutating func idleFault(_ session: Int, _ kind: String, _ influence: Influence, at ms: Double) {
        add(
            session, ms,
            .fault(
                FaultRecord(
                    id: "f1", kind: kind, influence: influence, tap: .serverOut, on: nil, detail: kind, applied: false)))
    }

    mutating func bytes(_ session: Int, _ kind: BytesRecord.Kind, _ direction: Direction, _ text: String, at ms: Double) {
        bytes(session, kind, direction, Array(text.utf8), at: ms)
    }

    mutating func bytes(_ session: Int, _ kind: BytesRecord.Kind, _ direction: Direction, _ bytes: [UInt8], at ms: Double) {
        let at = Self.instant(ms)
        add(
            session, ms,
            .bytes(BytesRecord(passage: Passage(direction, in: at, out: at), kind: kind, bytes: ByteBuffer(bytes: bytes))))
    }

    mutating func closed(_ session: Int, at ms: Double) {
        add(session, ms, .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)))
    }

    /// Reading that side stops, or goes on.
    mutating func hold(_ session: Int, _ isHeld: Bool, _ side: Side = .server, _ cause: HoldRecord.Cause = .full, at ms: Double) {
        add(session, ms, .hold(HoldRecord(side: side, isHeld: isHeld, cause: cause)))
    }

    /// What is known of the target beside its connections.
    mutating func target(_ record: TargetRecord, at ms: Double) { add(nil, ms, .target(record)) }

    /// A quiet checkpoint behind so many sessions.
    mutating func checkpoint(
        _ sessions: Int, memory: UInt64 = 50 << 20, peak: UInt64? = nil, descriptors: Int = 20, threads: Int = 4,
        isQuiet: Bool = true, at ms: Double
    ) {
        let usage = TargetUsage(
            memory: memory, peak: peak, descriptors: descriptors, threads: threads, sessions: sessions, isQuiet: isQuiet)
        target(.usage(usage), at: ms)
    }

    /// An upgrade with that head at both taps; nothing is told of a credential.
    mutating func ask(_ session: Int, _ target: String, _ fields: [String] = [], at ms: Double) {
        add(session, ms, .opened(Opened(transport: TransportID(UInt32(session)), peer: "127.0.0.1:\(50_000 + session)")))
        let head = (["GET \(target) HTTP/1.1", "Host: chat.example:8080"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let at = Self.instant(ms)
        add(session, ms, .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: ByteBuffer(string: head))))
    }

    mutating func answer(_ session: Int, _ status: Int, _ fields: [String] = [], at ms: Double) {
        let head = (["HTTP/1.1 \(status) Reason"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let at = Self.instant(ms)
        add(session, ms, .head(HeadRecord(passage: Passage(.toClient, in: at, out: at), bytes: ByteBuffer(string: head))))
        if status != 101, status >= 200 { add(session, ms, .became(.refused(status: status))) }
    }

    /// A credential at Sout, in an upgrade or in a message.
    mutating func credential(
        _ session: Int, _ user: String, lasts: Duration?, state: Facts.State = .intact, at ms: Double
    ) {
        let facts = Facts(
            tap: .serverOut, user: user, place: "query token", state: state, expires: lasts == nil ? nil : 1, lasts: lasts)
        add(session, ms, .facts(facts))
    }

    mutating func opaque(_ session: Int, at ms: Double) { add(session, ms, .became(.opaque("no upgrade"))) }

    mutating func tick(at ms: Double, crowded: Double = 0) { add(nil, ms, .tick(crowded: UInt64(crowded * 1_000_000))) }

    /// Ticks every 100 ms, both ends included.
    mutating func ticks(from first: Double, to last: Double) {
        var ms = first
        while ms <= last {
            tick(at: ms)
            ms += 100
        }
    }
}

/// Judges a story in several ways, live and offline, which must all agree, and gives what they say.
func judge(
    _ contract: Contract? = AgentChat.contract, until end: Double = 100_000, _ tell: (inout Transcript) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) -> Judgement {
    var transcript = Transcript()
    tell(&transcript)
    let entries = inOrder(transcript.entries)
    var offline = Judge(contract: contract)
    for entry in entries { offline.observe(entry) }
    let judgement = withoutToolErrors(offline.conclude(at: Transcript.instant(end)))
    for step in [1, 3] {
        var live = Judge(contract: contract)
        var told: [Finding] = []
        var last = Instant.zero
        for (index, entry) in entries.enumerated() {
            // Time goes on between entries, in pieces, and the judge is asked for its opinion meanwhile.
            if index % step == 0, entry.instant > last {
                let half = (entry.instant.nanoseconds - last.nanoseconds) / 2
                live.advance(to: Instant(nanoseconds: last.nanoseconds + half))
                live.advance(to: entry.instant)
                _ = live.conclude(at: entry.instant)
            }
            live.observe(entry)
            told += live.newFindings()
            last = entry.instant
        }
        live.advance(to: Transcript.instant(end))
        told += live.newFindings()
        let other = withoutToolErrors(live.conclude(at: Transcript.instant(end)))
        #expect(other == judgement, "live and offline differ", sourceLocation: sourceLocation)
        #expect(Set(told.map(\.id)).count == told.count, "told once", sourceLocation: sourceLocation)
    }
    if judgement.findings.isEmpty {
        Omission(contract, entries, until: Transcript.instant(end)).accusesNobody(sourceLocation)
    }
    return judgement
}

/// As the merge leaves them: in order, and numbered by it.
func inOrder(_ entries: [Entry]) -> [Entry] {
    let sorted = entries.sorted { ($0.instant, $0.sequence) < ($1.instant, $1.sequence) }
    return sorted.enumerated().map { index, entry in
        var entry = entry
        entry.number = UInt64(index) + 1
        return entry
    }
}

/// Stories leave out what the ledger wants to see (totals at the end); it has its own tests.
func withoutToolErrors(_ judgement: Judgement) -> Judgement {
    var copy = judgement
    copy.toolErrors = []
    return copy
}

extension Judgement {
    /// `I2 also E3`
    var heads: [String] {
        findings.map { finding in
            finding.property + (finding.also.isEmpty ? "" : " also " + finding.also.joined(separator: " "))
        }
    }
    func summary(_ id: String) -> PropertySummary {
        properties.first { $0.id == id } ?? PropertySummary(id: "missing", name: "")
    }
    /// `checked passed excused inconclusive failed`
    func counts(_ id: String) -> [Int] {
        let summary = summary(id)
        return [summary.checked, summary.passed, summary.excused, summary.inconclusive, summary.failed]
    }
    var failed: [String] { properties.filter { $0.failed > 0 }.map(\.id) }
    var undecided: [String] { properties.filter { $0.inconclusive > 0 }.map(\.id) }
}

extension Judgement {
    /// What failed, as people read it.
    var sentences: [String] { findings.map { "\($0.id) \($0.sentence)" } }
}
