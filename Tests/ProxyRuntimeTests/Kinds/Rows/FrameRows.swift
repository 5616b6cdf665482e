import Wire

extension KindRow {
    /// A word in two fragments.
    @Sendable private static func fragments(_ word: String, _ masked: Bool) -> [UInt8] {
        let mask: [UInt8]? = masked ? [0x11, 0x22, 0x33, 0x44] : nil
        let bytes = Array(word.utf8)
        return Sample.frame(1, Array(bytes.prefix(2)), fin: false, mask: mask) + Sample.frame(0, Array(bytes.dropFirst(2)), mask: mask)
    }

    /// The fragments keep the key of the frame that they were.
    private static func split(_ said: Said, _ parts: [String], between: [Part] = []) -> [Part] {
        let mask: [UInt8]? = said.side == .server ? [0x37, 0xfa, 0x21, 0x3d] : nil
        return parts.enumerated().flatMap { index, text -> [Part] in
            let frame = Sample.frame(index == 0 ? 1 : 0, Array(text.utf8), fin: index == parts.count - 1, mask: mask)
            return [.exact(frame)] + (index == parts.count - 1 ? [] : between)
        }
    }

    static let frame: [KindRow] = [
        KindRow(kind: "bit-flip", settings: "in: payload, bits: 1", sees: { $0.with([.flipped($0.words[1])], at: 1) }),
        KindRow(kind: "opcode", settings: "opcode: 3", sees: { $0.with([$0.edited(1) { $0[0] = 0x83 }], at: 1) }),
        KindRow(kind: "rsv", settings: "bits: [rsv2]", sees: { $0.with([$0.edited(1) { $0[0] |= 0x20 }], at: 1) }),
        KindRow(kind: "fin", settings: "how: unfinished", sees: { $0.with([$0.edited(1) { $0[0] &= 0x7f }], at: 1) }),
        KindRow(kind: "fin", settings: "how: orphan", sees: { $0.with([$0.edited(1) { $0[0] &= 0xf0 }], at: 1) }),
        KindRow(
            kind: "mask", settings: "how: flip",
            sees: { said in
                said.with([said.side == .server ? .exact(Sample.frame(1, Array("two".utf8))) : .rekeyed(said.words[1])], at: 1)
            }),
        KindRow(
            kind: "length", settings: "how: non-minimal",
            sees: { $0.with([$0.edited(1) { $0.replaceSubrange(1...1, with: [$0[1] & 0x80 | 126, 0, 3]) }], at: 1) }),
        KindRow(
            kind: "length", settings: "how: top-bit",
            sees: {
                $0.with([$0.edited(1) { $0.replaceSubrange(1...1, with: [$0[1] & 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 3]) }], at: 1)
            }),
        KindRow(kind: "fragment", settings: "how: size, size: 2B", sees: { $0.with(split($0, ["tw", "o"]), at: 1) }),
        KindRow(
            kind: "defragment", frames: fragments,
            sees: { said in
                let mask: [UInt8]? = said.side == .server ? [0x11, 0x22, 0x33, 0x44] : nil
                return said.with([.exact(Sample.frame(1, Array("two".utf8), mask: mask))], at: 1)
            }, note: "`two` in one frame, the others in the two that they were said in"),
        KindRow(
            kind: "interleave", settings: "what: ping",
            sees: { $0.with(split($0, ["t", "wo"], between: [.frame(9, Array("miswire".utf8))]), at: 1) }),
        KindRow(
            kind: "control", settings: "how: unsolicited-pong",
            sees: { $0.with([.frame(10, Array("miswire".utf8)), .exact($0.words[1])], at: 1) }),
        KindRow(
            kind: "control", settings: "how: oversize, opcode: pong",
            sees: { $0.with([.frame(10, Array(repeating: 0x78, count: 126)), .exact($0.words[1])], at: 1) }),
        KindRow(
            kind: "close", settings: "how: code, code: 1002", sees: { $0.with([.exact($0.words[1]), .frame(8, [0x03, 0xea])], at: 1) }),
        KindRow(
            kind: "utf8", settings: "how: surrogate", sees: { $0.with([.frame(1, Array("two".utf8) + [0xed, 0xa0, 0x80])], at: 1) }),
        KindRow(
            kind: "deflate", settings: "how: corrupt", frames: Deflated.frame, requestLines: Deflated.line, acceptLines: Deflated.line,
            sees: { said in
                let payload = (Deflated.bytes["two"] ?? []) + [0, 0, 0xff, 0xff, 0xff]
                return [.exact(said.head), .exact(said.words[0]), .frame(1, payload, rsv: 4), .deflated("three")]
            }),
        KindRow(
            kind: "deflate", settings: "how: rsv1-plain", sees: { $0.with([$0.edited(1) { $0[0] |= 0x40 }], at: 1) }),
    ]
}
