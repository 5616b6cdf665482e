package import Wire

/// What the oracle asks of a contract about single messages.
extension Contract {
    /// The run's key in a message; nil when no key path yields a value.
    package func key(of run: RunRule, in message: JSON) -> JSON? { run.key.value(in: message) }

    package func run(named name: String) -> RunRule? { runs.first { $0.name == name } }

    package func isError(event name: String) -> Bool { errors?.event.contains(name) ?? false }

    /// The text form of the error's kind: a string as it is, a number in its shortest form.
    package func errorKind(of message: JSON) -> String? {
        guard let value = errors?.kind?.value(in: message) else { return nil }
        return value.string ?? value.canonical
    }

    /// An event that means success: named in states, parts or answers, and no error.
    package func isSuccess(_ event: Recognition) -> Bool {
        guard let name = event.name, !isError(event: name) else { return false }
        if let declaredSuccess {
            return declaredSuccess.contains { $0.names(isRequest: false, name: name, type: event.type) }
        }
        if success.contains(name) || event.type.map(success.contains) ?? false { return true }
        return runs.contains { $0.names(isRequest: false, name: name, type: event.type) }
    }

    /// Close codes that end runs well.
    package var cleanCloses: [Int] {
        if let session { return session.clean }
        let well = [1000, 1001]
        return well + (auth ?? AuthRules()).close.filter { !well.contains($0) }
    }

    /// The flow that a healthy server completes; nil without flows.
    package var healthFlow: Flow? { health.flatMap { name in flows.first { $0.name == name } } ?? flows.first }

    /// Undeclared events fail: said, or because there are declared ones.
    package var unknownEventsFail: Bool { wire.unknownFails ?? !events.isEmpty }

    /// How long the outcome of a rule may take.
    package func bound(of rule: RejectRule) -> Duration { rule.within ?? errors?.within ?? deadline }

    /// How long the answer to a request may take.
    package func bound(of request: MessageRule) -> Duration { request.within ?? deadline }
}

extension RejectRule {
    /// Whether an error event of that kind (nil = it has none) is an outcome of this rule.
    package func allows(kind: String?) -> Bool {
        outcomes.contains { outcome in
            switch outcome {
            case .anyError: true
            case .kind(let wanted): wanted == kind
            case .anyClose, .close, .silence, .accepted: false
            }
        }
    }

    /// Whether a Close frame with that code is an outcome of this rule.
    package func allows(close code: Int) -> Bool {
        outcomes.contains { outcome in
            switch outcome {
            case .anyClose: [1002, 1003, 1007, 1008, 1009].contains(code) || (4000...4999).contains(code)
            case .close(let wanted): wanted == code
            case .anyError, .kind, .silence, .accepted: false
            }
        }
    }
}

extension LinkPath {
    package enum Comparison: Sendable, Hashable { case equal, unequal, incomparable }

    /// Comparable only when both sides have a value.
    package func compare(request: JSON, event: JSON) -> Comparison {
        guard let left = self.request.value(in: request), let right = self.event.value(in: event) else {
            return .incomparable
        }
        return left.isSame(as: right) ? .equal : .unequal
    }
}

extension MessageName {
    /// Whether it names this message. An exact name is compared with the declared name and the type value; a glob is
    /// tried on the type value, or on the declared name without `wire.type`.
    package func names(isRequest: Bool, name: String?, type: String?) -> Bool {
        guard self.isRequest == isRequest else { return false }
        if glob.isExact { return glob.text == name || glob.text == type }
        return (type ?? name).map(glob.matches) ?? false
    }

    /// Exact names before globs, else in file order.
    static func first<Item>(
        of items: [Item], _ name: (Item) -> MessageName, where holds: (MessageName) -> Bool
    ) -> Item? {
        items.first { name($0).glob.isExact && holds(name($0)) } ?? items.first { holds(name($0)) }
    }
}

extension RunRule {
    /// The state's edge for this message; exact names before globs, then file order.
    package func edge(from state: String, isRequest: Bool, name: String?, type: String?) -> Edge? {
        guard let state = states.first(where: { $0.name == state }) else { return nil }
        return MessageName.first(of: state.edges, \.name) { $0.names(isRequest: isRequest, name: name, type: type) }
    }

    /// Whether an edge or part of this run names the message.
    package func names(isRequest: Bool, name: String?, type: String?) -> Bool {
        states.contains { $0.edges.contains { $0.name.names(isRequest: isRequest, name: name, type: type) } }
            || parts.contains { part in
                ([part.start, part.end] + part.inside).contains { $0.names(isRequest: isRequest, name: name, type: type) }
            }
    }

    /// Messages of the client are edges too.
    package var hasRequestEdges: Bool { states.contains { $0.edges.contains(where: \.name.isRequest) } }

    package func isHot(_ state: String) -> Bool { hot.contains { $0.state == state } }

    /// The initial state's name.
    package var initial: String? { states.first?.name }
}
