package import Contracts
package import Journaling

/// Judges a journal, live or later: the same entries in the same order give the same judgement, whenever and however
/// often time is advanced between them.
package struct Judge: Sendable {
    /// Without a contract only H1 (nothing before the 101) is asked.
    package init(contract: Contract?) {}

    /// Entries in journal order: (instant, loop, sequence), ticks included.
    package mutating func observe(_ entry: Entry) {}

    /// Nothing earlier than `now` will be observed any more: deadlines due before it fire.
    package mutating func advance(to now: Instant) {}

    /// Findings that are new since the last call, for the live proxy. `conclude` gives them all again, complete.
    package mutating func newFindings() -> [Finding] { [] }

    /// What was judged so far, as if the journal ended here; the judge itself goes on unchanged.
    package func conclude(at end: Instant) -> Judgement { Judgement() }
}
