import NIOCore
import Wire

/// Frames of a message begun, kept back until its end tells whether a secret lies in it. A peer pays two bytes for an empty
/// fragment, so of each there is only what its entry will need (trust.md T20); their payloads are those of the message.
struct HeldFrames {
    /// `Int64.min` where it did not pass. One of these stands for two bytes of the network: keep it small.
    struct Item {
        var arrived: Int64
        var left: Int64
        var declared: UInt64
        var ordinal: UInt32
        var maskKey: UInt32
        var read: UInt32
        /// Where its payload begins in that of the message, and how long it is.
        var offset: UInt32
        var size: UInt32
        var firstByte: UInt8
        var form: LengthForm
        var isMasked: Bool
    }

    private var items: [Item] = []
    /// Of those that are not plainly what arrived.
    private var provenances: [(index: Int, provenance: Provenance)] = []

    var isEmpty: Bool { items.isEmpty }

    /// - Parameter end: where its payload ends in that of the message.
    mutating func append(_ record: FrameRecord, _ ref: EntryRef, end: UInt64) {
        let frame = record.frame
        let size = UInt64(clamping: frame.payload.readableBytes)
        if record.provenance != .none { provenances.append((items.count, record.provenance)) }
        items.append(
            Item(
                arrived: record.passage.in?.nanoseconds ?? .min, left: record.passage.out?.nanoseconds ?? .min,
                declared: frame.declaredLength, ordinal: ref.ordinal, maskKey: frame.maskKey ?? 0, read: record.read,
                offset: UInt32(clamping: end - min(size, end)), size: UInt32(clamping: size), firstByte: frame.firstByte,
                form: frame.lengthForm, isMasked: frame.maskKey != nil))
    }

    /// All of them as entries of this instant, in their order.
    /// - Parameter payload: the message's, as it came on the wire; nil = what could not be searched for secrets is left out.
    mutating func take(
        _ direction: Direction, _ session: SessionID, at instant: Instant, payload: ByteBuffer?, into entries: inout [Entry]
    ) {
        guard !items.isEmpty else { return }
        var provenances = provenances[...]
        for (index, item) in items.enumerated() {
            var provenance = Provenance.none
            if provenances.first?.index == index { provenance = provenances.removeFirst().provenance }
            let part = payload.flatMap { $0.getSlice(at: $0.readerIndex + Int(item.offset), length: Int(item.size)) }
            let frame = Frame(
                firstByte: item.firstByte, lengthForm: item.form, declaredLength: item.declared,
                maskKey: item.isMasked ? item.maskKey : nil, payload: part ?? ByteBuffer())
            let missing = UInt64(item.size) - UInt64(clamping: frame.payload.readableBytes)
            let record = FrameRecord(
                passage: Passage(direction, in: Self.instant(item.arrived), out: Self.instant(item.left)), frame: frame,
                message: nil, provenance: provenance, read: item.read, redacted: missing > 0,
                wireSize: FrameRecord.wireSize(of: frame) + missing)
            let ref = EntryRef(session: session, ordinal: item.ordinal)
            entries.append(Entry(instant: instant, loop: 0, sequence: 0, ref: ref, body: .frame(record)))
        }
        self = HeldFrames()
    }

    private static func instant(_ nanoseconds: Int64) -> Instant? {
        nanoseconds == .min ? nil : Instant(nanoseconds: nanoseconds)
    }
}
