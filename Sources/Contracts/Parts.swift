package import Wire

/// Why a small part (path, place, pattern, regular expression) cannot be read. `message` is one sentence without a place.
package struct PartError: Error, Sendable, Hashable {
    package var message: String
    /// What to write instead, when that is known.
    package var remedy: String?
    /// Characters from the start of the part's text, from 0.
    package var offset: Int
    package init(_ message: String, remedy: String? = nil, offset: Int = 0) {
        self.message = message
        self.remedy = remedy
        self.offset = offset
    }
}

/// A subset of JSONPath (RFC 9535) without the leading `$.` (contract.md, "Path").
package struct Path: Sendable, Hashable {
    /// As written, for messages and links.
    package var text: String
    /// - Parameter deep: whether `..name` is allowed (only in `volatile` and `secrets`).
    package init(_ text: String, deep: Bool = false) throws(PartError) { self.text = text }
    /// Everything it yields, nulls left out, in document order.
    package func values(in message: JSON) -> [JSON] { [] }
    /// The first that it yields.
    package func value(in message: JSON) -> JSON? { nil }
}

extension [Path] {
    /// The value of the first path that yields one.
    package func value(in message: JSON) -> JSON? { nil }
}

/// `*` is any run of characters; the whole string must match.
package struct Glob: Sendable, Hashable {
    package var text: String
    package init(_ text: String) { self.text = text }
    package func matches(_ candidate: String) -> Bool { false }
    /// What the first `*` covers, nil when the glob does not match.
    package func capture(_ candidate: String) -> String? { nil }
}

/// Where a credential or name is found: `header N`, `query N`, `cookie N`, `subprotocol [GLOB]`, `request NAME PATH`, ...
package struct Place: Sendable, Hashable {
    package var text: String
    package init(_ text: String) throws(PartError) { self.text = text }
}

/// Says whether a value at that path is an identifier known to belong to another user.
package typealias ForeignTest = (Path, JSON) -> Bool

/// A test of a value (contract.md, "Pattern").
package struct Pattern: Sendable, Hashable {
    package var text: String
    package init(text: String) { self.text = text }
    package func holds(for message: JSON, foreign: ForeignTest = { _, _ in false }) -> Bool { false }
    /// True when `<foreign>` occurs in it.
    package var asksForeign: Bool { false }
}
