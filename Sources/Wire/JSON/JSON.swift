/// A JSON value (RFC 8259): order and duplicate keys kept, numbers as their text.
package indirect enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSON
        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }
}
