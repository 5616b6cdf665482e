import Contracts
import Faults
import Foundation
import Profiles
import Reporting

/// Values of options as they were typed. What is no value is refused before anything else happens, in the words of
/// looks.md section 4.
enum Given {
    /// A whole number, thousands commas allowed nowhere.
    static func count(_ text: String, _ option: String, _ range: ClosedRange<Int>) throws -> Int {
        let expected = "a number from \(Figures.count(range.lowerBound)) to \(Figures.count(range.upperBound))"
        guard isDigits(text), let value = Int(text), range.contains(value) else {
            throw no(text, option, expected: expected)
        }
        return value
    }

    static func seed(_ text: String, _ option: String) throws -> UInt64 {
        guard isDigits(text), let value = UInt64(text) else {
            throw no(text, option, expected: "a number from 0 to \(UInt64.max)")
        }
        return value
    }

    /// A bare number means seconds, as for libFuzzer.
    static func duration(_ text: String, _ option: String, most: Duration) throws -> Duration {
        let read = isDigits(text) && text.count <= 9 ? Int(text).map { Duration.seconds($0) } : DurationText.parse(text)
        guard let read, read > .zero, read <= most else {
            let remedy = DurationText.correction(text).flatMap { DurationText.parse($0) == .zero ? nil : "write `\($0)`" }
            throw no(
                text, option, expected: "a time with ms, s, m or h, such as 10m, at most \(most.components.seconds / 3_600) h",
                remedy: remedy)
        }
        return read
    }

    /// `500/s` or `500`, messages.
    static func rate(_ text: String, _ option: String) throws -> Double {
        let number = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
        guard let value = Double(number), value.isFinite, value > 0, value <= 10_000_000,
            number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") })
        else {
            throw no(text, option, expected: "messages a second, such as 500/s")
        }
        return value
    }

    /// A profile whose faults become lines of plans, in which nothing is looked up (trust.md T32).
    static func profile(forPlans name: String) throws -> Profile {
        let profile = try ProfileLoader().load(name)
        guard profile.secrets.isEmpty else {
            throw Complaint(
                "the profile \(SafeText.show(profile.name)) names variables of the environment, and plans never do",
                details: [("remedy", "write the texts themselves, or leave those faults out")], exit: .usage)
        }
        return profile
    }

    /// `I2,E3`: ids of properties, in any case.
    static func properties(_ texts: [String], _ option: String, known: [String]) throws -> [String] {
        var found: [String] = []
        for word in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).map(String.init) {
            let id = word.trimmingCharacters(in: .whitespaces).uppercased()
            guard known.contains(id) else {
                let near = Nearest.word(to: id, among: known).map { [("remedy", "write `\($0)`")] } ?? []
                throw Complaint(
                    "no property is called `\(SafeText.show(word))`",
                    details: [("place", option), ("known", known.joined(separator: " "))] + near, exit: .usage)
            }
            if !found.contains(id) { found.append(id) }
        }
        return found
    }

    static func no(_ text: String, _ option: String, expected: String, remedy: String? = nil) -> Complaint {
        Complaint(
            "`\(SafeText.show(text))` is not a value of `\(option)`",
            details: [("expected", expected)] + (remedy.map { [("remedy", $0)] } ?? []), exit: .usage)
    }

    private static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
