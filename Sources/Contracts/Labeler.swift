package import Wire

/// What is owed to a request, from the bytes at Sout (contract.md, semantics 3).
package enum Label: Sendable, Hashable {
    /// `rule` is an index into `contract.reject`. A stateful rule must still hold when the outcome arrives or the
    /// deadline fires, else the label falls to may-accept: ask `Labeler.stillHolds`.
    case mustReject(rule: Int, stateful: Bool)
    case mayAccept
}

/// What a label may depend on beside the bytes: the state of the request's own connection and user.
package protocol LabelContext {
    /// A message of that name (exact or glob) has passed on this connection, at the server's taps.
    func hasSeen(_ name: MessageName) -> Bool
    /// The run with that key is open; nil = any run of this user is.
    func isRunOpen(key: JSON?) -> Bool
    /// The value is an identifier known to belong to another user.
    func isForeign(_ path: Path, _ value: JSON) -> Bool
}

package struct Labeler: Sendable {
    package init(_ contract: Contract) {}
    package func label(_ request: Recognition, in context: any LabelContext) -> Label { .mayAccept }
    package func stillHolds(rule: Int, _ request: Recognition, in context: any LabelContext) -> Bool { false }
}
