import Journaling
import Plans

/// What the mutators of credentials share: somebody whose credential a server must refuse.
enum BadCredential {
    /// - Parameter variant: nil = no credential at all.
    static func mutate(
        _ plan: Plan, _ variant: CredentialPlan.Variant?, in workshop: Workshop, dice: inout Dice
    ) -> Plan? {
        // Only who signs a credential can date it back.
        guard !workshop.credentialPlaces.isEmpty, workshop.canMint || variant != .expired else { return nil }
        var plan = plan
        let original = plan
        guard let model = dice.pick(plan.openActors) else { return nil }
        if dice.chance(0.5), let stranger = stranger(into: &plan, workshop) {
            credential(of: stranger, variant, &plan, workshop, &dice)
            intrude(stranger, like: model, into: &plan, workshop, &dice)
        } else {
            credential(of: model.user, variant, &plan, workshop, &dice)
        }
        return plan.settled(from: original, in: workshop)
    }

    private static func stranger(into plan: inout Plan, _ workshop: Workshop) -> String? {
        let name = "stranger"
        guard plan.users.count < PlanBounds.mostUsers, !plan.users.contains(where: { $0.name == name }) else {
            return nil
        }
        plan.users.append(Plan.User(name: name, credential: "none"))
        return name
    }

    private static func credential(
        of user: String, _ variant: CredentialPlan.Variant?, _ plan: inout Plan, _ workshop: Workshop,
        _ dice: inout Dice
    ) {
        guard let index = plan.users.firstIndex(where: { $0.name == user }) else { return }
        guard let variant else {
            plan.users[index].credential = "none"
            return
        }
        let old = CredentialPlan(plan.users[index].credential)?.place
        let place = old == CredentialPlan.Place.none ? nil : old
        let chosen = place ?? dice.pick(workshop.credentialPlaces) ?? .header
        plan.users[index].credential = "\(chosen.rawValue) \(variant.rawValue)"
    }

    /// Connects, asks for what the model asks first, and waits to be shown out.
    private static func intrude(
        _ user: String, like model: Actor, into plan: inout Plan, _ workshop: Workshop, _ dice: inout Dice
    ) {
        let path = plan.path(of: model) ?? workshop.path
        let bound = workshop.contract.auth?.within ?? .seconds(2)
        var verbs: [Plan.Verb] = [
            .connect(path: path, as: nil, headers: []), .until(["answered"], within: bound),
        ]
        let sends = plan.sends(of: model.user)
        if let send = sends.first, dice.chance(0.7) {
            verbs.append(Plan.renamed(plan.steps[send], from: model.user, to: user).verb)
        }
        verbs.append(.until(["ended"], within: bound))
        let place = dice.chance(0.5) ? plan.steps.count : dice.below(plan.steps.count + 1)
        plan.insert(verbs, by: Actor(user), at: place)
    }
}

extension Plan {
    /// Where an actor connects.
    func path(of actor: Actor) -> String? {
        for step in steps where step.actor == actor {
            if case .connect(let path, _, _) = step.verb { return path }
        }
        return nil
    }
}

extension Workshop {
    /// The credential of a user as request fields or a path carry it at that place: `$bob.credential` and what stands
    /// around it.
    func carried(_ value: String, at place: CredentialPlan.Place, path: String) -> Attempt? {
        let kinds = contract.identity.credential.map(\.kind)
        for kind in kinds {
            switch (kind, place) {
            case (.header(let name), .header):
                let isAuthorization = name == "authorization"
                return Attempt(headers: [
                    Plan.Header(
                        name: isAuthorization ? "Authorization" : name,
                        value: isAuthorization ? "Bearer " + value : value)
                ])
            case (.query(let name), .query):
                let sign = path.contains("?") ? "&" : "?"
                return Attempt(path: "\(path)\(sign)\(name)=\(value)")
            case (.cookie(let name), .cookie):
                return Attempt(headers: [Plan.Header(name: "Cookie", value: "\(name)=\(value)")])
            case (.subprotocol(let glob), .subprotocol):
                let prefix = glob.map { String($0.text.prefix { $0 != "*" }) } ?? "token."
                let offers = contract.wire.subprotocols + [prefix + value]
                return Attempt(
                    headers: [Plan.Header(name: "Sec-WebSocket-Protocol", value: offers.joined(separator: ", "))])
            default: continue
            }
        }
        return nil
    }
}
