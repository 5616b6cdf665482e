package import Wire

extension JSON {
    /// Equal in canonical form: 1 and 1.0 are, 1 and "1" are not (contract.md, "Path").
    package func isSame(as other: JSON) -> Bool {
        switch (self, other) {
        case (.number, .number), (.array, .array), (.object, .object): self == other || canonical == other.canonical
        default: self == other
        }
    }
}
