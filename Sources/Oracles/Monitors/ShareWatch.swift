import Contracts
import Journaling

/// What monitors of shares have in common: outcomes of the last five minutes, of which too many are bad. A few outcomes prove
/// nothing: it needs three bad ones, or ten in all. It is over when a fifth less than the limit is bad, or nothing is left.
struct ShareWatch: Sendable {
    static let fewest = 10
    static let fewestBad = 3
    static let window: Duration = .seconds(300)

    private let limit: Share
    private let needsBad: Bool
    private var counts = StepCounts(step: .seconds(30), steps: 10)
    private(set) var due: Instant?

    /// - Parameters:
    ///   - limit: more than this may not be bad.
    ///   - needsBad: ten in all are not enough where one may be bad by chance.
    init(limit: Share, needsBad: Bool = false) {
        self.limit = limit
        self.needsBad = needsBad
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
        } else if limit.isExceeded(by: totals.bad, of: totals.all),
            totals.bad >= Self.fewestBad || (!needsBad && totals.all >= Self.fewest)
        {
            book.open(words(totals), at: now)
        }
        due = book.isOpen() ? counts.boundary(behind: now) : nil
    }
}
