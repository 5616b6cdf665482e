/// Times as files write them.
enum WallClockText {
    /// `1757371377.014` (seconds) or `1757371377014.25` (milliseconds) since 1970. A value above 1e11 is in milliseconds:
    /// as seconds it would be the year 5138 (captures.md). Nil for what is negative, no number or out of range.
    static func sinceEpoch(_ number: String) -> WallTime? {
        guard let value = Double(number), value.isFinite, value >= 0 else { return nil }
        return nanoseconds(number, scale: value > 1e11 ? 6 : 9)
    }

    /// A decimal text times ten to the `scale`, exactly where the text has no exponent: a double has only 100 ns of a
    /// time of today.
    static func nanoseconds(_ number: String, scale: Int) -> Int64? {
        guard !number.utf8.contains(where: { $0 == 0x65 || $0 == 0x45 }) else {
            guard let value = Double(number) else { return nil }
            return Int64(exactly: (value * (scale == 9 ? 1e9 : 1e6)).rounded())
        }
        let isNegative = number.utf8.first == 0x2d
        let parts = number.utf8.drop { $0 == 0x2d || $0 == 0x2b }.split(separator: 0x2e, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.count <= 19 else { return nil }
        var digits = Array(whole)
        let fraction = parts.count > 1 ? Array(parts[1]) : []
        for place in 0..<scale { digits.append(place < fraction.count ? fraction[place] : 0x30) }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(digit - 0x30))
            if overflow || carried { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    /// ISO 8601 as HAR writes it: `2026-09-21T14:02:16.014Z`, `…16.0141234+02:00`, without a zone = UTC.
    static func iso(_ text: String) -> WallTime? {
        let bytes = Array(text.utf8)
        func field(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, range.allSatisfy({ (0x30...0x39).contains(bytes[$0]) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard bytes.count >= 19, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[13] == 0x3a, bytes[16] == 0x3a,
            [0x54, 0x74, 0x20].contains(bytes[10]), let year = field(0..<4), let month = field(5..<7),
            let day = field(8..<10), let hour = field(11..<13), let minute = field(14..<16), let second = field(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if index < bytes.count, bytes[index] == 0x2e || bytes[index] == 0x2c {
            index += 1
            var unit: Int64 = 100_000_000
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
                fraction += Int64(bytes[index] - 0x30) * unit
                unit /= 10
                index += 1
            }
        }
        guard let zone = offset(bytes[index...]) else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - zone
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (time, carried) = whole.addingReportingOverflow(fraction)
        return overflow || carried ? nil : time
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        guard let sign = text.first else { return 0 }
        if sign == 0x5a || sign == 0x7a { return text.count == 1 ? 0 : nil }
        guard sign == 0x2b || sign == 0x2d else { return nil }
        let digits = text.dropFirst().filter { $0 != 0x3a }
        guard digits.count == 4, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let values = digits.map { Int64($0 - 0x30) }
        let seconds = (values[0] * 10 + values[1]) * 3_600 + (values[2] * 10 + values[3]) * 60
        return sign == 0x2d ? -seconds : seconds
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2026-09-21T14:02:16.014Z`; six or nine digits behind the point where three do not tell all.
    static func isoText(_ time: WallTime) -> String {
        var seconds = time / 1_000_000_000
        var rest = time % 1_000_000_000
        if rest < 0 {
            rest += 1_000_000_000
            seconds -= 1
        }
        var dayNumber = seconds / 86_400
        var inDay = seconds % 86_400
        if inDay < 0 {
            inDay += 86_400
            dayNumber -= 1
        }
        let (year, month, day) = date(dayNumber)
        let digits = rest % 1_000_000 == 0 ? 3 : rest % 1_000 == 0 ? 6 : 9
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(inDay / 3_600, 2) + ":"
            + padded(inDay / 60 % 60, 2) + ":" + padded(inDay % 60, 2) + "." + padded(rest, 9).prefix(digits) + "Z"
    }

    private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
