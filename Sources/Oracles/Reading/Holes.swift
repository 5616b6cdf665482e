import Journaling

/// What a journal may lack beside what it holds: whole sessions that the server had all the same. Nothing that needs one
/// of these is told of anybody.
package struct Absence: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sessions of other users. Of the users that it holds it has every session.
    package static let users = Absence(rawValue: 1)
    /// Any session: it was captured elsewhere, at one host, in one browser.
    package static let sessions = Absence(rawValue: 2)
    /// The numbers of what was taken out are missing, and that is all that their gaps say.
    package static let numbers = Absence(rawValue: 4)
    /// What was before its first entry. Who was there then and says nothing more has gone.
    package static let beginning = Absence(rawValue: 8)
    /// Credentials that a server was given: browsers leave them out of what they export, and who records looks only where the
    /// contract of that time has them.
    package static let credentials = Absence(rawValue: 16)

    /// Nothing that anybody said is known to be missing.
    var holdsEverybody: Bool { subtracting(.credentials).isEmpty }
}

/// Numbers that are missing in the journal's order: what stood there may have been anything, sessions of any user too.
struct Holes: Sendable {
    private var previous: UInt64 = 0
    /// When the latest of them was over, at the latest.
    private(set) var last: Instant?
    /// There is one behind the journal's first entry.
    private(set) var isWithin = false

    mutating func observe(_ entry: Entry) {
        // Before the merge entries have no number.
        guard entry.number > previous else { return }
        if entry.number - previous > 1 {
            last = max(last ?? entry.instant, entry.instant)
            isWithin = isWithin || previous > 0
        }
        previous = entry.number
    }
}
