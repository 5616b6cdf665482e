import Wire

/// What names tell: people call a start "started" and an identifier "id".
enum InferredName {
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// A text that may be the name of a type: no blank, nothing that a glob or a pattern would take for its own.
    static func isType(_ text: String, longest: Int) -> Bool {
        !text.isEmpty && text.utf8.count <= longest && text.utf8.allSatisfy { isWord($0) || ".:/#@$-".utf8.contains($0) }
    }

    /// A member's name as a path writes it; nil for one that is better left alone.
    static func step(_ name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= 64 else { return nil }
        let isPlain = name.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
        if isPlain, let first = name.utf8.first, isWord(first), !(0x30...0x39).contains(first) { return name }
        let isTame = name.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        return isTame ? "[\"\(name)\"]" : nil
    }

    static func join(_ outer: String, _ step: String) -> String {
        outer.isEmpty ? step : step.hasPrefix("[") ? outer + step : outer + "." + step
    }

    /// `tool_callStarted` is tool, call, started.
    static func words(_ name: String) -> [String] {
        var words: [String] = []
        var word = ""
        var wasLower = false
        for character in name {
            let isUpper = character.isUppercase
            if !(character.isLetter || character.isNumber) || isUpper && wasLower {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if character.isLetter || character.isNumber { word += character.lowercased() }
            wasLower = character.isLowercase
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// `run_id`, `threadId`, `id`, `session.id`.
    static func isIdentifier(_ path: String) -> Bool {
        guard let last = words(path).last else { return false }
        return ["id", "uuid", "guid", "uid", "key", "ref"].contains(last) || last.hasSuffix("id") && last.count > 3
    }

    /// Fields by which people join an answer to what it answers.
    static func mayLink(_ path: String) -> Bool {
        isIdentifier(path) || !Set(words(path)).isDisjoint(with: ["nonce", "cid", "tag", "correlation", "ack"])
    }

    static func isError(_ kind: String) -> Bool { !Set(words(kind)).isDisjoint(with: ["error", "err", "errors", "exception"]) }

    private static let starts: Set<String> = [
        "start", "started", "starting", "begin", "began", "executing", "added", "open", "opened", "running", "calling", "invoked",
    ]
    private static let ends: Set<String> = [
        "end", "ended", "completed", "complete", "done", "finished", "finish", "close", "closed", "stopped", "stop", "executed",
        "returned",
    ]

    /// Whether the names are those of a beginning and its end: the same words but for that one.
    static func isPair(_ start: String, _ end: String) -> Bool {
        let left = words(start)
        let right = words(end)
        guard left.count == right.count, left != right else { return false }
        let unequal = zip(left, right).filter { $0 != $1 }
        return unequal.count == 1 && unequal.allSatisfy { starts.contains($0.0) && ends.contains($0.1) }
    }

    /// `started`'s stem, for the name of a part.
    static func stem(_ start: String) -> String {
        let rest = words(start).filter { !starts.contains($0) }
        return rest.isEmpty ? "part" : rest.joined(separator: "-")
    }

    /// Fields that say when: seconds or milliseconds since 1970, or a date.
    static func isInstant(_ value: JSON) -> Bool {
        switch value {
        case .number:
            guard let number = value.double else { return false }
            return (1.0e9...4.0e9).contains(number) || (1.0e12...4.0e12).contains(number)
        case .string(let text):
            let bytes = Array(text.utf8.prefix(11))
            return bytes.count == 11 && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-") && bytes[10] == UInt8(ascii: "T")
        default: return false
        }
    }
}
