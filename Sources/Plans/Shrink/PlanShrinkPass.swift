/// One way to make plans smaller.
struct PlanShrinkPass: Sendable {
    enum Kind: Sendable {
        /// How many units there are, and the plan without a range of them: halves, quarters … single ones.
        case removal(
            count: @Sendable (Plan, [String]) -> Int, remove: @Sendable (Plan, [String], Range<Int>) -> Plan?)
        /// Proposals one after the other.
        case list(@Sendable (Plan, _ witnesses: [String], _ last: Int?) -> [Plan])
    }
    var kind: Kind
    /// It ends with the first proposal that shows.
    var isOnce = false

    static let all: [PlanShrinkPass] = [
        users, connections, names, faults,
        PlanShrinkPass(kind: .list { plan, _, _ in FaultShrink.proposals(plan) }),
        structure, steps, sequence, headers,
        PlanShrinkPass(kind: .list { plan, _, _ in JSONShrink.structure(plan) }),
        PlanShrinkPass(kind: .list { plan, _, _ in JSONShrink.scalars(plan) }),
        PlanShrinkPass(kind: .list { plan, _, _ in ByteShrink.proposals(plan) }),
        guards, delays,
    ]

    private static func free(_ plan: Plan, _ witnesses: [String]) -> [String] {
        plan.users.map(\.name).filter { !witnesses.contains($0) }
    }

    private static let users = PlanShrinkPass(
        kind: .removal(
            count: { plan, witnesses in plan.users.count > 1 ? free(plan, witnesses).count : 0 },
            remove: { plan, witnesses, range in
                let gone = free(plan, witnesses)[range]
                let left = plan.users.map(\.name).filter { !gone.contains($0) }
                return left.isEmpty ? nil : PlanReducer.keeping(left, in: plan)
            }))

    private struct Connection: Hashable {
        var user: String?
        var name: String?
    }

    private static func connections(of plan: Plan) -> [Connection] {
        var found: [Connection] = []
        for step in plan.steps where step.user != nil {
            let connection = connection(of: step)
            if !found.contains(connection) { found.append(connection) }
        }
        return found
    }

    private static func connection(of step: Plan.Step) -> Connection {
        Connection(user: step.user, name: step.acting)
    }

    private static let connections = PlanShrinkPass(
        kind: .removal(
            count: { plan, _ in
                let count = connections(of: plan).count
                return count > 1 ? count : 0
            },
            remove: { plan, _, range in
                let gone = Set(connections(of: plan)[range])
                var plan = plan
                plan.steps.removeAll { $0.user != nil && gone.contains(connection(of: $0)) }
                return plan
            }))

    /// A user's only connection needs no name.
    private static let names = PlanShrinkPass(
        kind: .list { plan, _, _ in
            let all = connections(of: plan)
            return all.filter { one in one.name != nil && all.filter { $0.user == one.user }.count == 1 }.map { one in
                var plain = plan
                for index in plan.steps.indices where plan.steps[index].user == one.user {
                    plain.steps[index].connection = nil
                    if case .connect(let path, _, let headers) = plan.steps[index].verb {
                        plain.steps[index].verb = .connect(path: path, as: nil, headers: headers)
                    }
                }
                return plain
            }
        })

    private static let faults = PlanShrinkPass(
        kind: .removal(
            count: { plan, _ in plan.faults.count },
            remove: { plan, _, range in
                var plan = plan
                plan.faults.removeSubrange(range)
                return plan
            }))

    private static let structure = PlanShrinkPass(
        kind: .list { plan, witnesses, last in
            Array(PlanReducer.candidates(plan, witnesses: witnesses, upTo: last).dropLast())
        }, isOnce: true)

    private static let steps = PlanShrinkPass(
        kind: .removal(
            count: { plan, _ in plan.steps.count },
            remove: { plan, _, range in PlanReducer.removing(range, from: plan) }))

    /// Without barriers; each user's steps together, users in one order or the other; then one step at a time moved to
    /// the step of its user before it.
    private static let sequence = PlanShrinkPass(
        kind: .list { plan, _, _ in
            var loose = plan
            loose.steps.removeAll { if case .together = $0.verb { true } else { false } }
            var proposals = loose.steps.count < plan.steps.count ? [loose] : []
            let names = plan.users.map(\.name)
            for order in [names, names.reversed()] {
                for base in [loose, plan] {
                    var sorted = base
                    sorted.steps =
                        order.flatMap { name in base.steps.filter { $0.user == name } }
                        + base.steps.filter { $0.user == nil }
                    proposals.append(sorted)
                }
            }
            for index in plan.steps.indices.prefix(200) {
                guard let user = plan.steps[index].user,
                    let before = plan.steps[..<index].lastIndex(where: { $0.user == user }), before < index - 1
                else { continue }
                var moved = plan
                moved.steps.insert(moved.steps.remove(at: index), at: before + 1)
                proposals.append(moved)
            }
            return proposals
        })

    private static func headers(of plan: Plan) -> [(step: Int, header: Int)] {
        var found: [(step: Int, header: Int)] = []
        for index in plan.steps.indices {
            guard case .connect(_, _, let headers) = plan.steps[index].verb else { continue }
            found += headers.indices.map { (index, $0) }
        }
        return found
    }

    private static let headers = PlanShrinkPass(
        kind: .removal(
            count: { plan, _ in headers(of: plan).count },
            remove: { plan, _, range in
                var smaller = plan
                for (step, header) in headers(of: plan)[range].reversed() {
                    guard case .connect(let path, let name, var left) = smaller.steps[step].verb else { continue }
                    left.remove(at: header)
                    smaller.steps[step].verb = .connect(path: path, as: name, headers: left)
                }
                return smaller
            }))

    /// Fewer events to wait for.
    private static let guards = PlanShrinkPass(
        kind: .list { plan, _, _ in
            plan.steps.indices.flatMap { index -> [Plan] in
                guard case .until(let events, let bound) = plan.steps[index].verb, events.count > 1 else { return [] }
                let half = Array(events.prefix(events.count / 2))
                let single =
                    events.count > 2
                    ? events.indices.prefix(64).map { place in
                        events.enumerated().filter { $0.offset != place }.map(\.element)
                    } : [Array(events.suffix(1))]
                return ([half] + single).map { plan.replacing(index, .until($0, within: bound)) }
            }
        })

    /// In milliseconds; what is shorter tells nothing about a server.
    private static let shortest: Int64 = 100
    /// A guard costs nothing as long as it holds, and a short one breaks on a slower machine.
    private static let shortestGuard: Int64 = 2_000

    private static let delays = PlanShrinkPass(
        kind: .list { plan, _, _ in
            plan.steps.indices.flatMap { index -> [Plan] in
                func lengths(_ length: Duration, least: Int64) -> [Duration] {
                    let milliseconds = length.nanoseconds / 1_000_000
                    return [milliseconds / 8, milliseconds / 2].filter { $0 >= least }.map { .milliseconds($0) }
                }
                switch plan.steps[index].verb {
                case .until(let events, let bound):
                    return lengths(bound, least: shortestGuard).map { plan.replacing(index, .until(events, within: $0)) }
                case .quiet(let bound):
                    return lengths(bound, least: shortest).map { plan.replacing(index, .quiet($0)) }
                default: return []
                }
            }
        })
}

extension Plan {
    func replacing(_ index: Int, _ verb: Verb) -> Plan {
        var plan = self
        plan.steps[index].verb = verb
        return plan
    }
}
