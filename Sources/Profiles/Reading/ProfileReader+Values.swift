import Contracts
import Faults
import Journaling

/// Values of a profile, each refused in words that name what is expected.
extension ProfileReader {
    mutating func mapping(_ document: Document, _ place: String, _ keys: [String]) -> [String: Document] {
        guard let fields = document.map else {
            fail(
                document.mark, "\(place) needs a mapping",
                "found \(document.found), expected keys such as `\(keys[0]):`, each with its value")
            return [:]
        }
        var known: [String: Document] = [:]
        for field in fields {
            if keys.contains(field.key) {
                if field.value.scalar?.isNull != true { known[field.key] = field.value }
            } else {
                fail(field.mark, "\(place) has no `\(field.key)`", Self.nearest(field.key, keys))
            }
        }
        return known
    }

    /// ``write `delay` ``, or the list.
    static func nearest(_ word: String, _ known: [String]) -> String {
        Nearest.word(to: word, among: known).map { "write `\($0)`" } ?? "known: \(Nearest.list(known))"
    }

    mutating func text(_ document: Document?, _ name: String) -> String? {
        guard let document else { return nil }
        guard let scalar = document.scalar, !scalar.isNull, !scalar.text.isEmpty else {
            fail(document.mark, "`\(name)` needs a text", "found \(document.found)\(document.list == nil ? "" : ", write one of them")")
            return nil
        }
        return scalar.text
    }

    mutating func texts(_ document: Document?, _ name: String) -> [String] {
        guard let document else { return [] }
        var texts: [String] = []
        for item in document.list ?? [document] {
            if let text = text(item, name) { texts.append(text) }
        }
        return texts
    }

    /// The text of a value that has a unit.
    mutating func value(_ document: Document?, _ name: String, _ unit: Parameter.Unit) -> String? {
        guard let document else { return nil }
        if let scalar = document.scalar, !scalar.isNull, unit.admits(scalar.text) { return scalar.text }
        fail(document.mark, "`\(name)` needs \(unit.noun)", advice(document, unit))
        return nil
    }

    /// `found a word, expected a number with ms, s or m, such as 250ms`.
    func advice(_ document: Document, _ unit: Parameter.Unit) -> String {
        let text = document.scalar?.text ?? ""
        if text.contains("${"), unit != .text, unit != .names { return "found \(document.found), and variables stand in texts only" }
        switch unit {
        case .choice(let words), .choices(let words):
            // What is expected stands in the sentence.
            return Nearest.word(to: text, among: words).map { "write `\($0)`" } ?? "found \(document.found)"
        case .duration:
            if let correction = DurationText.correction(text) { return "write `\(correction)`" }
        case .share, .rate, .bytes, .count, .text, .names: break
        }
        return "found \(Self.found(document)), expected \(unit.expected)"
    }

    /// What stands there, for people: a word, a number, a list.
    static func found(_ document: Document) -> String {
        guard let scalar = document.scalar, !scalar.isNull else { return document.found }
        if scalar.number != nil { return "the number \(scalar.text)" }
        if !scalar.text.isEmpty, scalar.text.allSatisfy({ $0.isLetter || $0 == "-" }) { return "a word" }
        return document.found
    }
}
