import Faults
import Journaling
import Wire

extension ProfileReader {
    /// Where one fault always acts nothing may be left for another: a server that is down sends no message.
    mutating func warnOfForeclosed(_ rules: [FaultRule], _ items: [Document]) {
        let faults = rules.map { try? FaultRegistry.make($0.kind, $0.settings) }
        for (index, rule) in rules.enumerated() {
            guard let fault = faults[index], fault.control == nil, rule.when.opcode?.isControl != true else { continue }
            let wanted = Self.ofSide(rule.when.to, fault.selects)
            let first = rules.indices.first { other in
                guard other != index, let cause = faults[other], Self.isUnconditional(rules[other].when) else { return false }
                let gone = Self.ofSide(rules[other].when.to, cause.forecloses)
                // Of what both select it only counts who stands first.
                return !wanted.isEmpty && wanted.allSatisfy { gone.contains($0) && (other < index || !cause.selects.contains($0)) }
            }
            guard let first else { continue }
            warn(
                items[index]["id"]?.mark ?? items[index].mark,
                "`\(rule.id)` never acts, because `\(rules[first].id)` \(rules[first].kind) always does and leaves nothing for it",
                "give `\(rules[first].id)` a condition, or leave one of the two out")
        }
    }

    /// The share that a scope takes, its budget and its end are the same for both.
    private static func isUnconditional(_ when: Trigger) -> Bool {
        var when = when
        when.to = nil
        return when == Trigger()
    }

    private static func ofSide(_ side: Side?, _ kinds: [ParcelKind]) -> [ParcelKind] {
        kinds.filter { side == nil || ($0.tap == .clientOut) == (side == .client) }
    }
}
