import Journaling

/// How numbers stand in sentences (looks.md section 0).
enum Wording {
    /// `1 s`, `1.2 s`, `412 ms`, `<1 ms`.
    static func duration(_ duration: Duration) -> String {
        let nanoseconds = max(0, duration.nanoseconds)
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds >= 1_000 {
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(grouped(tenths / 10)) s" : "\(grouped(tenths / 10)).\(tenths % 10) s"
        }
        return milliseconds == 0 && nanoseconds > 0 ? "<1 ms" : "\(milliseconds) ms"
    }

    /// `412 B`, `96 KiB`, `1.5 GiB`.
    static func bytes(_ count: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (count, 0)
        var rest: UInt64 = 0
        while value >= 1_024, unit < units.count - 1 {
            rest = value % 1_024
            (value, unit) = (value / 1_024, unit + 1)
        }
        let tenth = unit > 0 && value < 10 ? rest * 10 / 1_024 : 0
        return "\(value)" + (tenth > 0 ? ".\(tenth)" : "") + " " + units[unit]
    }

    /// `0.416`: seconds since the recording began.
    static func time(_ instant: Instant) -> String {
        let milliseconds = max(0, instant.nanoseconds) / 1_000_000
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// `#4413`, or `s31.7` before the merge numbered it.
    static func name(_ entry: Entry) -> String {
        entry.number > 0 ? "#\(entry.number)" : entry.ref?.description ?? "an entry"
    }

    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// `1,204`
    static func count(_ number: Int) -> String { grouped(Int64(clamping: max(0, number))) }

    /// `1 run`, `2 runs`
    static func count(_ number: Int, _ noun: String) -> String { "\(count(number)) \(number == 1 ? noun : noun + "s")" }

    /// `99.4 %`; cut, so that what misses a target is never shown as reaching it.
    static func share(_ part: Int, of whole: Int) -> String {
        guard whole > 0, part >= 0, part <= Int.max / 1_000 else { return "–" }
        let tenths = part * 1_000 / whole
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private static func grouped(_ number: Int64) -> String {
        var digits = String(number)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
