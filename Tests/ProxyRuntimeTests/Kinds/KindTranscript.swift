import Wire

/// What a far side saw, for the table in the README: made from its bytes alone, with names for what was sent.
struct KindTranscript {
    let side: Side
    let head: [UInt8]
    let words: [(name: String, bytes: [UInt8])]

    /// - Parameter late: the place from which on everything came later than what others sent meanwhile.
    func told(_ bytes: [UInt8], late: Int?, end: KindRow.End) -> String {
        var said: [String] = []
        var place = 0
        func mark() {
            if let late, place == late { said.append("*later*") }
        }
        while place < bytes.count {
            mark()
            let rest = bytes[place...]
            if place == 0, let end = Self.headEnd(rest) {
                let lines = told(head: Array(rest[..<end]))
                if lines.isEmpty && late == 0 { said.append("the head") }
                said += lines
                place = end
            } else if let word = words.first(where: { rest.starts(with: $0.bytes) }) {
                said.append(Self.code(word.name))
                place += word.bytes.count
            } else if let frame = SeenFrame(rest) {
                said.append(told(frame))
                place += frame.size
            } else if let part = words.last(where: { $0.bytes.starts(with: rest) }) {
                said.append("half of " + Self.code(part.name))
                place = bytes.count
            } else {
                said.append(Self.isText(rest) ? Self.code(String(decoding: rest, as: UTF8.self)) : Self.code(Self.hex(rest)))
                place = bytes.count
            }
        }
        if bytes.isEmpty { said.append("nothing") }
        mark()
        let isTold = end != .finished || bytes.isEmpty || late == bytes.count
        return said.joined(separator: " ") + (isTold ? (late == bytes.count ? " " : ", ") + end.rawValue : "")
    }

    // MARK: Heads

    private static func headEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        return bytes.indices.first { bytes[$0...].starts(with: mark) }.map { $0 + 4 }
    }

    /// The lines that are not as they were sent.
    private func told(head seen: [UInt8]) -> [String] {
        let before = Self.lines(head)
        let now = Self.lines(seen)
        let gone = before.filter { !now.contains($0) }.map { "−" + Self.code(Self.short($0)) }
        let new = now.filter { !before.contains($0) }
        // An answer of ours in the place of another is shown by its first line.
        if new.count > 3 { return [Self.code(new[0]) + " of ours,"] }
        return gone + new.map { "+" + Self.code(Self.short($0)) }
    }

    private static func short(_ line: String) -> String { line.count > 48 ? line.prefix(40) + "…" : line }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    // MARK: Frames

    private func told(_ frame: SeenFrame) -> String {
        var notes: [String] = []
        let kinds: [UInt8: String] = [0: "continuation", 1: "", 2: "binary", 8: "close", 9: "ping", 10: "pong"]
        let kind = kinds[frame.opcode] ?? "opcode \(frame.opcode)"
        if !frame.fin { notes.append("no FIN bit") }
        for bit in 1...3 where frame.rsv & (8 >> UInt8(bit)) != 0 { notes.append("RSV\(bit)") }
        if (frame.key != nil) != (side == .server) { notes.append(frame.key == nil ? "not masked" : "masked") }
        if !frame.isShortest { notes.append("length in \(frame.lengthBits) bits") }
        var payload = Self.isText(frame.payload[...]) ? String(decoding: frame.payload, as: UTF8.self) : Self.hex(frame.payload[...])
        if frame.opcode == 8, frame.payload.count >= 2 {
            payload = "\(Int(frame.payload[0]) << 8 | Int(frame.payload[1]))" + String(decoding: frame.payload[2...], as: UTF8.self)
        }
        let name = words.first { SeenFrame($0.bytes[...])?.payload == frame.payload && !frame.payload.isEmpty }?.name
        return (kind.isEmpty ? "" : kind + " ") + Self.code(name ?? payload)
            + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }

    private static func code(_ text: String) -> String {
        text.isEmpty ? "(empty)" : "`" + text.replacing("|", with: "\\|").replacing("\r\n", with: "↵").replacing("\n", with: "↵") + "`"
    }

    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != 0x60 || $0 == 0x0d || $0 == 0x0a }
    }

    static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        let shown = bytes.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        return bytes.count > 16 ? shown + " …(+\(bytes.count - 16) B)" : shown
    }

    /// For messages of tests that fail.
    static func raw(_ bytes: ArraySlice<UInt8>) -> String {
        isText(bytes) && bytes.count < 400 ? "\"\(String(decoding: bytes, as: UTF8.self))\"" : hex(bytes) + ", \(bytes.count) bytes"
    }
}
