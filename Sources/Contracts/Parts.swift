import Wire

/// A subset of JSONPath (RFC 9535) without the leading `$.` (contract.md, "Path").
package struct Path: Sendable, Hashable {
    /// As written, for messages and links.
    package var text: String
    package init(text: String) { self.text = text }
}

/// `*` is any run of characters; the whole string must match.
package struct Glob: Sendable, Hashable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// Where a credential or name is found: `header N`, `query N`, `cookie N`, `subprotocol [GLOB]`, `request NAME PATH`, ...
package struct Place: Sendable, Hashable {
    package var text: String
    package init(text: String) { self.text = text }
}

/// A test of a value (contract.md, "Pattern").
package struct Pattern: Sendable, Hashable {
    package var text: String
    package init(text: String) { self.text = text }
}
