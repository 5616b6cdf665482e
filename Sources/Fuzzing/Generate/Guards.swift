import Contracts
package import Plans

/// What to wait for behind a message, so that the next step meets a server that has answered.
package struct Guards: Sendable {
    private let contract: Contract
    package let labels: StaticLabels

    /// A message of which nothing is promised is given so long.
    static let nothingPromised = Duration.milliseconds(250)
    /// Longest wait for what need not come.
    static let longestDoubt = Duration.seconds(2)

    package init(_ workshop: Workshop) {
        contract = workshop.contract
        labels = StaticLabels(workshop)
    }

    /// The guard behind that message.
    package func behind(_ verb: Plan.Verb) -> Plan.Verb {
        guard let read = labels.recognise(verb) else { return refusal(within: errorBound) }
        switch labels.label(read) {
        case .mustReject(let index, _):
            guard contract.reject.indices.contains(index) else { return refusal(within: errorBound) }
            let rule = contract.reject[index]
            if rule.outcomes == [.silence] { return .quiet(Self.nothingPromised) }
            return refusal(within: contract.bound(of: rule))
        case .mayAccept: return outcome(of: read, longest: Self.longestDoubt)
        case .mustAccept: return outcome(of: read, longest: nil)
        }
    }

    /// An error event or a Close.
    package func refusal(within bound: Duration) -> Plan.Verb { .until([any(errors + ["closed"])], within: bound) }

    package var errorBound: Duration { contract.errors?.within ?? min(contract.deadline, .seconds(1)) }

    /// Refused before or behind the upgrade, or by an error event.
    package var rejection: Plan.Verb {
        .until([any(["refused", "closed"] + errors)], within: contract.auth?.within ?? Self.longestDoubt)
    }

    /// The first sign that a request was taken, for steps that shall overlap with its run.
    package func firstSign(of verb: Plan.Verb) -> Plan.Verb {
        guard let read = labels.recognise(verb), let rule = rule(of: read) else { return behind(verb) }
        let names = run(of: rule).map(Self.firstEvents) ?? []
        if names.isEmpty { return behind(verb) }
        return .until([any(names + errors + ["closed"])], within: min(bound(of: rule), Self.longestDoubt))
    }

    /// Adds what a refusal looks like to a guard that waits for something else, and shortens it to what a refusal may
    /// take: what the guard waited for will not come.
    package func admittingRefusal(_ verb: Plan.Verb) -> Plan.Verb {
        guard case .until(let names, let bound) = verb else { return verb }
        return .until([orRefusal(names).first ?? any(errors + ["closed"])], within: min(bound, errorBound))
    }

    /// Each of these names, or what a refusal looks like.
    package func orRefusal(_ names: [String]) -> [String] {
        names.map { any($0.split(separator: "|").map { String($0) } + errors + ["closed"]) }
    }

    private var errors: [String] { (contract.errors?.event ?? []).filter(isGuardName) }

    private func outcome(of read: Recognition, longest: Duration?) -> Plan.Verb {
        guard let rule = rule(of: read) else { return refusal(within: min(errorBound, Self.longestDoubt)) }
        var names = rule.answer.filter(isGuardName)
        if let run = run(of: rule) { names += Self.lastEvents(run, errors) }
        guard !names.isEmpty else { return refusal(within: min(errorBound, Self.nothingPromised)) }
        let bound = bound(of: rule)
        return .until([any(names + errors + ["closed"])], within: longest.map { min($0, bound) } ?? bound)
    }

    private func rule(of read: Recognition) -> MessageRule? {
        read.rule.flatMap { contract.requests.indices.contains($0) ? contract.requests[$0] : nil }
    }

    private func run(of rule: MessageRule) -> RunRule? { rule.starts.flatMap { contract.run(named: $0) } }

    private func bound(of rule: MessageRule) -> Duration {
        guard let run = run(of: rule) else { return contract.bound(of: rule) }
        let hot = run.hot.compactMap(\.within)
        return hot.isEmpty ? contract.deadline : hot.reduce(.zero, +)
    }

    static func firstEvents(_ run: RunRule) -> [String] {
        (run.states.first?.edges ?? []).filter { !$0.name.isRequest && $0.next != "done" }.compactMap { name($0.name) }
    }

    static func lastEvents(_ run: RunRule, _ errors: [String]) -> [String] {
        run.states.flatMap(\.edges).filter { !$0.name.isRequest && $0.next == "done" }.compactMap { name($0.name) }
            .filter { !errors.contains($0) }
    }

    private static func name(_ name: MessageName) -> String? {
        name.glob.isExact && isGuardName(name.glob.text) ? name.glob.text : nil
    }

    private func any(_ names: [String]) -> String {
        var known: Set<String> = []
        return names.filter { known.insert($0).inserted }.joined(separator: "|")
    }
}

/// Whether a plan can wait for it by that name.
func isGuardName(_ name: String) -> Bool {
    !name.isEmpty && name != "and" && name != "within" && !name.hasPrefix("#")
        && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "|" }
}
