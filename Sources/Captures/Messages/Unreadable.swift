/// What could not be read of a file's records: how many of them, and the first causes. Memory is bounded however many
/// there are (trust.md T28): a file of nothing but wrong records has one for every three bytes.
struct Unreadable {
    /// Records with a cause; one may have several.
    private(set) var records: UInt64 = 0
    /// The record's number, and one phrase.
    private(set) var causes: [(record: Int, phrase: String)] = []
    /// Causes that are not listed.
    private(set) var unlisted = 0
    private var latest: Int?
    private static let most = 100

    /// - Parameter record: never less than the one before.
    mutating func add(_ record: Int, _ phrase: @autoclosure () -> String) {
        if latest != record { records += 1 }
        latest = record
        if causes.count < Self.most { causes.append((record, phrase())) } else { unlisted += 1 }
    }
}
