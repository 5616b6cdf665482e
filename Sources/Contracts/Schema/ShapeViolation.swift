package import Wire

/// The first thing that is wrong with a message, at the value where it is.
package struct ShapeViolation: Sendable, Hashable {
    /// `payload.items[3].name`; `$` is the whole message.
    package var path: String
    /// `a string`, `at most 3 elements`, `<text>`
    package var expected: String
    /// Nil when it is the absence of a value that is wrong.
    package var value: JSON?
    package init(path: String, expected: String, value: JSON?) {
        self.path = path
        self.expected = expected
        self.value = value
    }

    /// `payload.items[3].name: a string`
    package var text: String { "\(path): \(expected)" }
}
