import Wire

/// The values of an `enum`, or the one of a `const`. What it costs to compare does not grow with their number, nor with
/// their size.
struct SchemaChoices: Sendable {
    let values: [JSON]
    /// Their canonical texts, and those that they have as IEEE doubles (`JSON.isSame`, `JSON.isAlike`).
    private let exact: Set<[UInt8]>
    private let rounded: Set<[UInt8]>

    init(_ values: [JSON]) {
        self.values = values
        exact = Set(values.map { Array($0.canonical.utf8) })
        rounded = Set(values.map { Array($0.rounded.canonical.utf8) })
    }

    func truth(of text: SchemaText) -> SchemaTruth {
        if exact.contains(text.exact) { return .valid }
        return rounded.contains(text.rounded) ? .unknown : .invalid
    }
}

/// A value as choices are compared with it.
struct SchemaText: Sendable {
    let exact: [UInt8]
    let rounded: [UInt8]

    init(_ value: JSON) {
        exact = Array(value.canonical.utf8)
        rounded = Array(value.rounded.canonical.utf8)
    }
}
