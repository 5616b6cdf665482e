/// Replaces secrets by tags before anything reaches the disk or a reader (trust.md T34, T35). A tag comes from a keyed
/// hash, so that the same secret shows alike wherever it stands in one recording, and nobody without the key, which is
/// never stored, can try guesses against it.
package struct Redactor: Sendable {
    private let key: [UInt8]
    /// Who owns a short tag: the hash's first 16 bytes in hex.
    private var owners: [String: String] = [:]
    /// More distinct secrets than this get long tags and are not remembered.
    private static let rememberedTags = 65_536

    package init(key: [UInt8]) { self.key = key }

    /// Distinct secrets that bear a short tag.
    package var count: Int { owners.count }

    /// `jwt:a1`, `secret:07f`: two hex digits, more where two secrets would share them.
    package mutating func tag(for secret: some Sequence<UInt8>) -> String {
        let bytes = Array(secret)
        let kind = JWTShape.ranges(in: bytes).first == bytes.indices ? "jwt" : "secret"
        let digest = String(Digest.hex(Digest.hmacSHA256(bytes, key: key)).prefix(32))
        for digits in 2...16 {
            let short = String(digest.prefix(digits))
            if let owner = owners[short] {
                if owner == digest { return "\(kind):\(short)" }
            } else if owners.count < Self.rememberedTags {
                owners[short] = digest
                return "\(kind):\(short)"
            }
        }
        return "\(kind):\(digest.prefix(16))"
    }

    /// Part of this text may have been a secret: what it said before is not known.
    package static func mayBeRedacted(_ text: String) -> Bool {
        // Most texts are ASCII, which the mark is not, and they are many.
        !text.utf8Span.isKnownASCII && text.utf8.contains(0xe2) && (text.contains("‹jwt:") || text.contains("‹secret:"))
    }

    package mutating func tag(for secret: String) -> String { tag(for: secret.utf8) }

    /// One stretch of bytes that goes, and the secret it stands for.
    package struct Span: Sendable {
        package var range: Range<Int>
        package var secret: [UInt8]
        /// It is put in quotes.
        package var isBare: Bool
        package init(range: Range<Int>, secret: [UInt8], isBare: Bool = false) {
            self.range = range
            self.secret = secret
            self.isBare = isBare
        }
    }

    /// What was replaced, for the caller to put frame borders where they belong.
    package struct Replaced: Sendable {
        package var bytes: [UInt8]
        /// Old ranges in order, and how long each became.
        package var changes: [(range: Range<Int>, length: Int)]

        /// Where an offset of the old bytes lies in the new ones; inside a replaced stretch: behind it.
        package func offset(of old: Int) -> Int {
            var shift = 0
            for change in changes {
                if old <= change.range.lowerBound { break }
                let grown = change.length - change.range.count
                if old < change.range.upperBound { return change.range.upperBound + shift + grown }
                shift += grown
            }
            return old + shift
        }
    }

    /// Replaces the spans, and what looks like a JWT anywhere else; nil when there is nothing to replace. Of spans that
    /// overlap the earlier in the list wins and grows over the others.
    package mutating func redact(_ bytes: [UInt8], _ spans: [Span]) -> Replaced? {
        var all = spans.filter { !$0.range.isEmpty && $0.range.lowerBound >= 0 && $0.range.upperBound <= bytes.count }
        all += JWTShape.ranges(in: bytes).map { Span(range: $0, secret: Array(bytes[$0])) }
        if all.isEmpty { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var changes: [(range: Range<Int>, length: Int)] = []
        var copied = 0
        for span in Self.merged(all) {
            out += bytes[copied..<span.range.lowerBound]
            let quote = span.isBare ? "\"" : ""
            let mark = Array("\(quote)‹\(tag(for: span.secret))›\(quote)".utf8)
            out += mark
            changes.append((span.range, mark.count))
            copied = span.range.upperBound
        }
        out += bytes[copied...]
        return Replaced(bytes: out, changes: changes)
    }

    /// Notes and details of our own making, which may quote a request.
    package mutating func redact(_ text: String, known: [[UInt8]] = [], hidden: [[UInt8]] = []) -> String {
        guard text.utf8.count >= Self.leastRepeated || !hidden.isEmpty else { return text }
        let bytes = Array(text.utf8)
        let quoted = SentenceSecrets.ranges(in: bytes).map {
            Span(range: $0, secret: Array(HeadView.percentDecoded(String(decoding: bytes[$0], as: UTF8.self)).utf8))
        }
        let spans = Self.occurrences(of: known, in: bytes) + HiddenTexts.spans(of: hidden, in: bytes) + quoted
        guard let replaced = redact(bytes, spans) else { return text }
        return String(decoding: replaced.bytes, as: UTF8.self)
    }

    /// In order of place, without overlap.
    private static func merged(_ spans: [Span]) -> [Span] {
        let ranked = spans.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        var merged: [(rank: Int, span: Span)] = []
        for (rank, span) in ranked {
            guard let last = merged.last, span.range.lowerBound < last.span.range.upperBound else {
                merged.append((rank, span))
                continue
            }
            let union = last.span.range.lowerBound..<max(last.span.range.upperBound, span.range.upperBound)
            let first = last.rank <= rank ? last : (rank: rank, span: span)
            let isBare = first.span.isBare && first.span.range == union
            merged[merged.count - 1] = (first.rank, Span(range: union, secret: first.span.secret, isBare: isBare))
        }
        return merged.map(\.span)
    }

    /// All places where one of the secrets stands word for word, in time linear in the bytes.
    package static func occurrences(of secrets: [[UInt8]], in bytes: [UInt8]) -> [Span] {
        secrets.flatMap { secret in
            Needle.ranges(of: secret, in: bytes).map { Span(range: $0, secret: secret) }
        }
    }
}
