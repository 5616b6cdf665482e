import Contracts
import Plans

/// The plan with one more user, who does nothing to its users: some defects need somebody else to be there.
enum Company {
    /// First a bystander who connects after everybody else and stays, then one who also runs the contract's first flow.
    static func variants(of plan: Plan, contract: Contract, names: [String]) -> [Plan] {
        guard let name = names.first(where: { name in !plan.users.contains { $0.name == name } }),
            let last = plan.steps.lastIndex(where: { $0.verb.opens }), let door = door(of: plan)
        else { return [] }
        // Barriers are released at once: nobody comes between their members.
        let members = Set(
            plan.steps.flatMap { step -> [Int] in if case .together(let labels) = step.verb { labels } else { [] } })
        var place = last + 1
        while place < plan.steps.count,
            plan.steps[place].verb.isGuard || members.contains(plan.steps[place].number) && isSplit(members, plan, place)
        { place += 1 }
        let entry: [Plan.Verb] = [
            .connect(path: door.path, as: nil, headers: []), .until(["open"], within: .seconds(2)),
        ]
        let flow = contract.flows.first.map { verbs(of: $0, contract) } ?? []
        return ([entry] + (flow.isEmpty ? [] : [entry + flow])).map { verbs in
            var company = plan
            company.users.append(Plan.User(name: name, credential: door.credential))
            let next = (plan.steps.map(\.number).max() ?? 0) + 1
            let steps = verbs.enumerated().map { Plan.Step(number: next + $0.offset, user: name, verb: $0.element) }
            company.steps.insert(contentsOf: steps, at: place)
            return Finish.numbered(company)
        }
    }

    /// Members of the barrier stand on both sides.
    private static func isSplit(_ members: Set<Int>, _ plan: Plan, _ place: Int) -> Bool {
        plan.steps[..<place].contains { members.contains($0.number) }
    }

    /// How somebody with a good credential gets in: as the plan's users do.
    private static func door(of plan: Plan) -> (path: String, credential: String)? {
        for step in plan.steps {
            guard case .connect(let path, _, let headers) = step.verb, headers.isEmpty,
                let user = plan.users.first(where: { $0.name == step.user }),
                let credential = CredentialPlan(user.credential), credential.variant == .intact
            else { continue }
            if path.contains("$") { continue }
            return (path, credential.text)
        }
        let first = plan.steps.lazy.compactMap { step -> String? in
            if case .connect(let path, _, _) = step.verb { path } else { nil }
        }.first
        let place = plan.users.lazy.compactMap { CredentialPlan($0.credential)?.place }.first
        return first.map { (String($0.prefix { $0 != "?" }), (place ?? .header).rawValue) }
    }

    /// Up to where it needs values that the server made.
    private static func verbs(of flow: Flow, _ contract: Contract) -> [Plan.Verb] {
        var verbs: [Plan.Verb] = []
        for step in flow.steps {
            switch step {
            case .send(let message): verbs.append(.send(message.text))
            case .await(let event, let bound, let keep, _):
                verbs.append(.until([event], within: bound ?? contract.deadline))
                if !keep.isEmpty { return verbs }
            }
        }
        return verbs
    }
}
