import Journaling

/// Keeps credentials out of what the backend repeats.
enum Redaction {
    /// The text with every JSON Web Token in it replaced: a user who pastes a token does not get it back.
    static func hideTokens(in text: String) -> String {
        guard text.utf8.contains(0x2e) else { return text }
        let bytes = Array(text.utf8)
        let ranges = JWTShape.ranges(in: bytes)
        guard !ranges.isEmpty else { return text }
        var out: [UInt8] = []
        var next = 0
        for range in ranges where range.lowerBound >= next {
            out += bytes[next..<range.lowerBound]
            out += Array("(credential)".utf8)
            next = range.upperBound
        }
        out += bytes[next...]
        return String(decoding: out, as: UTF8.self)
    }
}
