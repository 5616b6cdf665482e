import Faults
import Journaling
import Plans

/// Draws fault lines from what the registry knows of each fault: settings within modest bounds, and a trigger.
enum FaultDraw {
    static let mostFaults = 6
    /// Those after which sound servers were fuzzed for hours and none was accused; a kind is drawn when that is so of it.
    static let kinds: [any Fault.Type] = [
        AcceptDelay.self, DropAuth.self, Drop.self, JSONMutate.self, CrossStreams.self, Cut.self,
    ]
    /// What a kind learned after it was chosen for this list: its draws stay what they are.
    private static let undrawn: [String: (words: Set<String>, settings: Set<String>, acts: Set<ParcelKind>)] = [
        DropAuth.name: (["first-message", "expire", "swap"], ["among"], [.messageToServer])
    ]
    private static let durations = [20, 50, 100, 200, 300, 400, 600]

    /// Nil when what was drawn is no fault.
    static func line(id: String, kind: (any Fault.Type)? = nil, for plan: Plan, dice: inout Dice) -> Plan.FaultLine? {
        // Holding back the upgrade is what exposes lost greetings; it is drawn as often as three others.
        let kinds = Self.kinds.map { (item: $0, weight: $0 == AcceptDelay.self ? 3 : 1) }
        guard let kind = kind ?? dice.pick(weighted: kinds) else { return nil }
        var words: [String] = []
        let later = undrawn[kind.name]
        for parameter in kind.parameters where later?.settings.contains(parameter.name) != true {
            guard parameter.required || dice.chance(0.7) else { continue }
            guard let value = value(of: parameter, kind, plan, &dice) else { continue }
            words += [parameter.name, value]
        }
        words += trigger(kind, plan, &dice)
        let line = Plan.FaultLine(id: id, kind: kind.name, words: words)
        return (try? line.rule()) == nil ? nil : line
    }

    static func freeID(in plan: Plan) -> String {
        let taken = Set(plan.faults.map(\.id))
        return (1...plan.faults.count + 1).lazy.map { "f\($0)" }.first { !taken.contains($0) } ?? "f0"
    }

    private static func value(
        of parameter: Parameter, _ kind: any Fault.Type, _ plan: Plan, _ dice: inout Dice
    ) -> String? {
        switch parameter.unit {
        case .duration: return dice.pick(durations).map { "\($0)ms" }
        case .bytes: return dice.pick([1, 16, 126, 1024, 4096]).map { "\($0)B" }
        case .rate: return dice.pick([1, 16, 64, 1024]).map { "\($0)KiB/s" }
        case .share: return dice.pick([10, 50, 100]).map { "\($0)%" }
        case .count: return "\(dice.within(1...8))"
        case .text: return dice.pick(["", "x", "miswire", "0", "null"].filter { !$0.isEmpty })
        case .choice(let words):
            if kind == AcceptDelay.self, words.contains("upgrade-request"), dice.chance(0.6) { return "upgrade-request" }
            return dice.pick(words.filter { undrawn[kind.name]?.words.contains($0) != true })
        case .choices(let all):
            let words = all.filter { undrawn[kind.name]?.words.contains($0) != true }
            let chosen = dice.shuffled(words).prefix(dice.within(1...max(1, min(3, words.count))))
            return chosen.isEmpty ? nil : chosen.joined(separator: ",")
        case .names:
            // Only a name that fits does anything; most of the time any will do.
            return dice.chance(0.2) ? dice.pick(plan.users)?.name : nil
        }
    }

    private static func trigger(_ kind: any Fault.Type, _ plan: Plan, _ dice: inout Dice) -> [String] {
        var words: [String] = []
        if dice.chance(0.6), let user = dice.pick(plan.users) { words += ["user", user.name] }
        if dice.chance(0.5) { words += ["connection", "nth", "\(dice.pick([1, 1, 1, 2]) ?? 1)"] }
        let acts = kind.acts.filter { undrawn[kind.name]?.acts.contains($0) != true }
        let toServer = acts.contains(.messageToServer)
        let toClient = acts.contains(.messageToClient)
        guard toServer || toClient else { return words }
        if toServer, toClient, dice.chance(0.7) { words += ["to", dice.chance(0.5) ? "server" : "client"] }
        // Without a number every message would be hit, and nothing would be left to see.
        let ordinals = [["nth", "\(dice.within(1...6))"], ["every", "\(dice.within(2...4))"], ["first", "\(dice.within(1...3))"]]
        words += ["message"] + (dice.chance(0.7) ? ordinals[0] : dice.pick(ordinals) ?? ordinals[0])
        return words
    }
}
