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
        /// Not decodable, and no common parser takes it either; the phrase says why.
        case malformed(String)
        /// A binary frame that this contract does not look at.
        case ignored
    }
    package var outcome: Outcome
    /// Index into `contract.requests` or `contract.events`.
    package var rule: Int?
    package var name: String?
    /// The text at `wire.type`; nil without one.
    package var type: String?
    /// Under `format: raw` a string: the text, or binary as lower-case hex.
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

    /// What people call it: the type value, or the declared name.
    package var title: String? { type ?? name }
}

/// Reads messages as a contract declares them: exact type name, then `match` in file order, then glob names in file
/// order.
package struct Recognizer: Sendable {
    private let wire: WireRules
    private let requests: Table
    private let events: Table

    package init(_ contract: Contract) {
        wire = contract.wire
        requests = Table(contract.requests)
        events = Table(contract.events)
    }

    package func recognise(_ payload: ByteBuffer, opcode: Opcode, direction: Direction) -> Recognition {
        if wire.format == .raw {
            let text = opcode == .binary ? Self.hexadecimal(payload) : String(decoding: payload.readableBytesView, as: UTF8.self)
            return recognise(.string(text), direction: direction)
        }
        if opcode == .binary {
            switch wire.binary {
            case .ignore: return Recognition(outcome: .ignored)
            case .reject: return Recognition(outcome: .malformed("a binary frame"))
            case .decode: break
            }
        }
        switch JSON.decode(payload) {
        case .value(let value, let tolerated): return recognise(value, direction: direction, tolerated: tolerated)
        case .malformed(let error):
            return Recognition(
                outcome: .malformed("\(error.reason) at byte \(error.offset)"), tolerated: error.tolerated)
        }
    }

    /// The same for a message that is decoded already.
    package func recognise(_ value: JSON, direction: Direction, tolerated: Bool = false) -> Recognition {
        let table = direction == .toServer ? requests : events
        let type = wire.type?.value(in: value)?.string
        var result = Recognition(outcome: .unknown, type: type, value: value, tolerated: tolerated)
        guard let found = table.find(value, type: type) else { return result }
        let rule = table.rules[found]
        result.rule = found
        result.name = rule.name
        result.outcome = rule.shape?.violation(in: value).map(Recognition.Outcome.invalid) ?? .valid
        return result
    }

    /// The messages of one direction, ordered for look-up.
    private struct Table: Sendable {
        let rules: [MessageRule]
        private var exact: [String: Int] = [:]
        private var matches: [(index: Int, pattern: Pattern)] = []
        private var globs: [(index: Int, glob: Glob)] = []

        init(_ rules: [MessageRule]) {
            self.rules = rules
            for (index, rule) in rules.enumerated() {
                let glob = Glob(rule.name)
                if let pattern = rule.match {
                    matches.append((index, pattern))
                } else if glob.isExact {
                    if exact[rule.name] == nil { exact[rule.name] = index }
                } else {
                    globs.append((index, glob))
                }
            }
        }

        func find(_ value: JSON, type: String?) -> Int? {
            if let type, let index = exact[type] { return index }
            if let found = matches.first(where: { $0.pattern.holds(for: value) }) { return found.index }
            guard let type else { return nil }
            return globs.first { $0.glob.matches(type) }?.index
        }
    }

    private static func hexadecimal(_ payload: ByteBuffer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * payload.readableBytes)
        for byte in payload.readableBytesView {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0xf)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
