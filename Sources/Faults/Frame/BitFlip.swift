package import Journaling
import NIOCore
import Wire

/// Flips bits of a frame of the message.
package struct BitFlip: Fault {
    package static let name = "bit-flip"
    package static let group = FaultGroup.frame
    package static let summary = "flips bits of a frame"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "in", .choice(["header", "mask", "payload", "any"]), default: "payload",
            doc: "the header without the masking key, the key, the payload as it is on the wire, or the whole frame"),
        Parameter("bits", .count, default: "1", range: 1...64, doc: "how many different bits, 1 to 64"),
    ]

    private let place: String
    private let bits: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        place = reader.text("in") ?? "payload"
        bits = reader.count("bits") ?? 1
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let frames = message.frames(&dice)
        let start = dice.below(frames.count)
        // The first one from there that has such bytes.
        let order = frames.indices.map { (start + $0) % frames.count }
        guard let chosen = order.first(where: { !span(in: frames[$0]).isEmpty }) else {
            return .notApplied("no frame has a \(place == "mask" ? "masking key" : "payload")")
        }
        let range = span(in: frames[chosen])
        var flipped: [Int] = []
        for _ in 0..<min(bits, range.count * 8) {
            var bit = dice.below(range.count * 8)
            while flipped.contains(bit) { bit = (bit + 1) % (range.count * 8) }
            flipped.append(bit)
        }
        var written = frames.map(FrameWriter.bytes)
        for bit in flipped {
            let offset = written[chosen].readerIndex + range.lowerBound + bit / 8
            let byte: UInt8 = written[chosen].getInteger(at: offset) ?? 0
            written[chosen].setInteger(byte ^ 1 << UInt8(bit % 8), at: offset)
        }
        let places = flipped.map { "\(range.lowerBound + $0 / 8).\($0 % 8)" }.joined(separator: " ")
        return .effects(
            [.frames(written, of: message, at: nil)],
            detail: "flipped \(flipped.count) bit\(flipped.count == 1 ? "" : "s") of frame \(chosen + 1): \(places)")
    }

    /// Offsets in the frame's bytes.
    private func span(in frame: Frame) -> Range<Int> {
        let header = FrameHeader(frame).size
        let key = frame.maskKey == nil ? header : header - 4
        switch place {
        case "header": return 0..<key
        case "mask": return key..<header
        case "payload": return header..<header + frame.payload.readableBytes
        default: return 0..<header + frame.payload.readableBytes
        }
    }
}
