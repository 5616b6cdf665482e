import Wire

/// Forms of values that are made anew each time, so that two of the same form may differ and mean the same.
enum ValueShape {
    /// A form that nothing else has: it needs no second example.
    enum Strong: Hashable { case uuid, time, token, tag(String), canary }

    static func strong(_ text: String) -> Strong? {
        let bytes = Array(text.utf8)
        if bytes.count == 36, LiftText.uuids(in: text).count == 1 { return .uuid }
        if LiftText.canary(bytes[...]) == bytes.count { return .canary }
        if bytes.starts(with: "‹".utf8), bytes.suffix(3).elementsEqual("›".utf8) {
            return .tag(String(text.prefix { $0 != ":" }))
        }
        if isTime(bytes) { return .time }
        if isToken(bytes) { return .token }
        return nil
    }

    /// ISO 8601: `2026-09-21T14:02:16.014Z`, with a blank in place of the T, without a zone.
    private static func isTime(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 19, bytes.count <= 35 else { return false }
        for (index, form) in "dddd-dd-dd?dd:dd:dd".utf8.enumerated() {
            switch form {
            case UInt8(ascii: "d"): if !isDigit(bytes[index]) { return false }
            case UInt8(ascii: "?"): if !"Tt ".utf8.contains(bytes[index]) { return false }
            default: if bytes[index] != form { return false }
            }
        }
        return bytes.dropFirst(19).allSatisfy { isDigit($0) || ".,+-:Zz".utf8.contains($0) }
    }

    /// Base64 or hexadecimal of at least 16 bytes, or three such parts joined by dots: too many letters in both cases
    /// among digits to be words.
    private static func isToken(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 22, bytes.allSatisfy({ isAlphanumeric($0) || "-_+/=.".utf8.contains($0) }) else { return false }
        let digits = bytes.count(where: isDigit)
        let upper = bytes.count { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        let lower = bytes.count { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        if bytes.count >= 32, bytes.allSatisfy(isHexadecimal), digits >= 4 { return true }
        return digits >= 2 && upper >= 3 && lower >= 3
    }

    /// Two texts without blanks that say the same but for digits: `call_10` and `call_12`, `ws_alice_1_6fefcaf1` and
    /// `ws_alice_2_359fb579`.
    static func alike(_ left: String, _ right: String) -> Bool {
        if let form = strong(left) { return form == strong(right) }
        guard left.utf8.count <= 256, right.utf8.count <= 256, strong(right) == nil else { return false }
        let (a, b) = (parts(left), parts(right))
        guard a.count == b.count, !a.isEmpty else { return false }
        return zip(a, b).allSatisfy { alike($0, $1) }
    }

    private static func alike(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        if left.elementsEqual(right) { return true }
        if left.isEmpty || right.isEmpty { return false }
        if left.allSatisfy(isDigit), right.allSatisfy(isDigit) { return true }
        guard left.count == right.count, left.count >= 6 else { return false }
        if left.allSatisfy(isHexadecimal), right.allSatisfy(isHexadecimal) {
            return left.contains(where: isDigit) || right.contains(where: isDigit)
        }
        return left.allSatisfy(isAlphanumeric) && right.allSatisfy(isAlphanumeric) && left.contains(where: isDigit)
            && right.contains(where: isDigit)
    }

    /// Runs of letters and digits, and the signs between them.
    private static func parts(_ text: String) -> [ArraySlice<UInt8>] {
        let bytes = Array(text.utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start = 0
        for index in bytes.indices where index > 0 && (!isAlphanumeric(bytes[index]) || !isAlphanumeric(bytes[index - 1])) {
            parts.append(bytes[start..<index])
            start = index
        }
        if start < bytes.count { parts.append(bytes[start...]) }
        return parts.contains { $0.contains { $0 <= 0x20 } } ? [] : parts
    }

    /// The text with everything blotted out that may differ between texts that are `alike`, for rough comparison.
    static func rough(_ text: String) -> String {
        var shown = ""
        for word in words(text) {
            if word.isWord, let form = strong(word.text) {
                shown += "<\(form)>"
            } else if word.isWord {
                for part in parts(word.text) {
                    let blots = part.contains(where: isDigit) || part.count >= 6 && part.allSatisfy(isHexadecimal)
                    shown += blots ? "#" : String(decoding: part, as: UTF8.self)
                }
            } else {
                shown += word.text
            }
        }
        return shown
    }

    struct Word {
        var text: String
        /// Letters, digits and what joins them; else what stands between two words.
        var isWord: Bool
    }

    static func words(_ text: String) -> [Word] {
        let bytes = Array(text.utf8)
        var words: [Word] = []
        var start = 0
        let tags = tags(bytes)
        func isWord(_ index: Int) -> Bool {
            let byte = bytes[index]
            if !tags.isEmpty, tags[index] { return true }
            if isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") { return true }
            // As in a time; elsewhere these end a word.
            guard byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") else { return false }
            return index > 0 && isDigit(bytes[index - 1]) && index + 1 < bytes.count && isDigit(bytes[index + 1])
        }
        var wasWord = bytes.isEmpty ? false : isWord(0)
        for index in bytes.indices.dropFirst() {
            let isNow = isWord(index)
            guard isNow != wasWord || !tags.isEmpty && tags[index] != tags[index - 1] else { continue }
            words.append(Word(text: String(decoding: bytes[start..<index], as: UTF8.self), isWord: wasWord))
            start = index
            wasWord = isNow
        }
        if start < bytes.count { words.append(Word(text: String(decoding: bytes[start...], as: UTF8.self), isWord: wasWord)) }
        return words
    }

    /// Which bytes stand in a redaction's tag, `‹jwt:a1›`; empty when none do.
    private static func tags(_ bytes: [UInt8]) -> [Bool] {
        let (open, shut) = (Array("‹".utf8), Array("›".utf8))
        guard bytes.contains(open[0]) else { return [] }
        var tags = [Bool](repeating: false, count: bytes.count)
        var index = 0
        while index < bytes.count {
            let near = bytes[index...].prefix(64)
            guard near.starts(with: open), let end = near.indices.first(where: { near[$0...].starts(with: shut) }) else {
                index += 1
                continue
            }
            for place in index..<end + shut.count { tags[place] = true }
            index = end + shut.count
        }
        return tags
    }

    /// A number that says when something was, near that second of either clock, in seconds or finer.
    static func isTime(_ number: Double, near epoch: Int64) -> Bool {
        let now = Double(epoch)
        return [1.0, 1e3, 1e6, 1e9].contains { abs(number / $0 - now) < 2 * 86_400 }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
