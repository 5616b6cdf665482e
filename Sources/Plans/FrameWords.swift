import Wire

/// Reads the operands of `frames`: frames apart by `;`, each of them parts in any order and then its payload.
extension StepParser {
    private static let remedy = "write `frames fin=0 rsv=4 op=1 mask=none len=7:200 \"text\"`, or `hex 81 7e` for bytes"

    mutating func frames() throws(PlanError) -> [Plan.FrameText] {
        var frames: [Plan.FrameText] = []
        while true {
            let (frame, isLast) = try frame()
            frames.append(frame)
            if isLast { return frames }
        }
    }

    private mutating func frame() throws(PlanError) -> (Plan.FrameText, isLast: Bool) {
        var frame = Plan.FrameText()
        var known: [String] = []
        while true {
            cursor.skipBlanks()
            if cursor.peek == "\"" {
                let start = cursor.index
                let text = try cursor.quoted()
                note(text, start)
                frame.payload = .text(text)
                return (frame, try isLast())
            }
            let start = cursor.index
            let next = cursor.word()
            guard let word = next, word.text != ";" else {
                if known.isEmpty { throw cursor.error(at: start, "the frame is missing", Self.remedy) }
                return (frame, isLast: next == nil)
            }
            if word.text == "hex" {
                frame.payload = .bytes(try bytes())
                return (frame, try isLast())
            }
            let parts = word.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw cursor.error(word, "`\(word.text)` is no part of a frame", Self.remedy)
            }
            let name = String(parts[0])
            if known.contains(name) { throw cursor.error(word, "`\(name)` stands in this frame twice", "keep one") }
            known.append(name)
            try set(name, String(parts[1]), word, in: &frame)
        }
    }

    /// Behind a payload.
    private mutating func isLast() throws(PlanError) -> Bool {
        guard let word = cursor.word() else { return true }
        guard word.text == ";" else {
            throw cursor.error(word, "`\(word.text)` stands behind the payload", "begin another frame with ` ; `")
        }
        return false
    }

    private func set(
        _ name: String, _ value: String, _ word: LineCursor.Word, in frame: inout Plan.FrameText
    ) throws(PlanError) {
        switch name {
        case "fin":
            guard let bit = ["0": false, "1": true][value] else { throw wrong(word, "expected 0 or 1") }
            frame.fin = bit
        case "rsv":
            guard let bits = UInt8(value), bits < 8 else {
                throw wrong(word, "expected a number from 0 to 7, in which RSV1 is 4, RSV2 2 and RSV3 1")
            }
            frame.rsv = bits
        case "op":
            guard value.utf8.count == 1, let code = UInt8(value, radix: 16) else {
                throw wrong(word, "expected one hexadecimal digit, such as 1 for text or 8 for Close")
            }
            frame.opcode = Opcode(rawValue: code)
        case "mask":
            if value == "none" {
                frame.mask = .none
            } else if value.utf8.count == 8, value.utf8.first != UInt8(ascii: "+"), let key = UInt32(value, radix: 16) {
                frame.mask = .key(key)
            } else {
                throw wrong(word, "expected 8 hexadecimal digits or none")
            }
        case "len": frame.length = try length(value, word)
        default: throw cursor.error(word, "a frame has no `\(name)`", "it has fin, rsv, op, mask, len and a payload")
        }
    }

    private func length(_ value: String, _ word: LineCursor.Word) throws(PlanError) -> Plan.FrameText.Length {
        let parts = value.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            let form = [("7", LengthForm.seven), ("16", .sixteen), ("64", .sixtyFour)]
                .first(where: { $0.0 == parts[0] })?.1,
            parts[1].utf8.allSatisfy(isDigit), let length = UInt64(parts[1])
        else { throw wrong(word, "expected the length's form (7, 16 or 64), a colon and the length, such as 7:200") }
        return Plan.FrameText.Length(form: form, value: length)
    }

    private func wrong(_ word: LineCursor.Word, _ remedy: String) -> PlanError {
        cursor.error(word, "`\(word.text)` cannot be read", remedy)
    }
}
