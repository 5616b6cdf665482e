import Journaling
import Plans

/// How handshake mutators put an odd upgrade request into a plan: in place of one that is there, or as one more
/// connection of the same user beside it, so that what the plan does else is still done.
struct Attempt {
    var path: String?
    var headers: [Plan.Header] = []

    /// Changes `plan`, or nil when nobody connects.
    func put(into plan: Plan, in workshop: Workshop, dice: inout Dice, alone: Bool = false) -> Plan? {
        let connects = plan.steps.indices.filter { plan.steps[$0].verb.isConnect }
        guard let place = dice.pick(connects), let user = plan.steps[place].user,
            case .connect(let path, let name, let others) = plan.steps[place].verb
        else { return nil }
        var changed = plan
        if !alone, dice.chance(0.35) {
            let kept = others.filter { other in !headers.contains { $0.name.lowercased() == other.name.lowercased() } }
            changed.steps[place].verb = .connect(path: self.path ?? path, as: name, headers: kept + headers)
            return changed.settled(from: plan, in: workshop)
        }
        let probe = Actor(user, connection: plan.freeConnection(of: user))
        var verbs: [Plan.Verb] = [
            .connect(path: self.path ?? path, as: probe.connection, headers: headers),
            .until(["answered"], within: .seconds(2)),
        ]
        // Whoever is let in in spite of it shows what that is worth.
        if dice.chance(0.6), let send = plan.sends(of: user).first.map({ plan.steps[$0].verb }) {
            verbs += [send, .until(["ended"], within: dice.chance(0.5) ? .seconds(2) : .milliseconds(300))]
        }
        if dice.chance(0.5) { verbs.append(.close(code: 1000, reason: "")) }
        let later = plan.places(of: Actor(user, connection: name)).filter { $0 >= place }
        changed.insert(verbs, by: probe, at: dice.chance(0.3) ? place : (dice.pick(later) ?? place) + 1)
        return changed.settled(from: plan, in: workshop)
    }
}

extension Plan.Verb {
    var isConnect: Bool { if case .connect = self { true } else { false } }
}

extension Plan {
    /// A name that no connection of that user has.
    func freeConnection(of user: String, _ stem: String = "probe") -> String {
        let taken = Set(steps.filter { $0.user == user }.compactMap { $0.actor?.connection })
        if !taken.contains(stem) { return stem }
        return (2...PlanBounds.mostSteps + 2).lazy.map { "\(stem)\($0)" }.first { !taken.contains($0) } ?? stem
    }
}
