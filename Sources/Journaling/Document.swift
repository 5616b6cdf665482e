/// A place in a text file, for errors that name it. Lines and columns count from 1, columns in characters.
package struct Mark: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int
    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
    /// `profiles/lost.yaml:13:12`
    package var description: String { "\(file):\(line):\(column)" }
}

/// A value tree read from a configuration file, each node with its place. The reader of a format (YAML, JSON) builds it;
/// whoever takes a value out of it decides on its type, because only the taker knows what is expected there.
package struct Document: Sendable, Hashable {
    package indirect enum Node: Sendable, Hashable {
        case scalar(Scalar)
        case list([Document])
        /// In file order; keys are unique (the reader refuses repeated ones).
        case map([Field])
    }

    /// The text as it stands, without quotes and with escapes resolved. `true`, `7` and `~` mean something only when plain.
    package struct Scalar: Sendable, Hashable {
        package var text: String
        package var isPlain: Bool
        package init(text: String, isPlain: Bool) {
            self.text = text
            self.isPlain = isPlain
        }
        /// `null`, `~` or nothing at all, unquoted (YAML 1.2 core schema).
        package var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }
        /// `true` or `false`, unquoted.
        package var bool: Bool? {
            guard isPlain else { return nil }
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: return nil
            }
        }
        /// A decimal integer, unquoted.
        package var integer: Int? {
            guard isPlain, let value = Int(text) else { return nil }
            return value
        }
        /// A finite decimal number, unquoted.
        package var number: Double? {
            guard isPlain, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
            guard let value = Double(text), value.isFinite else { return nil }
            return value
        }
    }

    package struct Field: Sendable, Hashable {
        package var key: String
        /// Where the key stands; the value's own place is in `value.mark`.
        package var mark: Mark
        package var value: Document
        package init(key: String, mark: Mark, value: Document) {
            self.key = key
            self.mark = mark
            self.value = value
        }
    }

    package var node: Node
    package var mark: Mark
    package init(_ node: Node, mark: Mark) {
        self.node = node
        self.mark = mark
    }

    package var scalar: Scalar? { if case .scalar(let scalar) = node { scalar } else { nil } }
    package var list: [Document]? { if case .list(let items) = node { items } else { nil } }
    package var map: [Field]? { if case .map(let fields) = node { fields } else { nil } }
    package subscript(_ key: String) -> Document? { map?.first { $0.key == key }?.value }

    /// For the word behind "found": `a list`, `a mapping`, `"fast"`, `nothing`.
    package var found: String {
        switch node {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "\"\(scalar.text)\""
        case .list: "a list"
        case .map: "a mapping"
        }
    }
}
