package import NIOCore
package import Wire

/// How one message was read (contract.md, semantics 2).
package struct Recognition: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        case valid
        /// Recognised, but its shape is violated; the phrase names the field: `error: <text>`.
        case invalid(String)
        /// Decoded, and no declared message fits.
        case unknown
        /// Not decodable, and no common parser takes it either.
        case malformed(String)
        /// A binary frame that this contract does not look at.
        case ignored
    }
    package var outcome: Outcome
    /// Index into `contract.requests` or `contract.events`.
    package var rule: Int?
    package var name: String?
    /// The text of the value at `wire.type`.
    package var type: String?
    package var value: JSON?
    /// Only some parsers take it (NaN, duplicate keys, ...): such a request is always may-accept.
    package var tolerated: Bool
    package init(
        outcome: Outcome, rule: Int? = nil, name: String? = nil, type: String? = nil, value: JSON? = nil,
        tolerated: Bool = false
    ) {
        self.outcome = outcome
        self.rule = rule
        self.name = name
        self.type = type
        self.value = value
        self.tolerated = tolerated
    }
}

/// Reads messages as a contract declares them.
package struct Recognizer: Sendable {
    package init(_ contract: Contract) {}
    package func recognise(_ payload: ByteBuffer, opcode: Opcode, direction: Direction) -> Recognition {
        Recognition(outcome: .ignored)
    }
}
