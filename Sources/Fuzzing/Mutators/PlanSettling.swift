package import Plans

/// The last thing that every mutator does.
extension Plan {
    /// The plan made whole: labels in order, barriers of steps that are there, guards within their bounds, no words
    /// about what the plan was made from. Nil when it says what `original` says, when it is too large, or when it would
    /// not be read again.
    package func settled(from original: Plan, in workshop: Workshop) -> Plan? {
        var plan = bare
        plan.mendBarriers()
        plan.renumber()
        plan.shortenGuards(to: workshop.longestGuard)
        guard plan.steps.count <= PlanBounds.mostSteps, plan.users.count <= PlanBounds.mostUsers, !plan.steps.isEmpty,
            !plan.saysTheSame(as: original), plan.briefly(knowing: original).isReadAgain
        else { return nil }
        return plan
    }

    private var isReadAgain: Bool { (try? PlanText.parse(PlanText.print(self))) == self }

    /// Long messages that `original` has as well are left out: they were read again when it was made, and most of the
    /// time that a mutation takes would go into them. Not those that name users, who may be gone.
    private func briefly(knowing original: Plan) -> Plan {
        var plan = self
        for index in plan.steps.indices {
            let verb = plan.steps[index].verb
            guard verb.isLongAndClosed, original.steps.contains(where: { $0.verb == verb }) else { continue }
            plan.steps[index].verb = .pauseReading
        }
        return plan
    }

    /// Without comments and without the head, which tells of another plan.
    private var bare: Plan {
        var plan = self
        plan.head = Head()
        plan.tail = []
        for index in plan.users.indices { plan.users[index].above = [] }
        for index in plan.faults.indices { plan.faults[index].above = [] }
        for index in plan.steps.indices {
            plan.steps[index].above = []
            plan.steps[index].comment = nil
        }
        return plan
    }

    private func saysTheSame(as other: Plan) -> Bool {
        func words(_ plan: Plan) -> Plan {
            var plan = plan.bare
            plan.renumber()
            return plan
        }
        return words(self) == words(other)
    }

    /// Labels from 1 in file order; barriers name the new ones.
    package mutating func renumber() {
        var new: [Int: Int] = [:]
        for index in steps.indices { new[steps[index].number] = index + 1 }
        for index in steps.indices {
            steps[index].number = index + 1
            guard case .together(let named) = steps[index].verb else { continue }
            steps[index].verb = .together(named.compactMap { new[$0] })
        }
    }

    /// A barrier keeps what exists, one step a user, none that another barrier has; with fewer than two it goes.
    private mutating func mendBarriers() {
        var owner: [Int: String] = [:]
        for step in steps { if let user = step.user { owner[step.number] = user } }
        var taken: Set<Int> = []
        steps = steps.compactMap { step in
            guard case .together(let named) = step.verb else { return step }
            var actors: Set<String> = []
            let left = named.filter { label in
                guard !taken.contains(label), let user = owner[label] else { return false }
                return actors.insert(user).inserted
            }
            guard left.count >= 2 else { return nil }
            taken.formUnion(left)
            var step = step
            step.verb = .together(left)
            return step
        }
    }

    /// Each at most `longest`, all together at most `PlanBounds.guardTime`: longer ones give more.
    private mutating func shortenGuards(to longest: Duration) {
        for index in steps.indices { steps[index].verb = steps[index].verb.waiting(atMost: longest) }
        var cap = longest
        while guardTime > PlanBounds.guardTime, cap > PlanBounds.shortestGuard {
            cap = .milliseconds(max(PlanBounds.shortestGuard.milliseconds, cap.milliseconds * 3 / 4))
            for index in steps.indices { steps[index].verb = steps[index].verb.waiting(atMost: cap) }
        }
    }
}

extension Plan.Verb {
    /// Long, and without references.
    fileprivate var isLongAndClosed: Bool {
        let longest = 256
        func isClosed(_ text: String) -> Bool { !text.utf8.contains(UInt8(ascii: "$")) }
        return switch self {
        case .send(let text), .sendText(let text): text.utf8.count > longest && isClosed(text)
        case .sendBytes(let bytes): bytes.count > longest
        case .frames(let frames):
            frames.contains { $0.payloadBytes > longest }
                && frames.allSatisfy { if case .text(let text) = $0.payload { isClosed(text) } else { true } }
        default: false
        }
    }

    fileprivate func waiting(atMost longest: Duration) -> Self {
        switch self {
        case .until(let events, let bound) where bound > longest: .until(events, within: longest)
        case .quiet(let length) where length > longest: .quiet(longest)
        default: self
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
