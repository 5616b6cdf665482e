import Journaling
import NIOCore
import Wire

/// A few moments of two users' lives, told so that one property must fail.
struct Specimen: Sendable {
    enum Move: Sendable {
        /// Upgraded, with a credential in that state.
        case opens(Int, String, Facts.State)
        case says(Int, String)
        case hears(Int, String)
        /// The server masks its frame.
        case hearsMasked(Int, String)
        /// The server's message before it held that credential.
        case discloses(Int, String)
        /// A fault, and what a profile expects of it.
        case suffers(Int, Expectation)
    }
    /// The property that must head its finding.
    let property: String
    /// One move a millisecond.
    let moves: [Move]

    /// As the proxy would have written it down.
    var entries: [Entry] {
        var writer = Writer()
        for (index, move) in moves.enumerated() { writer.write(move, at: Instant(nanoseconds: Int64(index) * 1_000_000)) }
        return writer.entries
    }

    private struct Writer {
        var entries: [Entry] = []
        private var ordinals: [Int: UInt32] = [:]

        mutating func write(_ move: Move, at now: Instant) {
            switch move {
            case .opens(let session, let user, let state): open(session, user, state, now)
            case .says(let session, let text): say(session, text, .toServer, isMasked: true, now)
            case .hears(let session, let text): say(session, text, .toClient, isMasked: false, now)
            case .hearsMasked(let session, let text): say(session, text, .toClient, isMasked: true, now)
            case .discloses(let session, let tag):
                add(session, now, .facts(Facts(tap: .serverIn, user: nil, place: "a message", state: .unknown, tag: tag, isSecret: true)))
            case .suffers(let session, let expect):
                let record = FaultRecord(
                    id: "f1", kind: "close", influence: Influence(.connection, [.success]), tap: .serverOut, on: nil,
                    detail: "a word out of turn", expect: expect)
                add(session, now, .fault(record))
            }
        }

        private mutating func open(_ session: Int, _ user: String, _ state: Facts.State, _ now: Instant) {
            add(session, now, .opened(Opened(transport: TransportID(UInt32(clamping: session)), peer: "127.0.0.1:50000")))
            let request = ByteBuffer(string: "GET /ws HTTP/1.1\r\nhost: self-check\r\n\r\n")
            add(session, now, .head(HeadRecord(passage: Passage(.toServer, in: now, out: now), bytes: request)))
            for tap in [Tap.clientIn, .serverOut] {
                add(session, now, .facts(Facts(tap: tap, user: user, place: "query token", state: state)))
            }
            let answer = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\r\n")
            add(session, now, .head(HeadRecord(passage: Passage(.toClient, in: now, out: now), bytes: answer)))
            add(session, now, .became(.accepted(subprotocol: nil, deflate: false)))
        }

        private mutating func say(
            _ session: Int, _ text: String, _ direction: Direction, isMasked: Bool, _ now: Instant
        ) {
            let payload = ByteBuffer(string: text)
            let record = FrameRecord(
                passage: Passage(direction, in: now, out: now),
                frame: Frame(opcode: .text, maskKey: isMasked ? 1 : nil, payload: payload),
                message: MessageRecord(opcode: .text, payload: payload, ordinal: 1))
            add(session, now, .frame(record))
        }

        private mutating func add(_ session: Int, _ now: Instant, _ body: Entry.Body) {
            let ordinal = (ordinals[session] ?? 0) + 1
            ordinals[session] = ordinal
            let number = UInt64(entries.count) + 1
            entries.append(
                Entry(
                    number: number, instant: now, loop: 0, sequence: number,
                    ref: EntryRef(session: SessionID(UInt32(clamping: session)), ordinal: ordinal), body: body))
        }
    }
}
