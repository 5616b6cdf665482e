import Journaling

/// What happens at an instant and is over: the first opens the alert, and it clears when none came for a while.
struct Spate: Sendable {
    static let quiet: Duration = .seconds(30)

    private var count = 0
    private(set) var due: Instant?

    mutating func add(_ words: String, of card: ConnectionCard?, at now: Instant, _ book: inout AlertBook) {
        count += 1
        book.open(words, of: card, at: now)
        due = now.advanced(by: Self.quiet)
    }

    mutating func wake(at now: Instant, _ book: inout AlertBook) {
        book.clear("none for \(Wording.duration(Self.quiet)), \(Wording.count(count)) in all", at: now)
        count = 0
        due = nil
    }
}
