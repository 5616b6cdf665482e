/// Makes a failing plan smaller, one question at a time (fuzzing.md, "Shrinking"): `next` proposes a plan, whoever plays
/// it says with `answer` whether it still shows the failure, and `best` is the smallest that did.
///
/// It goes through users, connections, faults and their words, steps, interleaving, headers, JSON, scalars, frames and
/// bytes, guards and delays, and again as long as that helps, at most `mostSweeps` times. Every proposal prints and parses, is smaller than
/// `best` by `PlanWeight`, and is proposed once, so that it always ends.
package struct PlanShrinker: Sendable {
    package private(set) var best: Plan
    /// Proposals so far.
    package private(set) var questions = 0
    package static let mostSweeps = 4
    package static let mostQuestions = 5_000

    private let witnesses: [String]
    private let last: Int?
    private var pass = 0
    private var sweep = 0
    private var hasShrunkInSweep = false
    private var hasShrunkInRound = false
    private var cursor = 0
    /// Units to take out at once; 0 = not begun.
    private var size = 0
    /// Of passes that list their proposals; nil = to be made of `best`.
    private var options: [Plan]?
    private var asked: Plan?
    private var known: Set<String> = []
    private var weight: Int

    /// - Parameters:
    ///   - witnesses: users that must stay.
    ///   - last: label of the step after which nothing matters; nil when that is not known.
    package init(_ plan: Plan, witnesses: [String], upTo last: Int?) {
        best = plan
        self.witnesses = witnesses
        self.last = last
        weight = PlanWeight.of(plan)
        known.insert(PlanText.print(plan))
    }

    /// The next proposal; nil when nothing is left to try. Without an `answer` to the one before it did not show.
    package mutating func next() -> Plan? {
        if asked != nil { answer(false) }
        while questions < Self.mostQuestions {
            guard let found = proposal() else { return nil }
            guard let raw = found, let candidate = accepted(raw) else {
                advance()
                continue
            }
            questions += 1
            asked = candidate
            return candidate
        }
        return nil
    }

    /// Whether the plan proposed last still shows the failure.
    package mutating func answer(_ shows: Bool) {
        guard let candidate = asked else { return }
        asked = nil
        guard shows else { return advance() }
        best = candidate
        weight = PlanWeight.of(candidate)
        hasShrunkInSweep = true
        hasShrunkInRound = true
        options = nil
        // Structural cuts go from small to large: the rest would be larger.
        if PlanShrinkPass.all[pass].isOnce { endPass() }
    }

    /// As it is read back; nil when it is no plan, no smaller, or was proposed before.
    private mutating func accepted(_ raw: Plan) -> Plan? {
        guard !raw.steps.isEmpty else { return nil }
        let tidy = PlanReducer.tidied(raw)
        let text = PlanText.print(tidy)
        guard PlanWeight.of(tidy) < weight, known.insert(text).inserted else { return nil }
        return try? PlanText.parse(text)
    }

    /// Nil when all is tried; nil inside when this place has nothing to propose.
    private mutating func proposal() -> Plan?? {
        while sweep < Self.mostSweeps {
            let pass = PlanShrinkPass.all[pass]
            switch pass.kind {
            case .removal(let count, let remove):
                let units = count(best, witnesses)
                if size == 0 { size = max(1, units / 2) }
                if cursor < units { return .some(remove(best, witnesses, cursor..<min(cursor + size, units))) }
                guard units > 0 else { endPass(); continue }
                endRound()
            case .list(let make):
                let plans = options ?? make(best, witnesses, last)
                options = plans
                if cursor < plans.count { return .some(plans[cursor]) }
                size = 1
                guard !plans.isEmpty else { endPass(); continue }
                endRound()
            }
        }
        return .none
    }

    private mutating func advance() {
        cursor += max(1, size)
    }

    /// Smaller pieces, or the same again where that helped.
    private mutating func endRound() {
        cursor = 0
        options = nil
        if size > 1 {
            size /= 2
        } else if hasShrunkInRound {
            hasShrunkInRound = false
        } else {
            endPass()
        }
    }

    private mutating func endPass() {
        cursor = 0
        size = 0
        options = nil
        hasShrunkInRound = false
        pass += 1
        guard pass >= PlanShrinkPass.all.count else { return }
        pass = 0
        sweep = hasShrunkInSweep ? sweep + 1 : Self.mostSweeps
        hasShrunkInSweep = false
    }
}

/// What counts as small: users, faults and steps first, then what they say, then how often the actor changes and how
/// long is waited.
package enum PlanWeight {
    package static func of(_ plan: Plan) -> Int {
        var weight = 100_000 * plan.users.count + 20_000 * plan.faults.count + 10_000 * plan.steps.count
        for fault in plan.faults { weight += fault.words.reduce(0) { $0 + 10 * $1.utf8.count } }
        var actor: String?
        for step in plan.steps {
            weight += of(step.verb) + (step.connection?.utf8.count ?? 0)
            if let user = step.user {
                if let actor, actor != user { weight += 1 }
                actor = user
            }
        }
        return weight
    }

    private static func of(_ verb: Plan.Verb) -> Int {
        switch verb {
        case .until(let events, let bound): events.reduce(bits(bound)) { $0 + 10 * ($1.utf8.count + 5) }
        case .quiet(let bound): bits(bound)
        case .frames(let frames): frames.reduce(0) { $0 + 100 + 10 * $1.text.utf8.count }
        default: 10 * PlanText.words(of: verb).utf8.count
        }
    }

    /// Of the milliseconds.
    private static func bits(_ duration: Duration) -> Int {
        Int64.bitWidth - max(0, duration.nanoseconds / 1_000_000).leadingZeroBitCount
    }
}
