import Journaling

/// Settings checked against a fault's parameters: every name known, every value of its unit, defaults filled in.
package struct SettingsReader: Sendable {
    private let parameters: [Parameter]
    private let settings: Settings

    package init(_ settings: Settings, for parameters: [Parameter]) throws(SettingsError) {
        self.parameters = parameters
        self.settings = settings
        var seen: [String] = []
        for (name, values) in settings.values {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw SettingsError(
                    parameter: name, expected: parameters.map(\.name).joined(separator: ", "), found: name)
            }
            if seen.contains(name) {
                throw SettingsError(parameter: name, needs: "one place", expected: "it once", found: "it twice")
            }
            seen.append(name)
            try Self.check(values, against: parameter)
        }
        for parameter in parameters where parameter.required && !seen.contains(parameter.name) {
            throw SettingsError(
                parameter: parameter.name, needs: parameter.unit.noun, expected: parameter.unit.expected,
                found: "nothing")
        }
    }

    package func texts(_ name: String) -> [String] {
        if let given = settings.values.first(where: { $0.name == name }) {
            return given.values.map { settings.filled[$0] ?? $0 }
        }
        guard let parameter = parameters.first(where: { $0.name == name }), let text = parameter.default else {
            return []
        }
        switch parameter.unit {
        case .choices, .names: return text.split(separator: " ").map(String.init)
        default: return [text]
        }
    }
    package func text(_ name: String) -> String? { texts(name).first }
    package func duration(_ name: String) -> Duration? { text(name).flatMap(UnitText.duration) }
    package func bytes(_ name: String) -> Int? { text(name).flatMap(UnitText.bytes) }
    /// Bytes a second.
    package func rate(_ name: String) -> Int? { text(name).flatMap(UnitText.rate) }
    package func share(_ name: String) -> Double? { text(name).flatMap(UnitText.share) }
    package func count(_ name: String) -> Int? { text(name).flatMap(UnitText.count) }

    private static func check(_ values: [String], against parameter: Parameter) throws(SettingsError) {
        let many =
            switch parameter.unit {
            case .choices, .names: true
            default: false
            }
        guard !values.isEmpty, many || values.count == 1 else {
            throw SettingsError(
                parameter: parameter.name, needs: parameter.unit.noun, expected: parameter.unit.expected,
                found: values.isEmpty ? "nothing" : "\(values.count) values")
        }
        for value in values where !parameter.unit.admits(value) {
            throw SettingsError(
                parameter: parameter.name, needs: parameter.unit.noun, expected: parameter.unit.expected,
                found: value.isEmpty ? "nothing" : "\"\(value)\"")
        }
        guard let range = parameter.range, let text = values.first else { return }
        let isSize = parameter.unit == .bytes
        guard let number = isSize ? UnitText.bytes(text) : UnitText.count(text), !range.contains(number) else { return }
        throw SettingsError(
            parameter: parameter.name, needs: parameter.unit.noun,
            expected: "\(range.lowerBound) to \(range.upperBound)" + (isSize ? " bytes" : ""), found: "\(number)")
    }
}

extension Parameter.Unit {
    /// What the setting needs, for people: `a duration`.
    package var noun: String {
        switch self {
        case .duration: "a duration"
        case .bytes: "a size"
        case .rate: "a rate"
        case .share: "a share"
        case .count: "a number"
        case .text: "a text"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .choices(let words): "some of \(words.joined(separator: ", "))"
        case .names: "one or more names"
        }
    }

    package var expected: String {
        switch self {
        case .duration: "a number with ms, s or m, such as 250ms"
        case .bytes: "a number with B, KiB or MiB, such as 64KiB"
        case .rate: "a size a second with B, KB, KiB, MB or MiB, such as 64KiB/s"
        case .share: "a percentage from 0% to 100%, such as 5%"
        case .count: "a whole number from 0"
        case .text: "a text"
        case .choice(let words), .choices(let words): words.joined(separator: ", ")
        case .names: "names"
        }
    }

    package func admits(_ value: String) -> Bool {
        switch self {
        case .duration: UnitText.duration(value) != nil
        case .bytes: UnitText.bytes(value) != nil
        case .rate: UnitText.rate(value) != nil
        case .share: UnitText.share(value) != nil
        case .count: UnitText.count(value) != nil
        case .text, .names: !value.isEmpty
        case .choice(let words), .choices(let words): words.contains(value)
        }
    }
}

/// Values with units as profiles write them: `250ms`, `64KiB`, `5%`, `12`.
package enum UnitText {
    package static func duration(_ text: String) -> Duration? {
        let units: [(String, Int64)] = [
            ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        if text == "0" { return .zero }
        for (unit, nanoseconds) in units where text.hasSuffix(unit) {
            guard let amount = decimal(text.dropLast(unit.utf8.count)) else { continue }
            let product = amount * Double(nanoseconds)
            return Int64(exactly: product.rounded()).map { .nanoseconds($0) }
        }
        return nil
    }

    package static func bytes(_ text: String) -> Int? {
        let units: [(String, Int)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let amount = decimal(text.dropLast(unit.utf8.count)) else { continue }
            return Int(exactly: (amount * Double(factor)).rounded())
        }
        return count(text)
    }

    /// Bytes a second: `64KiB/s`, or toxiproxy's KB of 1,000 bytes: `100KB/s`. `0` is none at all.
    package static func rate(_ text: String) -> Int? {
        if text == "0" { return 0 }
        guard text.hasSuffix("/s") else { return nil }
        let amount = text.dropLast(2)
        for (unit, factor) in [("KB", 1_000), ("MB", 1_000_000)] where amount.hasSuffix(unit) {
            return decimal(amount.dropLast(2)).flatMap { Int(exactly: ($0 * Double(factor)).rounded()) }
        }
        return amount.hasSuffix("B") ? bytes(String(amount)) : nil
    }

    /// A percentage as a fraction from 0 to 1.
    package static func share(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let amount = decimal(text.dropLast()), amount <= 100 else { return nil }
        return amount / 100
    }

    package static func count(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(text)
    }

    private static func decimal(_ text: Substring) -> Double? {
        guard let first = text.utf8.first, first >= 0x30, first <= 0x39,
            text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e })
        else { return nil }
        return Double(text)
    }
}
