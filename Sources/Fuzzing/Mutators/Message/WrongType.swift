import Journaling
import NIOCore
import Plans
import Wire

struct WrongType: Mutator {
    static let name = "message-wrong-type"
    static let level = MutatorLevel.message
    static let summary = "A value becomes one of another type."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.inner, &dice) else { return nil }
        let values = ["0", "-1", "0.5", "true", "false", #""""#, #""0""#, "[]", "{}", #"["x"]"#, #"{"x":1}"#, "[[]]", #"" ""#]
        return values.any(&dice).flatMap { target.replaced(by: document.replacing(document.nodes[node].range, with: $0), in: workshop) }
    }
}
