import Journaling
import NIOCore
import Plans
import Wire

struct ExtraField: Mutator {
    static let name = "message-extra"
    static let level = MutatorLevel.message
    static let summary = "A field that the request does not have, some of other requests."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.objects, &dice) else { return nil }
        let maker = MessageMaker(workshop, user: target.user)
        let known = workshop.contract.requests.indices.flatMap { maker.fields(of: $0) }.compactMap(\.keys.first)
        let keys = known + ["invalid_field", "", "__proto__", "constructor", "role", "admin", "x-\u{e9}", "user", "id"]
        let values = [#""x""#, "null", "true", "0", "{}", "[]", #"{"x":null}"#] + workshop.dictionary.prefix(8).map {
            TemplateText.escaped(JSON.string($0).text)
        }
        guard let key = keys.any(&dice), let value = values.any(&dice) else { return nil }
        return target.replaced(by: document.adding(TemplateText.escaped(key), text: value, to: node), in: workshop)
    }
}
