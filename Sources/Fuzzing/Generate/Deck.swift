package import Plans

/// Plans in a fixed order, each made when it is asked for: hundreds of them, some with a megabyte of text.
package struct Deck: Sendable {
    package let count: Int
    private let make: @Sendable (Int) -> Plan

    /// - Parameter make: pure; asked for 0..<count only.
    package init(count: Int, make: @escaping @Sendable (Int) -> Plan) {
        self.count = max(0, count)
        self.make = make
    }

    package static let empty = Deck(count: 0) { _ in Plan() }

    package var isEmpty: Bool { count == 0 }

    /// Counts round: plan `count` is plan 0 again. Of an empty deck the empty plan.
    package subscript(_ index: Int) -> Plan {
        guard count > 0, index >= 0 else { return Plan() }
        return make(index % count)
    }

    /// The decks one behind the other.
    package static func + (one: Deck, other: Deck) -> Deck {
        Deck(count: one.count + other.count) { $0 < one.count ? one[$0] : other[$0 - one.count] }
    }
}
