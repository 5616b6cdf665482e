package import Wire

/// What the oracle asks of a contract about single messages.
extension Contract {
    /// The run's key in a message; nil when no key path yields a value.
    package func key(of run: RunRule, in message: JSON) -> JSON? { nil }
    package func isError(event name: String) -> Bool { false }
    /// The text form of the error's kind.
    package func errorKind(of message: JSON) -> String? { nil }
    /// The request that provokes rule `index` of `reject`: `send`, or `when` made literal; nil when neither is possible.
    package func probe(for index: Int) -> JSON? { nil }
}

extension LinkPath {
    package enum Comparison: Sendable, Hashable { case equal, unequal, incomparable }
    package func compare(request: JSON, event: JSON) -> Comparison { .incomparable }
}

extension MessageName {
    /// Whether it names this message: globs are tried on the type value, or on the declared name without `wire.type`.
    package func names(isRequest: Bool, name: String?, type: String?) -> Bool { false }
}
