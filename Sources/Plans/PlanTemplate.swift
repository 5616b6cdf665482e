package import Wire

/// A value that an earlier message bound: `$run1.thread_id`, `$bob.run1.run_id`, `$alice.id`.
package struct Reference: Sendable, Hashable {
    /// Nil = the user whose step it is.
    package var user: String?
    /// The user's run, from 1, in the order in which their first events reached that user.
    package var run: Int?
    /// Members to walk down; never empty.
    package var path: [String]
    /// As written, without `$`.
    package var text: String
}

/// What we make up when a message is sent (contract.md, "Variables"). Any other text in braces is literal.
package enum Variable: Sendable, Hashable {
    case user, credential, canary, uuid, n
    /// Seconds since 1970, moved by that many.
    case now(Int64)

    /// Reads what stands between braces.
    package init?(_ text: String) {
        switch text {
        case "user": self = .user
        case "credential": self = .credential
        case "canary": self = .canary
        case "uuid": self = .uuid
        case "n": self = .n
        case "now": self = .now(0)
        default:
            guard text.hasPrefix("now+") || text.hasPrefix("now-"),
                let shift = PlanDuration.parse(String(text.dropFirst(4)))
            else { return nil }
            let seconds = shift.components.seconds
            self = .now(text.hasPrefix("now-") ? -seconds : seconds)
        }
    }
}

/// A text with places for values: a message, a path or a header of a plan, or a message of a contract's flow.
package struct PlanTemplate: Sendable, Equatable {
    package enum Piece: Sendable, Equatable {
        case literal(String)
        /// Stands where a JSON value does.
        case value(Reference)
        /// Stands inside a text (of JSON, when `isJSON`).
        case text(Reference)
        case variable(Variable)
    }
    package struct Malformed: Error, Sendable, Equatable {
        /// In characters from the template's start.
        package var offset: Int
        package var reason: String
    }
    package struct Unbound: Error, Sendable, Equatable {
        package var reference: String
    }

    package private(set) var pieces: [Piece] = []
    package let isJSON: Bool

    /// Plain text: references and variables stand anywhere.
    package init(text: String) {
        isJSON = false
        var builder = TemplateBuilder(text, isJSON: false)
        pieces = builder.build()
    }

    /// JSON, with references also in place of values.
    package init(json: String) throws(Malformed) {
        isJSON = true
        var builder = TemplateBuilder(json, isJSON: true)
        pieces = builder.build()
        let sample = pieces.reduce(into: "") { text, piece in
            switch piece {
            case .literal(let part): text += part
            case .value(let reference): text += "0" + String(repeating: " ", count: reference.text.count)
            case .text(let reference): text += String(repeating: "x", count: reference.text.count + 1)
            case .variable: text += "x"
            }
        }
        do { _ = try JSON.parse(sample) } catch {
            if error.tolerated { return }
            let bytes = Array(sample.utf8.prefix(max(0, error.offset)))
            throw Malformed(offset: String(decoding: bytes, as: UTF8.self).unicodeScalars.count, reason: error.reason)
        }
    }

    /// Names that stand first in a reference: users and `run1`.
    package var names: [String] {
        pieces.compactMap { piece in
            switch piece {
            case .value(let reference), .text(let reference):
                reference.user ?? reference.run.map { "run\($0)" }
            default: nil
            }
        }
    }

    package var references: [Reference] {
        pieces.compactMap { piece in
            switch piece {
            case .value(let reference), .text(let reference): reference
            default: nil
            }
        }
    }

    /// The text with every place filled in.
    package func render(
        value: (Reference) -> JSON?, variable: (Variable) -> String
    ) throws(Unbound) -> String {
        var result = ""
        for piece in pieces {
            switch piece {
            case .literal(let text): result += text
            case .variable(let name): result += inside(variable(name))
            case .value(let reference):
                guard let found = value(reference) else { throw Unbound(reference: "$" + reference.text) }
                result += found.text
            case .text(let reference):
                guard let found = value(reference) else { throw Unbound(reference: "$" + reference.text) }
                result += inside(found.string ?? found.text)
            }
        }
        return result
    }

    private func inside(_ text: String) -> String {
        isJSON ? String(JSONText.quoted(text).dropFirst().dropLast()) : text
    }
}

