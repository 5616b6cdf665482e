import Contracts
import Journaling
package import Plans

/// What a plan of the fuzzer may not exceed.
package enum PlanBounds {
    package static let mostSteps = 400
    package static let mostUsers = 8
    /// All guards of a plan together, when none of them holds.
    package static let guardTime = Duration.seconds(60)
    /// Below this no guard is cut.
    static let shortestGuard = Duration.milliseconds(20)
}

/// A connection of a user, as steps name it: `alice` or `alice.phone`.
package struct Actor: Sendable, Hashable {
    package var user: String
    package var connection: String?
    package init(_ user: String, connection: String? = nil) {
        self.user = user
        self.connection = connection
    }
}

extension Plan.Step {
    package var actor: Actor? { user.map { Actor($0, connection: acting) } }
}

extension Plan.Verb {
    /// Ends its connection.
    package var ends: Bool {
        switch self {
        case .close, .cut: true
        default: false
        }
    }

    /// `until open`, alone or with others.
    package var awaitsOpen: Bool {
        if case .until(let events, _) = self { events.contains("open") } else { false }
    }

    package var guardTime: Duration {
        switch self {
        case .until(_, let bound): bound
        case .quiet(let length): length
        default: .zero
        }
    }
}

/// Where things are in a plan. Places are indices into `steps`.
extension Plan {
    /// Connections that are opened, in the order in which they are.
    package var actors: [Actor] {
        var known: Set<Actor> = []
        return steps.compactMap { step in
            guard case .connect = step.verb, let actor = step.actor, known.insert(actor).inserted else { return nil }
            return actor
        }
    }

    /// Those that wait for their upgrade to be accepted; else all. A frame makes sense only there.
    package var openActors: [Actor] {
        let open = actors.filter { actor in steps.contains { $0.actor == actor && $0.verb.awaitsOpen } }
        return open.isEmpty ? actors : open
    }

    package func places(of actor: Actor) -> [Int] { steps.indices.filter { steps[$0].actor == actor } }

    /// Messages of one user, or of all.
    package func sends(of user: String? = nil) -> [Int] {
        steps.indices.filter { steps[$0].verb.sends && (user == nil || steps[$0].user == user) }
    }

    /// The guard that waits for what the message there causes: the actor's next one before its next message.
    package func guardBehind(_ place: Int) -> Int? {
        guard steps.indices.contains(place) else { return nil }
        let actor = steps[place].actor
        for next in steps.indices.dropFirst(place + 1) where steps[next].actor == actor {
            return steps[next].verb.isGuard ? next : nil
        }
        return nil
    }

    /// Where a step of that actor may be put so that its connection is open if all goes well: from behind its way in
    /// to before it is ended, or behind its last step. Nil when it never connects.
    package func openRange(of actor: Actor) -> ClosedRange<Int>? {
        let mine = places(of: actor)
        guard let entry = mine.first(where: { steps[$0].verb.awaitsOpen }) ?? mine.first(where: { steps[$0].verb.opens })
        else { return nil }
        let end = mine.first { $0 > entry && steps[$0].verb.ends }
        return entry + 1...(end ?? max(entry, mine.last ?? entry) + 1)
    }

    /// The end of the actor's valid prefix: behind its last message or guard on the open connection.
    package func prefixEnd(of actor: Actor) -> Int? {
        guard let range = openRange(of: actor) else { return nil }
        let last = places(of: actor).last { place in
            place < range.upperBound && (steps[place].verb.sends || steps[place].verb.isGuard)
        }
        return max(range.lowerBound, (last ?? -1) + 1)
    }

    /// Steps that a barrier names.
    package var barred: Set<Int> {
        var labels: Set<Int> = []
        for step in steps { if case .together(let named) = step.verb { labels.formUnion(named) } }
        return Set(steps.indices.filter { labels.contains(steps[$0].number) })
    }

    /// All guards together.
    package var guardTime: Duration { steps.reduce(.zero) { $0 + $1.verb.guardTime } }
}

/// Changes. Labels of new steps are new ones; `settled` puts them in order.
extension Plan {
    package var freeNumber: Int { (steps.map(\.number).max() ?? 0) + 1 }

    package mutating func insert(_ verbs: [Verb], by actor: Actor, at place: Int) {
        let first = freeNumber
        let new = verbs.enumerated().map { offset, verb in
            let isConnect = if case .connect = verb { true } else { false }
            return Step(
                number: first + offset, user: actor.user, connection: isConnect ? nil : actor.connection, verb: verb)
        }
        steps.insert(contentsOf: new, at: min(max(0, place), steps.count))
    }

