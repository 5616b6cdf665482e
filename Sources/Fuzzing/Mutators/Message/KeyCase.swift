import Journaling
import NIOCore
import Plans
import Wire

struct KeyCase: Mutator {
    static let name = "message-key-case"
    static let level = MutatorLevel.message
    static let summary = "The letters of a key change their case."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.membersOfObjects, &dice) else { return nil }
        let key = document.key(of: node)
        let keys = [key.uppercased(), key.lowercased(), key.prefix(1).uppercased() + key.dropFirst(), key + " ", camel(key)]
        return keys.any(&dice).flatMap { target.replaced(by: document.renaming(node: node, to: $0), in: workshop) }
    }

    /// `user_id` as `userId`.
    private func camel(_ key: String) -> String {
        let parts = key.split(separator: "_")
        guard let first = parts.first else { return key }
        return first + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
