package import Journaling

/// Numbers as people read them (looks.md section 0): thousands comma, unit after a space, unknown is `–`.
package enum Figures {
    package static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var shown = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { shown.append(",") }
            shown.append(digit)
        }
        return (value < 0 ? "-" : "") + shown
    }

    /// A count in a table: 0 is `–`.
    package static func cell(_ value: Int) -> String { value == 0 ? "–" : count(value) }

    /// `1 run`, `2 runs`; an irregular plural is given whole.
    package static func plural(_ value: Int, _ noun: String, _ many: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? noun : many ?? noun + "s")"
    }

    /// `412 ms`, `1.2 s`, `1 min 4 s`, `<0.01 ms`.
    package static func duration(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        let milliseconds = Double(nanoseconds) / 1e6
        switch milliseconds {
        case ..<0: return "0 ms"
        case 0: return "0 ms"
        case ..<0.01: return "<0.01 ms"
        case ..<10: return trimmed(milliseconds, digits: 2) + " ms"
        case ..<1_000: return "\(count(Int(milliseconds.rounded()))) ms"
        case ..<60_000: return trimmed(milliseconds / 1_000, digits: 1) + " s"
        default:
            let seconds = Int((milliseconds / 1_000).rounded())
            return "\(seconds / 60) min \(seconds % 60) s"
        }
    }

    /// Seconds with one decimal, for stage tables: `0.4 s`.
    package static func seconds(_ duration: Duration) -> String {
        fixed(Double(duration.nanoseconds) / 1e9, digits: 1) + " s"
    }

    /// Seconds since the session's stage began, as in evidence: `0.416`.
    package static func time(_ instant: Instant, since start: Instant) -> String {
        // Cut, not rounded, as the sentences of the oracle are.
        let milliseconds = start.duration(to: instant).nanoseconds / 1_000_000
        return fixed(Double(milliseconds) / 1e3, digits: 3)
    }

    package static func bytes(_ value: UInt64) -> String {
        switch value {
        case ..<1_000: "\(value) B"
        case ..<1_000_000: fixed(Double(value) / 1e3, digits: 1) + " kB"
        case ..<1_000_000_000: "\(value / 1_000_000) MB"
        default: fixed(Double(value) / 1e9, digits: 1) + " GB"
        }
    }

    package static func percent(_ part: Int, of whole: Int) -> String {
        whole == 0 ? "–" : fixed(Double(part) * 100 / Double(whole), digits: 1) + " %"
    }

    package static func fixed(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        guard let scaled = Int64(exactly: (value.magnitude * scale).rounded()) else { return "–" }
        let text = String(scaled)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        let sign = value < 0 && scaled != 0 ? "-" : ""
        return digits == 0 ? sign + padded : sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    private static func trimmed(_ value: Double, digits: Int) -> String {
        var text = fixed(value, digits: digits)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
