import Journaling
import Wire

/// One setting of a fault: what parsing, help, the schema and the console know about it comes from here alone.
package struct Parameter: Sendable, Hashable {
    package enum Unit: Sendable, Hashable {
        case duration, bytes, rate, share, count, text
        case choice([String])
        case choices([String])
        case names
    }
    package var name: String
    package var unit: Unit
    /// As it would be written; nil = the setting may be left out and then has no value.
    package var `default`: String?
    /// Must be written, because no default makes sense.
    package var required: Bool
    /// The setting that is drawn anew each time, by up to this much more or less.
    package var spreads: String?
    package var doc: String
    package init(
        _ name: String, _ unit: Unit, default value: String? = nil, required: Bool = false, spreads: String? = nil, doc: String
    ) {
        self.spreads = spreads
        self.name = name
        self.unit = unit
        self.default = value
        self.required = required
        self.doc = doc
    }
}

/// A fault's settings by name, as text, in file order.
package struct Settings: Sendable, Equatable {
    package var values: [(name: String, values: [String])]
    /// What faults read instead of a text that names variables of the environment (`${NAME}`). Everybody else sees the names.
    package var filled: [String: String] = [:]
    /// Values of variables, which must not be shown.
    package var secrets: [String] = []
    package init(_ values: [(name: String, values: [String])] = []) { self.values = values }
    package static func == (lhs: Settings, rhs: Settings) -> Bool {
        lhs.values.elementsEqual(rhs.values) { $0.name == $1.name && $0.values == $1.values } && lhs.filled == rhs.filled
    }
}

extension Settings {
    /// A text of that setting names variables.
    package func hasVariables(_ name: String) -> Bool {
        let texts = values.filter { $0.name == name }.flatMap(\.values).compactMap { filled[$0] }
        return texts.contains { text in secrets.contains(where: text.contains) }
    }
}

extension Settings: CustomStringConvertible {
    package var description: String { values.map { "\($0.name): \($0.values)" }.joined(separator: ", ") }
}

extension Settings: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: ["values": description]) }
}

/// A setting that cannot be read. Said as ```delay` needs a duration``, then `found a word, expected a number with ...`.
package struct SettingsError: Error, Sendable, Equatable {
    package var parameter: String
    /// `a duration`; nil when the name itself is wrong (then `expected` lists the known ones).
    package var needs: String?
    package var expected: String
    package var found: String
    package init(parameter: String, needs: String? = nil, expected: String, found: String) {
        self.parameter = parameter
        self.needs = needs
        self.expected = expected
        self.found = found
    }
}
