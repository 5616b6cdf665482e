package import Contracts
package import Journaling
package import Wire

/// Values for a place of a message, from the contract's test of it. What is said to conform does, what is said to violate
/// does: every candidate is put to the test itself.
package struct ValueMaker: Sendable {
    package enum Change: Sendable, Hashable {
        /// May hold marks of `TemplateText`.
        case value(JSON)
        /// The member is left out.
        case missing
    }
    /// One way to fill a place.
    package struct Form: Sendable, Hashable {
        /// `empty text`
        package var name: String
        package var change: Change
        package init(_ name: String, _ change: Change) {
            self.name = name
            self.change = change
        }
    }

    private let dictionary: [String]

    package init(dictionary: [String] = []) { self.dictionary = dictionary }

    /// Everything that passes, plainest first; `heavy` adds texts of 64 KiB.
    package func conformingForms(_ test: Pattern.Test, heavy: Bool = false) -> [Form] {
        var known: Set<JSON> = []
        var forms = candidates(test, heavy: heavy).filter { form in
            guard case .value(let value) = form.change else { return test.admitsAbsent }
            return test.holds(value) && known.insert(value).inserted
        }
        if test.admitsAbsent { forms.append(Form("left out", .missing)) }
        if test.holds(.string("A")) {
            forms += OddTexts.escapes.map { Form($0.name, .value(TemplateText.raw($0.text))) }
        }
        return forms
    }

    /// Everything that fails: missing, null, empty, wrong type, not of the list.
    package func violatingForms(_ test: Pattern.Test) -> [Form] {
        let wrong: [Form] = [
            Form("null", .value(.null)), Form("a number", .value(0)), Form("an empty text", .value("")),
            Form("an object", .value([:])), Form("a list", .value([])), Form("true", .value(true)),
            Form("false", .value(false)), Form("a negative number", .value(.number("-1"))),
            Form("a fraction", .value(.number("0.5"))), Form("a number as text", .value("0")),
            Form("a list of texts", .value(["x"])), Form("an object with a member", .value(["x": 1])),
            Form("no declared value", .value("no-such-value")), Form("a blank", .value(" ")),
        ]
        let missing = test.admitsAbsent ? [] : [Form("missing", .missing)]
        return missing
            + wrong.filter { form in
                if case .value(let value) = form.change { !test.holds(value) } else { false }
            }
    }

    /// A value that passes; nil when none is known (a regular expression that no word of the dictionary matches).
    package func conforming(_ test: Pattern.Test, dice: inout Dice) -> JSON? {
        let values = conformingForms(test).compactMap { form -> JSON? in
            if case .value(let value) = form.change { value } else { nil }
        }
        guard !values.isEmpty else { return nil }
        // Plain words reach deeper than odd ones.
        if dice.chance(0.5) { return values[dice.below(min(values.count, max(1, dictionary.count + 1)))] }
        return values[dice.below(values.count)]
    }

    /// Something that fails; nil when everything passes.
    package func violating(_ test: Pattern.Test, dice: inout Dice) -> Form? {
        let forms = violatingForms(test)
        return forms.isEmpty ? nil : forms[dice.below(forms.count)]
    }

    private func candidates(_ test: Pattern.Test, heavy: Bool) -> [Form] {
        switch test {
        case .equal(let value): [Form("the declared value", .value(value))]
        case .glob(let glob):
            glob.isExact
                ? [Form("the declared value", .value(.string(glob.text)))]
                : (dictionary + ["x", "", "0"]).map { word in
                    let text = String(glob.text.flatMap { $0 == "*" ? Array(word) : [$0] })
                    return Form("\(word) for the star", .value(.string(text)))
                } + texts(heavy: heavy)
        case .regex: texts(heavy: heavy)
        case .anyOf(let tests): tests.flatMap { candidates($0, heavy: heavy) }
        case .words(let words): Pattern.TypeWord.allCases.filter(words.contains).flatMap { of($0, heavy: heavy) }
        case .fields(let fields): [Form("an object", .value(object(fields)))]
        }
    }

    private func object(_ fields: [Pattern.Field]) -> JSON {
        var value = JSON.object([])
        for field in fields where !field.test.admitsAbsent {
            guard let keys = field.path.keys else { continue }
            let inner = conformingForms(field.test).lazy.compactMap { form -> JSON? in
                if case .value(let value) = form.change { value } else { nil }
            }.first
            if let inner { value = value.setting(keys[...], to: inner) }
        }
        return value
    }

    private func of(_ word: Pattern.TypeWord, heavy: Bool) -> [Form] {
        switch word {
        case .absent, .foreign: []
        case .any: texts(heavy: heavy) + numbers() + [Form("null", .value(.null)), Form("true", .value(true))]
        case .null: [Form("null", .value(.null))]
        case .string, .text: texts(heavy: heavy)
        case .number, .integer: numbers()
        case .boolean: [Form("true", .value(true)), Form("false", .value(false))]
        case .object:
            [
                Form("an empty object", .value([:])), Form("an object", .value(["x": 1])),
                Form("an empty key", .value(["": ""])),
                Form("many members", .value(.object((0..<300).map { .init(key: "k\($0)", value: .null) }))),
            ]
        case .array:
            [
                Form("an empty list", .value([])), Form("a list", .value([1, "x", .null])),
                Form("a long list", .value(.array(Array(repeating: 0, count: 1_000)))),
            ]
        }
    }

    private func texts(heavy: Bool) -> [Form] {
        let words = dictionary.map { Form("the word \($0)", .value(.string($0))) }
        let odd = OddTexts.short.map { Form($0.name, .value(.string($0.text))) }
        let long = (OddTexts.lengths + (heavy ? OddTexts.heavyLengths : [])).map {
            Form("\($0) letters", .value(.string(OddTexts.long($0))))
        }
        return [Form("a word", .value("hello"))] + words + odd + [Form("empty text", .value(""))] + long
    }

    private func numbers() -> [Form] { OddTexts.numbers.map { Form($0, .value(.number($0))) } }
}
