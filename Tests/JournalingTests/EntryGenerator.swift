import Journaling
import NIOCore
import Wire

/// Entries of every case, from a seed.
struct EntryGenerator {
    var dice: Dice

    init(_ seed: UInt64) {
        dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "")
    }

    mutating func pick<T>(_ values: [T]) -> T { values[dice.below(values.count)] }
    mutating func flip() -> Bool { dice.chance(0.5) }

    mutating func text() -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "Z", "\"", "\\", "\n", "\r", "\t", "\u{0}", "\u{1b}", "\u{7f}", "\u{85}", "é", "‹", "›", "漢", "😀",
            "\u{202e}", "\u{2028}", "\u{feff}", "/", " ", "{",
        ]
        var text = ""
        for _ in 0..<dice.below(12) { text.unicodeScalars.append(pick(alphabet)) }
        return text
    }

    mutating func bytes() -> ByteBuffer {
        switch dice.below(4) {
        case 0: return ByteBuffer()
        case 1: return ByteBuffer(string: text())
        case 2: return ByteBuffer(bytes: (0..<dice.below(40)).map { _ in UInt8(truncatingIfNeeded: dice.next()) })
        default: return ByteBuffer(bytes: (0..<dice.below(9)).map { _ in pick([0, 0xff, 0xc0, 0x80, 0x0a, 0x22]) })
        }
    }

    mutating func instant() -> Instant {
        Instant(nanoseconds: pick([0, -1, Int64.max, Int64.min, Int64(truncatingIfNeeded: dice.next() >> 20)]))
    }
    mutating func ref() -> EntryRef {
        EntryRef(
            session: SessionID(UInt32(truncatingIfNeeded: dice.next())), ordinal: pick([0, 1, UInt32.max]))
    }
    mutating func passage() -> Passage {
        Passage(pick(Direction.allCases), in: flip() ? instant() : nil, out: flip() ? instant() : nil)
    }
    mutating func provenance() -> Provenance {
        Provenance(source: flip() ? ref() : nil, faults: flip() ? [] : ["f1", text()])
    }
    mutating func size() -> UInt64? { pick([nil, 0, 7, UInt64.max]) }

    mutating func frame() -> FrameRecord {
        let payload = bytes()
        let frame = Frame(
            firstByte: UInt8(truncatingIfNeeded: dice.next()), lengthForm: pick([.seven, .sixteen, .sixtyFour]),
            declaredLength: pick([0, 125, 126, 65_535, 65_536, .max, UInt64(payload.readableBytes)]),
            maskKey: pick([nil, 0, .max, 0x0a0b_0c0d]), payload: payload)
        var message: MessageRecord?
        if flip() {
            message = MessageRecord(
                opcode: Opcode(rawValue: UInt8(truncatingIfNeeded: dice.next())),
                payload: pick([nil, payload, bytes()]), unlifted: flip() ? text() : nil, ordinal: pick([0, 3, .max]))
        }
        return FrameRecord(
            passage: passage(), frame: frame, message: message, provenance: provenance(), read: pick([0, 1, .max]),
            redacted: flip(), wireSize: size())
    }

    mutating func fault() -> FaultRecord {
        FaultRecord(
            id: text(), kind: text(),
            influence: Influence(
                pick(Influence.Reach.allCases), Influence.Excuse.allCases.filter { _ in dice.chance(0.4) }),
            tap: pick(Tap.allCases), on: flip() ? ref() : nil, detail: text(), applied: flip(),
            held: .nanoseconds(pick([0, 1, Int64.max])), partner: flip() ? text() : nil,
            expect: flip()
                ? Expectation(
                    what: pick(Expectation.What.allCases), codes: flip() ? [] : [1008, 4401],
                    within: flip() ? nil : .nanoseconds(pick([0, 1, Int64.max]))) : nil)
    }

    static let cases = 15

    mutating func body(_ kind: Int) -> Entry.Body {
        switch kind {
        case 0:
            .opened(
                Opened(
                    transport: TransportID(pick([0, .max])), peer: text(), isMadeUp: flip(), fault: flip() ? text() : nil,
                    route: flip() ? text() : nil, target: flip() ? text() : nil,
                    http2: pick([[], [.server], [.client, .server]])))
        case 1: .head(HeadRecord(passage: passage(), bytes: bytes(), provenance: provenance(), wireSize: size()))
        case 2:
            .facts(
                Facts(
                    tap: pick(Tap.allCases), user: flip() ? text() : nil, rivals: flip() ? [text(), text()] : [], place: flip() ? text() : nil,
                    state: pick(Facts.State.allCases), expires: pick([nil, 0, .max, .min]), tag: flip() ? text() : nil,
                    faults: flip() ? [text()] : [], isSecret: flip()))
        case 3: .became(.accepted(subprotocol: flip() ? text() : nil, deflate: flip()))
        case 4: .became(.refused(status: pick([401, 0, -1])))
        case 5: .became(.opaque(text()))
        case 6: .frame(frame())
        case 7:
            .bytes(
                BytesRecord(
                    passage: passage(), kind: pick(BytesRecord.Kind.allCases), bytes: bytes(), provenance: provenance(),
                    wireSize: size()))
        case 8: .fault(fault())
        case 9: .limit(LimitRecord(id: "L4", detail: text(), direction: flip() ? .toClient : nil))
        case 10: .recoded(Recoded(on: ref(), reason: text()))
        case 11:
            .ended(
                EndRecord(
                    side: pick(Side.allCases), style: pick(EndStyle.allCases), by: pick(EndRecord.By.allCases),
                    cause: text(), undelivered: pick([0, .max])))
        case 12: .closed(Totals(clientIn: .max, clientOut: 0, serverIn: dice.next(), serverOut: 3))
        case 13:
            .hold(
                HoldRecord(side: pick(Side.allCases), isHeld: flip(), cause: pick(HoldRecord.Cause.allCases)))
        default: flip() ? .note(text()) : .tick(crowded: flip() ? 0 : 7)
        }
    }

    mutating func entry(_ kind: Int) -> Entry {
        Entry(
            number: pick([0, 1, .max]), instant: instant(), loop: pick([0, 1, .max]), sequence: pick([0, .max]),
            ref: flip() ? ref() : nil, body: body(kind))
    }
}
