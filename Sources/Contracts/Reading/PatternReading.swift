package import Journaling
package import Wire

extension Pattern {
    /// Reads a pattern from a contract or profile; nil with at least one problem when it cannot be read. Depth is
    /// bounded by whoever made the document (trust.md L6).
    package static func reading(_ document: Document) -> (pattern: Pattern?, problems: [(mark: Mark, error: PartError)]) {
        var problems: [(mark: Mark, error: PartError)] = []
        let test = test(document, &problems)
        guard problems.isEmpty, let test else { return (nil, problems) }
        return (Pattern(text: test.summary, test: test), [])
    }

    private static func test(_ document: Document, _ problems: inout [(mark: Mark, error: PartError)]) -> Test? {
        switch document.node {
        case .scalar(let scalar):
            if let plain = scalar.json { return .equal(plain) }
            do throws(PartError) { return try Test.reading(scalar.text) } catch {
                problems.append((document.mark, error))
                return nil
            }
        case .list(let items):
            if items.isEmpty { problems.append((document.mark, PartError("an empty list matches nothing", remedy: "write <any>"))) }
            return .anyOf(items.compactMap { test($0, &problems) })
        case .map(let fields):
            var tests: [Field] = []
            for field in fields {
                let inner = test(field.value, &problems)
                do throws(PartError) {
                    let path = try Path(field.key)
                    if let inner { tests.append(Field(path: path, test: inner)) }
                } catch {
                    problems.append((field.mark, error))
                }
            }
            return .fields(tests)
        }
    }
}

extension Document.Scalar {
    /// The JSON value of a plain scalar that is none of the strings (YAML 1.2 core schema): null, a boolean or a number.
    var json: JSON? {
        if isNull { return .null }
        if let bool { return .bool(bool) }
        guard isPlain, let number = Self.number(text), let value = try? JSON.parse(number), case .number = value else { return nil }
        return value
    }

    /// A number of the core schema as JSON writes it: `.5` is 0.5, `+5` is 5, `010` is 10, `0x10` is 16.
    private static func number(_ text: String) -> String? {
        var rest = text.utf8[...]
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(2)
            guard digits.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }) else { return nil }
            // Of more than 64 bits the text is as good as the number.
            return UInt64(digits, radix: radix).map(String.init)
        }
        var sign = ""
        if let first = rest.first, first == 0x2b || first == 0x2d {
            if first == 0x2d { sign = "-" }
            rest = rest.dropFirst()
        }
        let whole = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == 0x2e {
            fraction = rest.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        if let mark = rest.first, mark != 0x65, mark != 0x45 { return nil }
        let shown = whole.drop { $0 == 0x30 }
        return sign + (shown.isEmpty ? "0" : String(decoding: shown, as: UTF8.self))
            + (fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)) + String(decoding: rest, as: UTF8.self)
    }
}

extension Document {
    /// The value as JSON, for what is sent: plain scalars by the core schema, all others strings.
    package var json: JSON {
        switch node {
        case .scalar(let scalar): scalar.json ?? .string(scalar.text)
        case .list(let items): .array(items.map(\.json))
        case .map(let fields): .object(fields.map { .init(key: $0.key, value: $0.value.json) })
        }
    }
}
