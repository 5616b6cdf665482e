import Wire

/// The types of one direction, in the order in which they were first seen.
struct KindTable: Sendable {
    private(set) var kinds: [KindTally] = []
    private var index: [String: Int] = [:]
    /// Types beyond those that are kept.
    private(set) var left = 0

    mutating func place(_ name: String, _ scale: InferenceScale) -> Int? {
        if let known = index[name] { return known }
        guard kinds.count < scale.kinds else {
            left += 1
            return nil
        }
        index[name] = kinds.count
        kinds.append(KindTally(name: name))
        return kinds.count - 1
    }

    func place(of name: String) -> Int? { index[name] }

    mutating func take(_ message: JSON, _ kind: Int, _ scale: InferenceScale) { kinds[kind].take(message, scale) }
}

/// How a message is called.
struct InferredTypes: Sendable {
    private let event: Path?
    private let request: Path?
    /// Without a type all messages of a direction are one.
    static let only = "message"

    init(_ plan: InferenceSurvey.Plan) {
        event = plan.eventType.flatMap { try? Path($0) }
        request = plan.requestType.flatMap { try? Path($0) }
    }

    func name(of message: JSON, _ direction: Direction) -> String? {
        guard let path = direction == .toServer ? request : event else { return Self.only }
        guard let text = path.value(in: message)?.string, InferredName.isType(text, longest: 64) else { return nil }
        return text
    }
}

/// The scalars of a message that may be identifiers, with their paths: of objects only, three deep.
enum ScalarWalk {
    static func scalars(of message: JSON, _ scale: InferenceScale) -> [(path: String, text: String)] {
        var found: [(String, String)] = []
        walk(message, "", scale.fieldDepth, scale, &found)
        return found
    }

    private static func walk(
        _ value: JSON, _ outer: String, _ depth: Int, _ scale: InferenceScale, _ found: inout [(String, String)]
    ) {
        guard depth > 0, case .object(let members) = value else { return }
        for member in members.prefix(scale.fieldsOfKind) where found.count < scale.fieldsOfKind {
            guard let step = InferredName.step(member.key) else { continue }
            let path = InferredName.join(outer, step)
            switch member.value {
            case .string(let text) where !text.isEmpty && text.utf8.count <= scale.longestValue: found.append((path, text))
            case .number: if !InferredName.isInstant(member.value) { found.append((path, member.value.canonical)) }
            case .object: walk(member.value, path, depth - 1, scale, &found)
            default: break
            }
        }
    }
}
