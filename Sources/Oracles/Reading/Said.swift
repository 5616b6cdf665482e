import Wire

/// What a client said on one connection: what comes back to it may be its own words, and names of requests that several
/// bear name none of them.
struct Said: Sendable {
    /// How a value that names one request alone was used.
    struct NameUse: Sendable {
        var count = 0
        /// A request that may succeed bore it.
        var mayBeGranted = false
    }

    /// More was said than is known, or kept: what comes back may be any of it.
    var isUnknown = false
    private var identifiers: Set<String> = []
    private var names: [Name: NameUse] = [:]

    /// A value at a link path that names one request alone.
    struct Name: Hashable, Sendable {
        var link: Int
        var text: String
    }

    var count: Int { identifiers.count }

    /// A server may repeat what it was sent, with the blanks around it cut off.
    func has(_ value: String) -> Bool { isUnknown || identifiers.contains(value) }

    mutating func note(_ value: String) {
        identifiers.insert(value)
        let rounded = JSONNumber.rounded(value)
        if rounded != value {
            identifiers.insert(rounded)
            if JSONNumber(rounded) == nil { identifiers.insert("null") }
        }
        let trimmed = Self.trimmed(value)
        if trimmed.utf8.count != value.utf8.count { identifiers.insert(String(trimmed)) }
    }

    func use(of name: Name) -> NameUse { names[name] ?? NameUse() }

    /// - Parameter most: as many names are kept.
    mutating func note(name: Name, mayBeGranted: Bool, most: Int) {
        guard names.count < most || names[name] != nil else { return }
        Self.note(mayBeGranted, in: &names[name, default: NameUse()])
    }

    private static func note(_ mayBeGranted: Bool, in use: inout NameUse) {
        use.count += 1
        if mayBeGranted { use.mayBeGranted = true }
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = Substring(text)
        // Nearly all begin and end with a letter or a digit.
        let ends = [text.utf8.first, text.utf8.last]
        if ends.allSatisfy({ $0.map { (0x21...0x7e).contains($0) } ?? false }) { return rest }
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}
