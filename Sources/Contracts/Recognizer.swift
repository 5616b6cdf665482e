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
        /// More than is looked at: it may be any message; the phrase says why.
        case unreadable(String)
    }
    package var outcome: Outcome
    /// Index into `contract.requests` or `contract.events`.
    package var rule: Int?
    package var name: String?
    /// The text at `wire.type`; nil without one.
    package var type: String?
    /// Under `format: raw` a string: the text, or binary as lower-case hex.
    package var value: JSON?
    /// What it is to the heartbeat: whatever else is declared, it is ignored by everything but that rule.
    package var heartbeat: HeartbeatRule.Part?
    /// Only some parsers take it (NaN, duplicate keys, ...): such a request is always may-accept.
    package var tolerated: Bool
    /// What people call it: the type value, or the declared name.
    package var title: String? { type ?? name }
}

// The initializer that the compiler makes of a struct moves its parts; one of ours would copy all of so large a one.
extension Recognition {
    package init(
        outcome: Outcome, rule: Int? = nil, name: String? = nil, type: String? = nil, value: JSON? = nil,
        tolerated: Bool = false
    ) {
        self.init(outcome: outcome, rule: rule, name: name, type: type, value: value, heartbeat: nil, tolerated: tolerated)
    }
}

/// Reads messages as a contract declares them: exact type name, then `match` in file order, then glob names in file
/// order. It never changes, and whoever reads messages shares it.
package final class Recognizer: Sendable {
    let wire: WireRules
    private let envelope: Envelope?
    private let heartbeat: HeartbeatRule?
    private let requests: Table
    private let events: Table

    package init(_ contract: Contract) {
        wire = contract.wire
        envelope = contract.wire.envelope.map(Envelope.init)
        heartbeat = contract.session?.heartbeat
        requests = Table(contract.requests, of: contract)
        events = Table(contract.events, of: contract)
    }

    /// One message: a whole frame, or what `content` found in it.
    package func recognise(_ payload: ByteBuffer, opcode: Opcode, direction: Direction) -> Recognition {
        read(payload, opcode: opcode, direction: direction).recognition
    }

    /// The same, with what of `members` was found on the way; nil where nothing was looked for.
    package func read(_ payload: ByteBuffer, opcode: Opcode, direction: Direction) -> (recognition: Recognition, members: Members?) {
        if wire.format == .raw {
            let text = opcode == .binary ? Self.hexadecimal(payload) : String(decoding: payload.readableBytesView, as: UTF8.self)
            return (envelope.map { open($0, text, direction) } ?? recognise(.string(text), direction: direction), nil)
        }
        if opcode == .binary {
            switch wire.binary {
            case .ignore: return (Recognition(outcome: .ignored), nil)
            case .reject: return (Recognition(outcome: .malformed("a binary frame")), nil)
            case .decode: break
            }
        }
        if let envelope { return (open(envelope, String(decoding: payload.readableBytesView, as: UTF8.self), direction), nil) }
        let table = table(direction)
        let (decoding, places) = JSON.decode(payload, names: table.members.names)
        switch consume decoding {
        case .value(let value, let tolerated):
            let members = Members(value, places, table.members)
            return (recognise(members, in: table, direction, tolerated), members)
        case .malformed(let error):
            return (Recognition(outcome: .malformed("\(error.reason) at byte \(error.offset)"), tolerated: error.tolerated), nil)
        }
    }

    /// Where the members of its messages have their places: those that the contract names, as far as there are places.
    package func members(_ direction: Direction) -> MemberTable { table(direction).members }

    private func table(_ direction: Direction) -> Table {
        switch direction {
        case .toServer: requests
        case .toClient: events
        }
    }

    private func open(_ envelope: Envelope, _ text: String, _ direction: Direction) -> Recognition {
        switch envelope.open(text) {
        case .fields(let value, let tolerated): recognise(value, direction: direction, tolerated: tolerated)
        case .misfit: Recognition(outcome: .malformed("it does not fit wire.envelope"))
        case .tooLong: Recognition(outcome: .unreadable("a message is longer than what wire.envelope is tried on"))
        }
    }

    /// The same for a message that is decoded already.
    package func recognise(_ value: JSON, direction: Direction, tolerated: Bool = false) -> Recognition {
        let table = table(direction)
        return recognise(table.members.find(in: value), in: table, direction, tolerated)
    }

    private func recognise(_ members: Members, in table: Table, _ direction: Direction, _ tolerated: Bool) -> Recognition {
        let value = members.message
        let type = table.type.flatMap { members.string($0) }
        // Whether a batch of nothing is a message is anybody's choice.
        let isOdd = tolerated || wire.batch && value == .array([])
        guard let found = table.find(value, type: type) else {
            return Recognition(outcome: .unknown, type: type, value: value, tolerated: isOdd)
        }
        let name = table.names[found]
        let form = table.forms[found]
        let violation = form.isPlainlyFit(members) ? nil : form.violation(in: value)
        return Recognition(
            outcome: violation.map { .invalid($0.text) } ?? .valid, rule: found, name: name, type: type, value: value,
            heartbeat: heartbeat?.part(isRequest: direction == .toServer, name: name), tolerated: isOdd)
    }

    /// What is wrong with a message that was found `invalid`.
    package func violation(of recognition: Recognition, direction: Direction) -> ShapeViolation? {
        let forms = table(direction).forms
        guard let rule = recognition.rule, forms.indices.contains(rule), let value = recognition.value else { return nil }
        return forms[rule].violation(in: value)
    }

    /// The messages of one direction, ordered for look-up.
    private final class Table: Sendable {
        let names: [String]
        let forms: [MessageForm]
        /// What types and shapes look at.
        let members: MemberTable
        let type: MemberTable.Entry?
        /// Rules by name; those of `plain` by its numbers, found where the type is the name byte for byte.
        private let exact: [String: Int]
        private let plain: JSONNames
        private let plainRules: [Int]
        private let matches: [(index: Int, pattern: Pattern)]
        private let globs: [(index: Int, glob: Glob)]

        init(_ rules: [MessageRule], of contract: Contract) {
            names = rules.map(\.name)
            let type = contract.wire.type
            let asked = contract.pathsOfMembers
            let members = MemberTable(
                (type.map { [$0] } ?? []) + asked + rules.flatMap { MessageForm.paths(of: $0) }, others: asked.flatMap(\.tops))
            self.members = members
            self.type = type.map(members.entry)
            forms = rules.map { MessageForm($0, type: type, members) }
            var (exact, matches, globs) = ([String: Int](), [(index: Int, pattern: Pattern)](), [(index: Int, glob: Glob)]())
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
            plain = JSONNames(exact.map(\.key))
            plainRules = exact.map(\.value)
            (self.exact, self.matches, self.globs) = (exact, matches, globs)
        }

        func find(_ value: JSON, type: String?) -> Int? {
            if let type {
                if let number = plain.number(of: type) { return plainRules[number] }
                if let index = exact[type] { return index }
            }
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

extension Contract {
    /// What messages are likely to hold, besides what their shapes say.
    fileprivate var pathsOfMembers: [Path] {
        var paths: [Path] = identity.ids.flatMap(\.at)
        for path in link { paths += [path.request, path.event] }
        for run in runs { paths += run.key + run.parts.flatMap(\.key) }
        if let errors { paths += errors.context + (errors.kind.map { [$0] } ?? []) }
        if let sequence = delivery?.sequence { paths.append(sequence.at) }
        return paths
    }
}
