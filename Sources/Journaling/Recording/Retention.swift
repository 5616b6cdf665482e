/// How long a recording may be kept and how large it may become (trust.md T36). It stands in each header, so that
/// whoever finds the files knows when they are to go.
package struct Retention: Sendable, Hashable {
    /// Seconds since a segment was last written to; nil = for ever.
    package var seconds: Int64?
    /// Bytes of all segments together, before they are packed; nil = as many as there are.
    package var bytes: Int64?

    package init(seconds: Int64?, bytes: Int64?) {
        self.seconds = seconds
        self.bytes = bytes
    }

    /// 7 days and 10 GiB.
    package static let standard = Retention(seconds: 7 * 86_400, bytes: 10 << 30)

    /// `7 d`, `36 h`, `90 s`
    package static func words(seconds: Int64) -> String {
        for (length, unit) in [(Int64(86_400), "d"), (3_600, "h"), (60, "min")] where seconds > 0 && seconds.isMultiple(of: length) {
            return "\(seconds / length) \(unit)"
        }
        return "\(seconds) s"
    }

    /// `10 GiB`, `512 MiB`, `9000 B`
    package static func words(bytes: Int64) -> String {
        for (size, unit) in [(Int64(1) << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] where bytes > 0 && bytes.isMultiple(of: size) {
            return "\(bytes / size) \(unit)"
        }
        return "\(bytes) B"
    }

    /// `7 d and 10 GiB`, `7 d`, `for ever`
    package var words: String {
        let parts = [seconds.map { Retention.words(seconds: $0) }, bytes.map { Retention.words(bytes: $0) }].compactMap { $0 }
        return parts.isEmpty ? "for ever" : parts.joined(separator: " and ")
    }
}