    /// Copies of steps under new labels.
    package mutating func insert(copies: [Step], at place: Int) {
        let first = freeNumber
        var new = copies
        for index in new.indices { new[index].number = first + index }
        steps.insert(contentsOf: new, at: min(max(0, place), steps.count))
    }

    package mutating func remove(_ places: Set<Int>) {
        steps = steps.indices.filter { !places.contains($0) }.map { steps[$0] }
    }

    /// A user that is not there yet; nil when there are enough, or when no credential can be had for one.
    /// - Parameter model: whose credential's place it takes.
    package mutating func addUser(like model: String?, in workshop: Workshop) -> String? {
        guard users.count < PlanBounds.mostUsers else { return nil }
        let further = workshop.canMint ? (1...PlanBounds.mostUsers).map { "user\($0)" } : []
        let name = (workshop.users + further).first { name in !users.contains { $0.name == name } }
        guard let name else { return nil }
        let credential =
            users.first { $0.name == model }.flatMap { CredentialPlan($0.credential)?.place.rawValue }
            ?? workshop.credentialPlaces.first?.rawValue ?? "none"
        users.append(User(name: name, credential: credential))
        return name
    }

    /// Steps as another user would take them: own values become the other's.
    package static func renamed(_ step: Step, from old: String, to new: String) -> Step {
        var step = step
        if step.user == old { step.user = new }
        step.verb = step.verb.mappingTexts { ReferenceText.renamed($0, from: old, to: new) }
        return step
    }
}

extension Plan.Verb {
    /// With every text that may hold references changed.
    package func mappingTexts(_ change: (String) -> String) -> Self {
        switch self {
        case .connect(let path, let name, let headers):
            .connect(
                path: change(path), as: name,
                headers: headers.map { Plan.Header(name: $0.name, value: change($0.value)) })
        case .send(let json): .send(change(json))
        case .sendText(let text): .sendText(change(text))
        case .reconnect(let cursor): .reconnect(cursor: cursor.map(change))
        case .frames(let frames):
            .frames(
                frames.map { frame in
                    var frame = frame
                    if case .text(let text) = frame.payload { frame.payload = .text(change(text)) }
                    return frame
                })
        default: self
        }
    }
}

/// References in texts of a plan: `$alice.id`, `$run1.thread_id`.
package enum ReferenceText {
    /// `$old.x` as `$new.x`; `$$` stands for the sign itself.
    package static func renamed(_ text: String, from old: String, to new: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let wanted = Array(("$" + old + ".").utf8)
        var bytes = Array(text.utf8)[...]
        var result: [UInt8] = []
        while let byte = bytes.first {
            if byte == UInt8(ascii: "$"), bytes.starts(with: wanted) {
                result += Array(("$" + new + ".").utf8)
                bytes = bytes.dropFirst(wanted.count)
            } else if byte == UInt8(ascii: "$"), bytes.dropFirst().first == UInt8(ascii: "$") {
                result += [byte, byte]
                bytes = bytes.dropFirst(2)
            } else {
                result.append(byte)
                bytes = bytes.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Bytes of members' names, as references have them.
    static func isNameByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
            || (0x61...0x7a).contains(byte)
    }

    /// A text that stays what it is where references and variables are looked for.
    package static func literal(_ text: String) -> String {
        TemplateText.escaped(text)
    }
}

extension Workshop {
    /// Where this contract lets a credential travel at the upgrade, in its order.
    package var credentialPlaces: [CredentialPlan.Place] {
        var places: [CredentialPlan.Place] = []
        for place in contract.identity.credential {
            let found: CredentialPlan.Place? =
                switch place.kind {
                case .header: .header
                case .query: .query
                case .cookie: .cookie
                case .subprotocol: .subprotocol
                default: nil
                }
            if let found, !places.contains(found) { places.append(found) }
        }
        return places
    }

    /// The longest that the contract lets anything take; no guard waits longer.
    package var longestGuard: Duration {
        var bounds = [contract.deadline, .seconds(2)]
        bounds += contract.requests.compactMap(\.within) + contract.reject.compactMap(\.within)
        bounds += contract.runs.flatMap { $0.hot.compactMap(\.within) + $0.parts.compactMap(\.within) }
        bounds += [contract.auth?.within, contract.session?.within, contract.errors?.within].compactMap(\.self)
        for case .await(_, let within?, _, _) in contract.flows.flatMap(\.steps) { bounds.append(within) }
        return min(bounds.max() ?? .seconds(5), PlanBounds.guardTime)
    }
}
