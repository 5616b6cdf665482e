import Journaling
import Wire

/// Values of a contract, each refused in words that name what is expected.
extension ContractReader {
    /// The fields of a mapping whose keys are fixed. Null values count as absent.
    mutating func mapping(_ document: Document, _ table: KeyTable) -> [String: Document] {
        guard let fields = document.map else {
            fail(document.mark, "\(table.place) needs a mapping", remedy: "found \(document.found)")
            return [:]
        }
        var known: [String: Document] = [:]
        for field in fields {
            if table.known.contains(field.key) {
                if field.value.scalar?.isNull != true { known[field.key] = field.value }
            } else {
                fail(
                    field.mark, "unknown key \"\(field.key)\" in \(table.place)",
                    remedy: Nearest.remedy(for: field.key, among: table.known))
            }
        }
        return known
    }

    /// A field that its mapping cannot be without; `read` says what is wrong with one that is there.
    mutating func required<Value>(
        _ value: Document?, _ key: String, of document: Document, _ place: String,
        _ read: (inout ContractReader, Document, String) -> Value?
    ) -> Value? {
        if let value { return read(&self, value, "\(place).\(key)") }
        if document.map != nil { fail(document.mark, "\(place) needs \(key)", remedy: "write \(key): …") }
        return nil
    }

    /// The fields of a mapping whose keys are names chosen by the author.
    mutating func named(_ document: Document?, _ place: String) -> [Document.Field] {
        guard let document, document.scalar?.isNull != true else { return [] }
        guard let fields = document.map else {
            fail(document.mark, "\(place) needs a mapping", remedy: "found \(document.found)")
            return []
        }
        return fields
    }

    /// A list; one element may stand for a list of one.
    mutating func items(_ document: Document?, _ place: String) -> [Document] {
        guard let document, document.scalar?.isNull != true else { return [] }
        return document.list ?? [document]
    }

    mutating func text(_ document: Document?, _ place: String) -> String? {
        guard let document else { return nil }
        guard let scalar = document.scalar, !scalar.isNull, !scalar.text.isEmpty else {
            fail(document.mark, "\(place) needs a text", remedy: "found \(document.found)")
            return nil
        }
        return scalar.text
    }

    mutating func texts(_ document: Document?, _ place: String) -> [String] {
        var texts: [String] = []
        for item in items(document, place) {
            if let text = text(item, place) { texts.append(text) }
        }
        return texts
    }

    /// Numbers such as statuses and close codes.
    mutating func numbers(_ document: Document?, _ place: String, _ range: ClosedRange<Int>) -> [Int]? {
        guard let document else { return nil }
        var numbers: [Int] = []
        for item in items(document, place) {
            if let number = item.scalar?.integer, range.contains(number) {
                numbers.append(number)
            } else {
                fail(
                    item.mark, "\(place) needs numbers from \(range.lowerBound) to \(range.upperBound)",
                    remedy: "found \(item.found)")
            }
        }
        return numbers
    }

    mutating func flag(_ document: Document?, _ place: String) -> Bool? {
        guard let document else { return nil }
        if let value = document.scalar?.bool { return value }
        fail(document.mark, "\(place) needs true or false", remedy: "found \(document.found)")
        return nil
    }

    mutating func choice(_ document: Document?, _ place: String, _ words: [String]) -> String? {
        guard let document else { return nil }
        if let word = document.scalar?.text, words.contains(word) { return word }
        let near = document.scalar.flatMap { Nearest.word(to: $0.text, among: words) }
        fail(
            document.mark, "\(place) needs one of \(words.joined(separator: ", "))",
            remedy: "found \(document.found)" + (near.map { "; nearest: \($0)" } ?? ""))
        return nil
    }

    /// A bound: outer nil = not written or wrong, inner nil = `never`.
    mutating func bound(_ document: Document?, _ place: String) -> Duration?? {
        guard let document else { return .none }
        guard let scalar = document.scalar, !scalar.isNull else {
            fail(document.mark, "\(place) needs a duration", remedy: "found \(document.found), expected such as 5s or 250ms")
            return .none
        }
        if scalar.text == "never" { return .some(nil) }
        if let duration = DurationText.parse(scalar.text), duration > .zero { return .some(duration) }
        if let correction = DurationText.correction(scalar.text), DurationText.parse(correction) != .zero {
            fail(document.mark, "duration \"\(scalar.text)\": write \(correction)")
        } else {
            fail(
                document.mark, "\(place) needs a duration",
                remedy: "found \"\(scalar.text)\", expected a number with ms, s, m or h, such as 5s, or never")
        }
        return .none
    }

    /// A bound that cannot be `never`.
    mutating func duration(_ document: Document?, _ place: String) -> Duration? {
        guard let found = bound(document, place) else { return nil }
        if found == nil, let document {
            fail(document.mark, "\(place) cannot be never", remedy: "write a duration such as 5s")
        }
        return found
    }

    mutating func path(_ document: Document?, _ place: String) -> Path? { path(document, place, deep: false) }

    mutating func path(_ document: Document?, _ place: String, deep: Bool) -> Path? {
        guard let document, let text = text(document, place) else { return nil }
        do throws(PartError) { return try Path(text, deep: deep) } catch {
            fail(document.mark, error)
            return nil
        }
    }

    mutating func paths(_ document: Document?, _ place: String, deep: Bool = false) -> [Path] {
        var paths: [Path] = []
        for item in items(document, place) {
            if let path = path(item, place, deep: deep) { paths.append(path) }
        }
        return paths
    }

    mutating func places(_ document: Document?, _ place: String, deep: Bool = false) -> [Place] {
        var places: [Place] = []
        for item in items(document, place) {
            guard let text = text(item, place) else { continue }
            do throws(PartError) { places.append(try Place(text, deep: deep)) } catch { fail(item.mark, error) }
        }
        return places
    }

    /// `a`, or `a = b` when the paths differ.
    mutating func linkPath(_ document: Document) -> LinkPath? {
        guard let text = text(document, "link") else { return nil }
        let sides = text.split(separator: "=", maxSplits: 1).map { half in
            String(half.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        do throws(PartError) {
            let request = try Path(sides.first ?? "")
            return LinkPath(request: request, event: sides.count == 2 ? try Path(sides[1]) : request)
        } catch {
            fail(document.mark, error)
            return nil
        }
    }

    mutating func pattern(_ document: Document?, _ place: String) -> Pattern? {
        guard let document, document.scalar?.isNull != true || document.scalar?.text == "null" else { return nil }
        let (pattern, found) = Pattern.reading(document)
        for problem in found { fail(problem.mark, problem.error) }
        return pattern
    }
}
