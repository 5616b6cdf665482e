package import Wire

extension JSON {
    /// Equal in canonical form: 1 and 1.0 are, 1 and "1" are not (contract.md, "Path").
    package func isSame(as other: JSON) -> Bool {
        switch (self, other) {
        case (.number, .number), (.array, .array), (.object, .object): self == other || canonical == other.canonical
        default: self == other
        }
    }

    /// The same, or the same to a program that keeps numbers as IEEE doubles: then one may be the other's echo.
    package func isAlike(_ other: JSON) -> Bool {
        if isSame(as: other) { return true }
        switch (self, other) {
        case (.number, .number), (.number, .null), (.null, .number), (.array, .array), (.object, .object):
            return rounded.canonical == other.rounded.canonical
        default: return false
        }
    }
}
