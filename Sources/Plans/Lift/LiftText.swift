import Journaling
import Wire

/// Recorded texts as templates: what changes from play to play becomes a variable, and what only looks like one is
/// written so that it stays as it is.
enum LiftText {
    /// What to look for.
    struct Words {
        /// The user's own principal, when it is long enough not to stand anywhere by chance.
        var principal: String?
        /// UUIDs that the client made up and said once.
        var uuids: Set<String> = []
    }
    enum Piece: Equatable {
        case literal(String)
        /// As recorded.
        case canary(String), uuid(String), principal(String), credential(String)
    }

    private static let open = Array("‹".utf8)
    private static let shut = Array("›".utf8)

    static func pieces(_ text: String, _ words: Words) -> [Piece] {
        let bytes = Array(text.utf8)
        let principal = words.principal.map { Array($0.utf8) }.flatMap { $0.count >= 3 ? $0 : nil }
        let token = JWT.first(in: text).map { Array($0.text.utf8) }
        var pieces: [Piece] = []
        var start = 0
        var index = 0
        func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        func add(_ length: Int, _ piece: (String) -> Piece) {
            if start < index { pieces.append(.literal(slice(start..<index))) }
            pieces.append(piece(slice(index..<index + length)))
            index += length
            start = index
        }
        while index < bytes.count {
            let rest = bytes[index...]
            if let length = tag(rest) {
                add(length, Piece.credential)
            } else if let token, rest.starts(with: token) {
                add(token.count, Piece.credential)
            } else if let length = canary(rest), isBorder(bytes, index, length) {
                add(length, Piece.canary)
            } else if !words.uuids.isEmpty, rest.count >= 36, words.uuids.contains(slice(index..<index + 36)) {
                add(36, Piece.uuid)
            } else if let principal, rest.starts(with: principal), isBorder(bytes, index, principal.count) {
                add(principal.count, Piece.principal)
            } else {
                index += 1
            }
        }
        if start < bytes.count { pieces.append(.literal(slice(start..<bytes.count))) }
        return pieces
    }

    /// All UUIDs in a text, as they stand.
    static func uuids(in text: String) -> [String] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 36 else { return [] }
        var found: [String] = []
        var index = 0
        while index + 36 <= bytes.count {
            if isUUID(bytes[index..<index + 36]), isBorder(bytes, index, 36) {
                found.append(String(decoding: bytes[index..<index + 36], as: UTF8.self))
                index += 36
            } else {
                index += 1
            }
        }
        return found
    }

    static func holdsCredential(_ text: Substring) -> Bool {
        pieces(String(text), Words()).contains { if case .credential = $0 { true } else { false } }
    }

    static func isCredential(_ text: Substring) -> Bool {
        let pieces = pieces(String(text), Words())
        if pieces.count == 1, case .credential = pieces[0] { return true }
        return false
    }

    // Writing

    /// Plain text of a template; nil when a literal part would be taken for a variable.
    static func plain(_ pieces: [Piece], credential: (String) -> String = { _ in "{credential}" }) -> String? {
        var text = ""
        for piece in pieces {
            switch piece {
            case .literal(let part):
                if hasVariable(part) { return nil }
                text += part.replacingDollars
            default: text += word(piece, credential)
            }
        }
        return text
    }

    /// A JSON string with its quotes.
    static func json(_ pieces: [Piece], credential: (String) -> String) -> String {
        var text = "\""
        for piece in pieces {
            switch piece {
            case .literal(let part):
                var inner = String(JSONText.quoted(part).dropFirst().dropLast()).replacingDollars
                if hasVariable(part) {
                    inner = inner.split(separator: "{", omittingEmptySubsequences: false).joined(separator: "\\u007b")
                }
                text += inner
            default: text += word(piece, credential)
            }
        }
        return text + "\""
    }

    private static func word(_ piece: Piece, _ credential: (String) -> String) -> String {
        switch piece {
        case .literal(let text): text
        case .canary: "{canary}"
        case .uuid: "{uuid}"
        case .principal: "{user}"
        case .credential(let tag): credential(tag)
        }
    }

    static func hasVariable(_ text: String) -> Bool {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return false }
        return PlanTemplate(text: text).pieces.contains { if case .variable = $0 { true } else { false } }
    }

    // Forms

    /// Length of `‹jwt:a1›` at the beginning.
    private static func tag(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.starts(with: open) else { return nil }
        let near = bytes.prefix(64)
        guard let end = near.indices.first(where: { near[$0...].starts(with: shut) }) else { return nil }
        return end + shut.count - bytes.startIndex
    }

    /// Length of the canary at the beginning, in either form.
    static func canary(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.starts(with: "mwc-".utf8) || bytes.starts(with: "mwd-".utf8) else { return nil }
        guard let found = Canary.all(in: Array(bytes.prefix(Canary.length))).first else { return nil }
        return found.text.utf8.elementsEqual(bytes.prefix(found.text.utf8.count)) ? found.text.utf8.count : nil
    }

    private static func isUUID(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.enumerated().allSatisfy { place, byte in
            [8, 13, 18, 23].contains(place)
                ? byte == UInt8(ascii: "-")
                : isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
    }

    /// No letter or digit stands right before or behind.
    private static func isBorder(_ bytes: [UInt8], _ index: Int, _ length: Int) -> Bool {
        func isWord(_ at: Int) -> Bool {
            bytes.indices.contains(at)
                && (isNameStart(bytes[at]) && bytes[at] != UInt8(ascii: "_") || isDigit(bytes[at]))
        }
        return !isWord(index - 1) && !isWord(index + length)
    }
}

extension String {
    /// `$$` is how a template says the sign itself.
    fileprivate var replacingDollars: String {
        utf8.contains(UInt8(ascii: "$"))
            ? split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$") : self
    }
}
