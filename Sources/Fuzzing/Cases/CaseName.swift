package import Journaling

/// What a case is called, and all that its plan derives from beside the seed: `47310` is fresh, `47310.3` is the third
/// child of it. A plan is a pure function of (master seed, name, contract, seed plans), so any case can be made again
/// without running the ones before it, whatever the number of workers; feedback only chooses which names are tried.
/// `boundaries/17` is number 17 of a deck, which is the same in every run.
package struct CaseName: Sendable, Hashable, CustomStringConvertible {
    /// Nil for what the seed decides.
    package private(set) var deck: String?
    /// Never empty; at most `deepest`.
    package private(set) var ordinals: [UInt32]
    /// Further down nothing derives: a child of such a case is a sibling.
    package static let deepest = 24

    package init(_ first: UInt32) { ordinals = [first] }

    package init(deck: String, _ index: Int) {
        self.deck = deck
        ordinals = [UInt32(clamping: index)]
    }

    private init(ordinals: [UInt32]) { self.ordinals = ordinals }

    /// Reads `47310.3` and `boundaries/17`.
    package init?(_ text: String) {
        if let slash = text.firstIndex(of: "/"), slash > text.startIndex, let index = UInt32(text[text.index(after: slash)...]) {
            deck = String(text[..<slash])
            ordinals = [index]
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let ordinals = parts.compactMap { UInt32($0) }
        guard !ordinals.isEmpty, ordinals.count == parts.count, ordinals.count <= Self.deepest else { return nil }
        self.ordinals = ordinals
    }

    package var parent: CaseName? { ordinals.count > 1 ? CaseName(ordinals: ordinals.dropLast()) : nil }

    package func child(_ ordinal: UInt32) -> CaseName {
        CaseName(ordinals: ordinals.prefix(Self.deepest - 1) + [ordinal])
    }

    package var description: String { (deck.map { $0 + "/" } ?? "") + ordinals.map { "\($0)" }.joined(separator: ".") }

    /// Draws for one purpose: `mutator`, `message`.
    package func dice(seed: UInt64, _ component: String) -> Dice {
        Dice(
            DiceKey(seed: seed, profile: "fuzz", user: description, connection: 0), direction: nil, message: 0,
            fault: component)
    }
}