/// Cuts a text into pieces, one pass, no recursion. All that it looks for is ASCII, so that bytes will do.
private struct TemplateBuilder {
    private let bytes: [UInt8]
    private let isJSON: Bool
    private var index = 0
    private var inString = false
    /// Begins here in `bytes`; what was taken out of it before is in `literal`.
    private var start = 0
    private var literal: [UInt8] = []
    private var pieces: [PlanTemplate.Piece] = []

    init(_ text: String, isJSON: Bool) {
        bytes = Array(text.utf8)
        self.isJSON = isJSON
    }

    mutating func build() -> [PlanTemplate.Piece] {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\"") where isJSON: inString.toggle()
            case UInt8(ascii: "\\") where isJSON && inString && index + 1 < bytes.count: index += 1
            case UInt8(ascii: "$") where at(1) == UInt8(ascii: "$") && (inString || !isJSON):
                keep()
                index += 1
                start = index
            case UInt8(ascii: "$"):
                let before = index
                if let reference = reference() {
                    add(isJSON && !inString ? .value(reference) : .text(reference), from: before)
                    continue
                }
            case UInt8(ascii: "{") where inString || !isJSON:
                let before = index
                if let variable = variable() {
                    add(.variable(variable), from: before)
                    continue
                }
            default: break
            }
            index += 1
        }
        flush()
        return pieces
    }

    private func at(_ offset: Int) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    /// Takes what stands before the index into the literal.
    private mutating func keep() {
        if start < index { literal += bytes[start..<index] }
        start = index
    }

    private mutating func flush() {
        keep()
        if !literal.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
        literal = []
    }

    /// The index stands behind the piece, which began at `before`.
    private mutating func add(_ piece: PlanTemplate.Piece, from before: Int) {
        let end = index
        index = before
        flush()
        index = end
        start = end
        pieces.append(piece)
    }

    /// `name.name[.name…]` behind `$`; leaves the index alone when it is none.
    private mutating func reference() -> Reference? {
        var position = index + 1
        var names: [String] = []
        while let name = name(at: &position, hyphen: names.isEmpty) {
            names.append(name)
            guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { break }
            position += 1
        }
        if position > index, position <= bytes.count, bytes[position - 1] == UInt8(ascii: ".") { position -= 1 }
        guard names.count >= 2 else { return nil }
        let text = names.joined(separator: ".")
        var reference = Reference(user: nil, run: nil, path: [], text: text)
        if let run = runNumber(names[0]) {
            reference.run = run
            reference.path = Array(names.dropFirst())
        } else {
            reference.user = names[0]
            reference.run = names.count > 2 ? runNumber(names[1]) : nil
            reference.path = Array(names.dropFirst(reference.run == nil ? 1 : 2))
        }
        index = position
        return reference
    }

    /// Users' names may hold `-`, members' names may not, so that `$run1.id-x` ends where it looks like it.
    private func name(at position: inout Int, hyphen: Bool) -> String? {
        let first = position
        while position < bytes.count,
            isNameStart(bytes[position])
                || position > first && (isDigit(bytes[position]) || hyphen && bytes[position] == UInt8(ascii: "-"))
        { position += 1 }
        return position > first ? String(decoding: bytes[first..<position], as: UTF8.self) : nil
    }

    private static let longestVariable = 24

    private mutating func variable() -> Variable? {
        let first = index + 1
        let limit = min(bytes.count, first + Self.longestVariable)
        guard let end = bytes[first..<max(first, limit)].firstIndex(of: UInt8(ascii: "}")),
            let variable = Variable(String(decoding: bytes[first..<end], as: UTF8.self))
        else { return nil }
        index = end + 1
        return variable
    }
}
