package import Journaling
import NIOCore
import Wire

/// Breaks the rules of permessage-deflate (RFC 7692 section 6 and 7.2), or strains its receiver.
package struct DeflateFault: Fault {
    package static let name = "deflate"
    package static let group = FaultGroup.frame
    package static let summary = "compresses wrongly"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how",
            .choice(["corrupt", "cut-tail", "keep-tail", "context", "bomb", "rsv1-plain", "rsv1-continuation", "rsv1-control"]),
            default: "corrupt",
            doc: "a bad block, half of it missing, 00 00 ff ff left on, references to nothing sent, many zeros, RSV1 in a wrong place"),
        Parameter("size", .bytes, default: "16MiB", range: 1...(64 << 20), doc: "what `bomb` inflates to, about a thousand times its length, up to 64MiB"),
    ]

    private let how: String
    private let size: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "corrupt"
        size = reader.bytes("size") ?? 16 << 20
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        return how.hasPrefix("rsv1") ? markWrongly(message, parcel, &dice) : compress(message, &dice)
    }

    private func markWrongly(_ message: Message, _ parcel: Parcel, _ dice: inout Dice) -> Action {
        switch how {
        case "rsv1-control":
            var beside = message
            beside.isCompressed = false
            let ping = FrameWriter.bytes(message.frame(ByteBuffer(string: "miswire"), opcode: .ping, rsv: 4, &dice))
            return .effects([.frames([ping], of: beside, at: nil), .forward(parcel, at: nil)], detail: "a ping with RSV1")
        case "rsv1-continuation":
            var frames = message.frames(&dice)
            if frames.count == 1 { frames = frames[0].split(at: [frames[0].payload.readableBytes / 2]) }
            for index in frames.indices.dropFirst() { frames[index].firstByte |= 0x40 }
            return .frames(frames, of: message, "RSV1 on \(frames.count - 1) continuation\(frames.count == 2 ? "" : "s")")
        default:
            var frames = message.frames(&dice)
            guard frames[0].rsv & 4 == 0 else { return .notApplied("the message is compressed") }
            frames[0].firstByte |= 0x40
            return .frames(frames, of: message, "RSV1 on what is not compressed")
        }
    }

    private func compress(_ message: Message, _ dice: inout Dice) -> Action {
        guard var payload = message.compressedPayload(&dice) else { return .notApplied("the message is not compressed") }
        var message = message
        // What the receiver makes of it is no longer what the sender's context holds.
        message.changed = true
        let detail: String
        switch how {
        case "keep-tail":
            payload.writeInteger(0x0000_ffff as UInt32)
            detail = "00 00 ff ff left on"
        case "cut-tail":
            let left = payload.readableBytes / 2
            payload = payload.getSlice(at: payload.readerIndex, length: left) ?? ByteBuffer()
            detail = "cut to \(left) compressed bytes"
        case "context":
            guard let foreign = Self.foreign(message.payload) else { return .notApplied("the message is too short to refer back") }
            payload = foreign
            detail = "refers to what was never sent"
        case "bomb":
            guard let bomb = Self.bomb(size) else { return .notApplied("no memory for a bomb") }
            payload = bomb
            detail = "\(bomb.readableBytes) bytes that inflate to \(size)"
        default:
            // Behind the flush a block of the type that RFC 1951 section 3.2.3 reserves.
            payload.writeInteger(0x0000_ffff as UInt32)
            payload.writeInteger(0xff as UInt8)
            detail = "a block that is none at its end"
        }
        return .frames([message.frame(payload, opcode: message.opcode, rsv: 4, &dice)], of: message, detail)
    }

    /// The payload as it would be compressed behind itself: nearly all of it is one reference.
    private static func foreign(_ payload: ByteBuffer) -> ByteBuffer? {
        guard payload.readableBytes >= 8, let deflater = try? Deflater(windowBits: 15, takeover: true),
            (try? deflater.deflate(payload)) != nil
        else { return nil }
        return try? deflater.deflate(payload)
    }

    /// Zeros behind a window of zeros are the same bytes each time, so that one block of them is deflated and said again:
    /// this stands on a loop that others wait for.
    private static func bomb(_ size: Int) -> ByteBuffer? {
        let step = 1 << 17
        guard let deflater = try? Deflater(windowBits: 9, takeover: true),
            let first = try? deflater.deflate(ByteBuffer(repeating: 0, count: min(step, size)))
        else { return nil }
        var out = first
        var left = size - min(step, size)
        if left >= step, let block = try? deflater.deflate(ByteBuffer(repeating: 0, count: step)) {
            while left >= step {
                // What a flush ends with is taken off only at the end of the message.
                out.writeInteger(0x0000_ffff as UInt32)
                out.writeImmutableBuffer(block)
                left -= step
            }
        }
        if left > 0, let rest = try? deflater.deflate(ByteBuffer(repeating: 0, count: left)) {
            out.writeInteger(0x0000_ffff as UInt32)
            out.writeImmutableBuffer(rest)
        }
        return out
    }
}
