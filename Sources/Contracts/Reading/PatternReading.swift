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
        guard isPlain, let first = text.utf8.first, first == 0x2d || first >= 0x30 && first <= 0x39 else { return nil }
        guard let value = try? JSON.parse(text), case .number = value else { return nil }
        return value
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
