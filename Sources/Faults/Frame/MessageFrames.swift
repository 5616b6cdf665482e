import Journaling
import NIOCore
import Wire

/// A message as the frames that a fault writes.
extension Message {
    /// The frames it came in; or one of ours, not compressed, where its own do not go on: that is allowed at any time
    /// (RFC 7692 section 6).
    func frames(_ dice: inout Dice) -> [Frame] {
        guard !changed, let wire else { return [frame(payload, opcode: opcode, &dice)] }
        var parser = FrameParser(limit: wire.readableBytes)
        parser.feed(wire)
        var found: [Frame] = []
        while case .frame(let frame, _) = parser.next() { found.append(frame) }
        return found.isEmpty ? [frame(payload, opcode: opcode, &dice)] : found
    }

    /// The same in one frame; still compressed when it came so.
    func oneFrame(_ dice: inout Dice) -> Frame {
        let all = frames(&dice)
        guard all.count > 1, let first = all.first else { return all.first ?? frame(payload, opcode: opcode, &dice) }
        var joined = ByteBuffer()
        for frame in all { joined.writeImmutableBuffer(frame.payload) }
        return Frame(rsv: first.rsv, opcode: first.opcode, maskKey: first.maskKey, payload: joined)
    }

    /// A frame as the sender of this direction writes it, masked towards the server (RFC 6455 section 5.3).
    func frame(_ payload: ByteBuffer, opcode: Opcode, fin: Bool = true, rsv: UInt8 = 0, _ dice: inout Dice) -> Frame {
        let key = UInt32(truncatingIfNeeded: dice.next()) | 1
        return Frame(fin: fin, rsv: rsv, opcode: opcode, maskKey: direction == .toServer ? key : nil, payload: payload)
    }

    /// What its frames carry together while it is compressed; from a context of ours where its own is not to be had.
    func compressedPayload(_ dice: inout Dice) -> ByteBuffer? {
        guard isCompressed else { return nil }
        let whole = oneFrame(&dice)
        if whole.rsv & 4 != 0 { return whole.payload }
        // Nine bits fit into every window.
        return try? Deflater(windowBits: 9, takeover: false).deflate(payload)
    }
}

extension Frame {
    /// The payload in frames of these lengths, the first of this frame's kind, the others its continuations.
    /// - Parameter ends: offsets, rising, where one ends and the next begins; equal ones give an empty frame between.
    func split(at ends: [Int]) -> [Frame] {
        var begin = 0
        let borders = ends + [payload.readableBytes]
        return borders.enumerated().map { index, end in
            defer { begin = end }
            let part = payload.getSlice(at: payload.readerIndex + begin, length: max(0, end - begin)) ?? ByteBuffer()
            return Frame(
                fin: index == borders.count - 1 && fin, rsv: index == 0 ? rsv : 0,
                opcode: index == 0 ? opcode : .continuation, maskKey: maskKey, payload: part)
        }
    }

    /// The header says that length, in the shortest form that holds it; the payload stays.
    func declaring(_ length: UInt64) -> Frame {
        var frame = self
        frame.declaredLength = length
        frame.lengthForm = length < 126 ? .seven : length < 65_536 ? .sixteen : .sixtyFour
        return frame
    }
}

extension Action {
    /// The message goes as these frames.
    static func frames(_ frames: [Frame], of message: Message, _ detail: String) -> Action {
        .effects([.frames(frames.map(FrameWriter.bytes), of: message, at: nil)], detail: detail)
    }
}

extension Influence {
    /// The receiver must fail the connection, or may: whatever is open there ends (oracle.md, "hostile frame").
    static let hostileFrame = Influence(.connection, [.ending, .completion, .delivery, .success])
    /// A receiver must not mind.
    static let legalFrame = Influence(.message, [])
}
