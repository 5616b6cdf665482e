import Contracts
import Journaling

/// What monitors of shares have in common: outcomes of the last five minutes, of which too many are bad. A few outcomes prove
/// nothing: it needs three bad ones. It is over when a fifth less than the limit is bad, or nothing is left.
struct ShareWatch: Sendable {
    static let fewestBad = 3
    static let window: Duration = .seconds(300)

    private let limit: Share
    private let fewest: Int
    private var counts = StepCounts(step: .seconds(30), steps: 10)
    private(set) var due: Instant?

    /// - Parameters:
    ///   - limit: more than this may not be bad.
    ///   - fewest: outcomes that it takes, good and bad.
    init(limit: Share, fewest: Int = 0) {
        self.limit = limit
        self.fewest = fewest
    }

    /// - Parameter words: what the alert says of the totals.
    mutating func add(
        bad: Bool, worst: Duration = .zero, of card: ConnectionCard?, at now: Instant, _ book: inout AlertBook,
        _ words: (StepCounts.Totals) -> String
    ) {
        counts.add(bad: bad, worst: worst, at: now)
        judge(counts.totals(at: now), at: now, &book, words)
    }

    mutating func wake(at now: Instant, _ book: inout AlertBook, _ words: (StepCounts.Totals) -> String) {
        judge(counts.totals(at: now), at: now, &book, words)
    }

    private mutating func judge(
        _ totals: StepCounts.Totals, at now: Instant, _ book: inout AlertBook, _ words: (StepCounts.Totals) -> String
    ) {
        if book.isOpen() {
            if totals.all == 0 {
                book.clear("none in \(Wording.duration(Self.window))", at: now)
            } else if !limit.isExceeded(by: totals.bad + (totals.bad + 3) / 4, of: totals.all) {
                book.clear(words(totals), at: now)
            }
        } else if limit.isExceeded(by: totals.bad, of: totals.all), totals.bad >= Self.fewestBad, totals.all >= fewest {
            book.open(words(totals), at: now)
        }
        due = book.isOpen() ? counts.boundary(behind: now) : nil
    }
}
