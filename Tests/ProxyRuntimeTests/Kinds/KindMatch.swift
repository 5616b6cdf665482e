import NIOCore
import Wire

/// Frames as the tests read them: by hand, so that a defect of the program's own parser does not hide itself.
struct SeenFrame {
    var fin: Bool
    var rsv: UInt8
    var opcode: UInt8
    var key: [UInt8]?
    var lengthBits: Int
    var payload: [UInt8]
    /// On the wire.
    var size: Int
    var headerSize: Int

    var isShortest: Bool { lengthBits == (payload.count < 126 ? 7 : payload.count < 65_536 ? 16 : 64) }

    /// Nil when there is no whole frame.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        guard let first = rest.popFirst(), let second = rest.popFirst() else { return nil }
        fin = first & 0x80 != 0
        rsv = first >> 4 & 7
        opcode = first & 15
        var length = UInt64(second & 0x7f)
        let more = length == 126 ? 2 : length == 127 ? 8 : 0
        lengthBits = more == 0 ? 7 : more * 8
        if more > 0 {
            guard rest.count >= more else { return nil }
            length = rest.prefix(more).reduce(0) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(more)
        }
        key = nil
        if second & 0x80 != 0 {
            guard rest.count >= 4 else { return nil }
            key = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
        }
        guard length <= UInt64(rest.count) else { return nil }
        let mask = key ?? [0, 0, 0, 0]
        headerSize = bytes.count - rest.count
        payload = rest.prefix(Int(length)).enumerated().map { $0.element ^ mask[$0.offset % 4] }
        size = headerSize + payload.count
    }
}

extension KindRow.Part {
    /// How many of the bytes it is; nil when they begin with something else.
    func length(in bytes: ArraySlice<UInt8>, at side: Side) -> Int? {
        if case .exact(let want) = self { return bytes.starts(with: want) ? want.count : nil }
        guard let frame = SeenFrame(bytes) else { return nil }
        let isMasked = frame.key != nil
        switch self {
        case .exact: return nil
        case .frame(let opcode, let payload, let fin, let rsv):
            let isLike = frame.opcode == opcode && frame.payload == payload && frame.fin == fin && frame.rsv == rsv
            return isLike && frame.isShortest && isMasked == (side == .server) ? frame.size : nil
        case .rekeyed(let old):
            guard let before = SeenFrame(old[...]) else { return nil }
            let isLike = frame.payload == before.payload && frame.fin && bytes.first == old.first
            return isLike && isMasked && frame.isShortest && frame.key != before.key ? frame.size : nil
        case .flipped(let old):
            guard let before = SeenFrame(old[...]), bytes.starts(with: old.prefix(before.headerSize)) else { return nil }
            let bits = zip(frame.payload, before.payload).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            return bits == 1 && frame.size == before.size ? frame.size : nil
        case .deflated(let text):
            guard frame.opcode == 1, frame.fin, frame.rsv == 4, isMasked == (side == .server),
                let inflater = try? Inflater(windowBits: 15, takeover: false),
                let plain = try? inflater.inflate(ByteBuffer(bytes: frame.payload), limit: 65_536)
            else { return nil }
            return String(buffer: plain) == text ? frame.size : nil
        }
    }

    /// Where each part begins, and the end; nil with what is wrong.
    static func places(_ parts: [Self], in bytes: [UInt8], at side: Side) -> (places: [Int], wrong: String?) {
        var places = [0]
        for (index, part) in parts.enumerated() {
            let begin = places[places.count - 1]
            guard let length = part.length(in: bytes[begin...], at: side) else {
                return (places, "part \(index) is not there, but \(KindTranscript.raw(bytes[begin...]))")
            }
            places.append(begin + length)
        }
        let end = places[places.count - 1]
        return (places, end == bytes.count ? nil : "behind the last part stands \(KindTranscript.raw(bytes[end...]))")
    }
}
