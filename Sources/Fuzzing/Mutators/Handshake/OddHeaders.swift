import Journaling
import Plans

/// A handshake mutator whose request differs in its fields alone.
protocol OddHeaders: Mutator {
    /// Nil when there is nothing to offer.
    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]?
}

extension OddHeaders {
    package static var level: MutatorLevel { .handshake }

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let headers = headers(in: workshop, dice: &dice) else { return nil }
        return Attempt(headers: headers).put(into: plan, in: workshop, dice: &dice)
    }
}

extension Plan.Header {
    init(_ name: String, _ value: String) { self.init(name: name, value: value) }
}
