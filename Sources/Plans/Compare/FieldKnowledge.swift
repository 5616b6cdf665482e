package import Contracts
import Journaling
package import Wire

/// What is known of the fields of messages: which the contract declares to be ids or not to matter, and which the
/// recording itself shows to be made anew each time.
package struct FieldKnowledge: Sendable {
    enum Role: Equatable {
        case volatile
        /// An id: `name` for people, `space` within which it is unique.
        case identity(name: String, space: String)
    }
    private enum Learnt { case growing, fraction, alike }
    private struct Field: Hashable {
        var message: String
        var place: String
    }
    private struct Examples {
        var values: [JSON] = []
        /// Where sessions end among the values.
        var borders: [Int] = []

        mutating func add(_ value: JSON) { if values.count < FieldKnowledge.mostExamples { values.append(value) } }
        mutating func end() { borders.append(values.count) }
    }

    private let volatile: [Path]
    private let ids: [IdentifierRule]
    private let runs: [RunRule]
    private let links: [Path]
    private var learnt: [Field: Learnt] = [:]
    private static let mostFields = 10_000
    private static let mostExamples = 1_000

    /// - Parameter direction: whose messages these are.
    package init(contract: Contract?, recorded talks: [Talk], _ direction: Direction = .toClient) {
        volatile = contract?.volatile ?? []
        ids = contract?.identity.ids ?? []
        runs = contract?.runs ?? []
        links = (contract?.link ?? []).map { direction == .toClient ? $0.event : $0.request }
        var examples: [Field: Examples] = [:]
        var order: [Field] = []
        for talk in talks {
            for said in direction == .toClient ? talk.answers : talk.requests {
                guard let value = said.value else { continue }
                for leaf in JSONPlace.leaves(of: value) {
                    let field = Field(message: said.name ?? "", place: leaf.place.general)
                    if examples[field] == nil {
                        guard examples.count < Self.mostFields else { continue }
                        order.append(field)
                    }
                    examples[field, default: Examples()].add(leaf.value)
                }
            }
            for field in order { examples[field]?.end() }
        }
        for (field, seen) in examples {
            if let form = Self.form(seen) { learnt[field] = form }
        }
    }

    /// Only what differs within the recording, and in a form that says why, is taken for made anew.
    private static func form(_ seen: Examples) -> Learnt? {
        let values = seen.values
        guard values.count >= 2, Set(values).count >= 2 else { return nil }
        let texts = values.compactMap(\.string)
        if texts.count == values.count {
            guard let first = texts.first, texts.allSatisfy({ $0 == first || ValueShape.alike(first, $0) }) else { return nil }
            return .alike
        }
        let numbers = values.compactMap(\.double)
        guard numbers.count == values.count, numbers.allSatisfy(\.isFinite) else { return nil }
        if Set(numbers).count == numbers.count, numbers.allSatisfy({ $0 >= 0 }), values.allSatisfy(hasFraction) {
            return .fraction
        }
        var isGrowing = false
        var start = 0
        for border in seen.borders {
            let part = numbers[start..<max(start, border)]
            guard zip(part, part.dropFirst()).allSatisfy({ $0 <= $1 }) else { return nil }
            // Three that go up, or two in each of several sessions.
            if Set(part).count >= 3 || Set(part).count == 2 && seen.borders.count > 1 { isGrowing = true }
            start = max(start, border)
        }
        return isGrowing ? .growing : nil
    }

    private static func hasFraction(_ value: JSON) -> Bool {
        guard case .number(let text) = value, let dot = text.firstIndex(of: ".") else { return false }
        return text[dot...].utf8.count >= 3
    }

    /// What the contract says about places of this message.
    /// - Parameter run: tells runs apart, for ids that are unique in a run only.
    func roles(in message: JSON, run: String) -> [JSONPlace: Role] {
        var roles: [JSONPlace: Role] = [:]
        for link in links {
            guard let place = link.places(in: message).first else { continue }
            roles[place] = .identity(name: Self.short(place), space: "")
        }
        for rule in runs {
            for part in rule.parts {
                if let place = part.key.place(in: message) { roles[place] = .identity(name: part.name, space: run) }
            }
            if let place = rule.key.place(in: message) { roles[place] = .identity(name: rule.name, space: "") }
        }
        for rule in ids {
            for path in rule.at {
                for place in path.places(in: message) { roles[place] = .identity(name: rule.name, space: "") }
            }
        }
        for path in volatile {
            for place in path.places(in: message) { roles[place] = .volatile }
        }
        return roles
    }

    /// The role of a place, or of the list or object in which it stands.
    static func role(at place: JSONPlace, in roles: [JSONPlace: Role]) -> Role? {
        guard !roles.isEmpty else { return nil }
        for length in (0...place.steps.count).reversed() {
            if let role = roles[JSONPlace(Array(place.steps.prefix(length)))] { return role }
        }
        return nil
    }

    /// `request` for `request_id`.
    static func short(_ place: JSONPlace) -> String {
        let name = place.lastName ?? "value"
        for tail in ["_id", "Id", "ID"] where name.hasSuffix(tail) && name.count > tail.count {
            return String(name.dropLast(tail.count))
        }
        return name
    }

    /// Whether the recording shows that this field of this message is made anew each time, in such a form as these two.
    func isRenewed(_ name: String?, _ place: JSONPlace, _ recorded: JSON, _ now: JSON) -> Bool {
        switch learnt[Field(message: name ?? "", place: place.general)] {
        case nil: return false
        case .growing:
            guard let old = recorded.double, let new = now.double else { return false }
            return (old < 0) == (new < 0) && Self.hasFraction(recorded) == Self.hasFraction(now)
        case .fraction:
            guard let new = now.double else { return false }
            return new >= 0
        case .alike:
            guard let old = recorded.string, let new = now.string else { return false }
            return ValueShape.alike(old, new)
        }
    }

    func isLearnt(_ name: String?, _ place: JSONPlace) -> Bool {
        learnt[Field(message: name ?? "", place: place.general)] != nil
    }
}
