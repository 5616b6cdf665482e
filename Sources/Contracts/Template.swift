import Journaling
package import Wire

/// Variables in what we send (contract.md): `{user} {credential} {canary} {uuid} {n} {now} {now+1h}` and names kept by
/// a flow; any other brace text is literal.
package struct Template: Sendable, Hashable {
    package enum Piece: Sendable, Hashable {
        case literal(String)
        case variable(String)
        /// `{now}` and `{now+1h}`, `{now-5m}`: seconds since 1970, plus these.
        case now(seconds: Int64)
    }
    package let pieces: [Piece]

    /// - Parameter kept: names that a flow has kept so far.
    package init(_ text: String, kept: Set<String> = []) {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            literal += rest[..<open]
            rest = rest[rest.index(after: open)...]
            // Looking further for the end of each of a million braces would never end.
            let near = rest.prefix(Self.longestName + 1)
            if let close = near.firstIndex(of: "}"), let piece = Self.piece(String(near[..<close]), kept) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                pieces.append(piece)
                rest = rest[rest.index(after: close)...]
            } else {
                literal += "{"
            }
        }
        literal += rest
        if !literal.isEmpty || pieces.isEmpty { pieces.append(.literal(literal)) }
        self.pieces = pieces
    }

    private static let longestName = 64
    package static let names = ["user", "credential", "canary", "uuid", "n"]

    private static func piece(_ word: String, _ kept: Set<String>) -> Piece? {
        if names.contains(word) || kept.contains(word) { return .variable(word) }
        guard word.hasPrefix("now") else { return nil }
        let offset = word.dropFirst(3)
        if offset.isEmpty { return .now(seconds: 0) }
        guard let sign = offset.first, sign == "+" || sign == "-" else { return nil }
        guard let length = DurationText.parse(String(offset.dropFirst())) else { return nil }
        let seconds = length.components.seconds
        return .now(seconds: sign == "-" ? 0 - seconds : seconds)
    }

    package var hasVariables: Bool { pieces.contains { if case .literal = $0 { false } else { true } } }

    /// - Parameters:
    ///   - now: seconds since 1970, from whoever has a clock.
    ///   - value: what a variable stands for; nil leaves its braces as they are.
    /// - Returns: the value itself when the text is one variable and nothing else (`{now}` is then a number), else a
    ///   string.
    package func filled(now: Int64, _ value: (String) -> JSON?) -> JSON {
        if pieces.count == 1, let only = pieces.first {
            switch only {
            case .literal(let text): return .string(text)
            case .now(let seconds): return .number("\(now &+ seconds)")
            case .variable(let name): return value(name) ?? .string("{\(name)}")
            }
        }
        var text = ""
        for piece in pieces {
            switch piece {
            case .literal(let part): text += part
            case .now(let seconds): text += "\(now &+ seconds)"
            case .variable(let name): text += value(name).map { $0.string ?? $0.text } ?? "{\(name)}"
            }
        }
        return .string(text)
    }

    /// Fills every string of a value, keys excepted. The value's depth is bounded by the file it stands in (L6).
    package static func fill(_ value: JSON, kept: Set<String> = [], now: Int64, _ variable: (String) -> JSON?) -> JSON {
        switch value {
        case .string(let text): Template(text, kept: kept).filled(now: now, variable)
        case .array(let items): .array(items.map { fill($0, kept: kept, now: now, variable) })
        case .object(let members):
            .object(members.map { .init(key: $0.key, value: fill($0.value, kept: kept, now: now, variable)) })
        case .null, .bool, .number: value
        }
    }
}

/// A message of a flow, to see whether a request is one of it, unchanged but for variables.
struct FlowTemplate: Sendable, Hashable {
    private let form: Form

    /// The message with its strings taken apart.
    private indirect enum Form: Sendable, Hashable {
        case pieces([Template.Piece])
        case object([Member])
        case array([Form])
        case value(JSON)

        struct Member: Sendable, Hashable {
            var key: String
            var form: Form
        }

        init(_ template: JSON, kept: Set<String>) {
            switch template {
            case .string(let text):
                let parsed = Template(text, kept: kept)
                self = parsed.hasVariables ? .pieces(parsed.pieces) : .value(template)
            case .object(let members): self = .object(members.map { Member(key: $0.key, form: Form($0.value, kept: kept)) })
            case .array(let elements): self = .array(elements.map { Form($0, kept: kept) })
            case .null, .bool, .number: self = .value(template)
            }
        }
    }

    /// - Parameter kept: names that its flow has kept before.
    init(_ template: JSON, kept: Set<String> = []) { form = Form(template, kept: kept) }

    /// - Parameter user: what `{user}` must stand for; nil = anything.
    func matches(_ message: JSON, user: String? = nil) -> Bool { Self.matches(form, message, user) }

    private static func matches(_ form: Form, _ message: JSON, _ user: String?) -> Bool {
        switch (form, message) {
        case (.pieces(let pieces), _):
            let found: String
            switch message {
            case .string(let text): found = text
            // One variable alone may stand for a number.
            case .number(let text) where pieces.count == 1: found = text
            default: return false
            }
            return fits(pieces[...], found[...], user)
        case (.object(let wanted), .object(let found)):
            return wanted.count == found.count
                && wanted.allSatisfy { member in message[member.key].map { matches(member.form, $0, user) } ?? false }
        case (.array(let wanted), .array(let found)):
            return wanted.count == found.count && zip(wanted, found).allSatisfy { matches($0, $1, user) }
        case (.value(.string(let wanted)), .string(let found)): return wanted == found
        case (.value(let wanted), _): return wanted.isSame(as: message)
        case (.object, _), (.array, _): return false
        }
    }

    /// Piece by piece; each variable has the form that we give it, so that one which somebody changed is no flow's.
    private static func fits(_ pieces: ArraySlice<Template.Piece>, _ text: Substring, _ user: String?) -> Bool {
        var rest = text
        for (index, piece) in zip(pieces.indices, pieces) {
            let length: Int?
            switch piece {
            case .literal(let part): length = rest.hasPrefix(part) ? part.count : nil
            case .now, .variable("n"): length = count(rest) { ("0"..."9").contains($0) }
            case .variable("user") where user != nil: length = rest.hasPrefix(user ?? "") ? user?.count : nil
            case .variable("canary"):
                length = Canary.all(in: Array(rest.utf8.prefix(Canary.length))).first.flatMap { canary in
                    rest.hasPrefix(canary.text) ? canary.text.count : nil
                }
            case .variable("uuid"): length = count(rest.prefix(36), 36) { isWordCharacter($0) || $0 == "-" }
            case .variable:
                if case .literal(let next)? = pieces.dropFirst(index - pieces.startIndex + 1).first {
                    length = rest.firstRange(of: next).map { rest.distance(from: rest.startIndex, to: $0.lowerBound) }
                } else {
                    length = rest.count
                }
            }
            guard let length, length > 0 else { return false }
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty
    }

    private static func isWordCharacter(_ character: Character) -> Bool {
        ("a"..."z").contains(character) || ("0"..."9").contains(character)
    }

    /// How many characters from the start are of a kind; nil when these are none, or not so many as must be.
    private static func count(_ text: Substring, _ wanted: Int? = nil, _ isOne: (Character) -> Bool) -> Int? {
        let count = text.prefix(while: isOne).count
        return count > 0 && count == wanted ?? count ? count : nil
    }
}
