/// What is left of a text when everything that differs from run to run is taken out: `no agent "x7" in room 12` is
/// `no agent " in room #`.
enum TextTemplate {
    private static let longest = 400
    private static let mostWords = 24

    /// A hash of the template.
    /// - Parameter echoes: words of the requester's own, which a server may repeat.
    static func hash(of text: String, without echoes: Set<UInt64> = []) -> UInt64 {
        var state = FeatureHash.start
        var words = 0
        var last: UInt64 = 0
        for token in tokens(of: text, without: echoes) {
            // A value of several words leaves one mark.
            if token == last, token < 4 { continue }
            last = token
            state = FeatureHash.join(state, token)
            words += 1
            if words == mostWords { break }
        }
        return state
    }

    /// Hashes of the words of a text, as they are compared with echoes.
    static func words(of text: String) -> [UInt64] { split(text).map { FeatureHash.bytes($0) } }

    private static let quoted: UInt64 = 1
    private static let value: UInt64 = 2
    private static let echo: UInt64 = 3

    private static func tokens(of text: String, without echoes: Set<UInt64>) -> [UInt64] {
        var tokens: [UInt64] = []
        for (index, piece) in unquoted(text).enumerated() {
            if index > 0 { tokens.append(quoted) }
            for word in split(piece) {
                let hash = FeatureHash.bytes(word)
                tokens.append(echoes.contains(hash) ? echo : isPlain(word) ? hash : value)
            }
        }
        return tokens
    }

    /// The pieces between quoted parts. An apostrophe between letters quotes nothing.
    private static func unquoted(_ text: String) -> [String] {
        var pieces: [String] = [""]
        var open: UInt8?
        var previous = UInt8(ascii: " ")
        var piece: [UInt8] = []
        for byte in text.utf8.prefix(longest) {
            defer { previous = byte }
            if let mark = open {
                if byte == mark { open = nil }
                continue
            }
            let opens = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "`")
                || byte == UInt8(ascii: "'") && !isLetter(previous)
            guard opens else {
                piece.append(byte)
                continue
            }
            open = byte
            pieces[pieces.count - 1] = String(decoding: piece, as: UTF8.self)
            pieces.append("")
            piece = []
        }
        pieces[pieces.count - 1] = String(decoding: piece, as: UTF8.self)
        return pieces
    }

    private static func split(_ text: String) -> [Substring.UTF8View] {
        text.utf8.prefix(longest).split { byte in
            !(isLetter(byte) || isDigit(byte) || byte == 0x5f || byte == 0x2d || byte >= 0x80)
        }
    }

    /// A word of a language and no value: ASCII letters (`_` and `-` join them), and not too many.
    private static func isPlain(_ word: Substring.UTF8View) -> Bool {
        word.count <= 24 && word.allSatisfy { isLetter($0) || $0 == 0x5f || $0 == 0x2d } && !isHexadecimal(word)
    }

    private static func isHexadecimal(_ word: Substring.UTF8View) -> Bool {
        word.count >= 8 && word.allSatisfy { isDigit($0) || (0x61...0x66).contains($0 | 0x20) || $0 == 0x2d }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
