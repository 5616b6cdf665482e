import Journaling
import Wire

/// One setting of a fault: what parsing, help, the schema and the console know about it comes from here alone.
package struct Parameter: Sendable {
    package enum Unit: Sendable, Hashable {
        case duration, bytes, share, count, text
        case choice([String])
        case choices([String])
        case names
    }
    package var name: String
    package var unit: Unit
    package var `default`: String?
    package var doc: String
    package init(_ name: String, _ unit: Unit, default value: String? = nil, doc: String) {
        self.name = name
        self.unit = unit
        self.default = value
        self.doc = doc
    }
}

/// A fault's settings by name, as text, in file order.
package struct Settings: Sendable, Equatable {
    package var values: [(name: String, values: [String])]
    package init(_ values: [(name: String, values: [String])] = []) { self.values = values }
    package static func == (lhs: Settings, rhs: Settings) -> Bool {
        lhs.values.elementsEqual(rhs.values) { $0.name == $1.name && $0.values == $1.values }
    }
}

package struct SettingsError: Error, Sendable, Equatable {
    package var parameter: String
    package var expected: String
    package var found: String
    package init(parameter: String, expected: String, found: String) {
        self.parameter = parameter
        self.expected = expected
        self.found = found
    }
}
