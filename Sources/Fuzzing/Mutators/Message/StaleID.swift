import Journaling
import NIOCore
import Plans
import Wire

struct StaleID: Mutator {
    static let name = "message-stale-id"
    static let level = MutatorLevel.message
    static let summary = "An identifier that nobody gave out."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice),
            let message = target.document.value(of: 0)
        else { return nil }
        let places = workshop.contract.identity.ids.flatMap { $0.at.compactMap(\.keys) } + MessageMaker(workshop, user: target.user).linkKeys
        let values = [
            "00000000-0000-4000-8000-000000000000", "0", "-1", "run_0", "thread_0_0_00000000", "nobody", "undefined", "*", "%",
            "x' OR '1'='1",
        ]
        guard let keys = places.filter({ !$0.isEmpty }).any(&dice), let value = values.any(&dice) else { return nil }
        return target.replaced(by: TemplateText.unescaped(message.setting(keys[...], to: .string(value))), in: workshop)
    }
}
