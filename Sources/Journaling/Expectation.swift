/// What the far side is expected to do about a fault: it narrows an excuse, never widens it (oracle.md).
package struct Expectation: Sendable, Hashable {
    package enum What: String, Sendable, Hashable, CaseIterable {
        case refused, closed, errorEvent = "error event", recovers, delivered, nothingLost = "nothing lost"
    }
    package var what: What
    /// Close codes of `closed`, any of which will do; empty = every code.
    package var codes: [Int]
    package var within: Duration?
    package init(what: What, codes: [Int] = [], within: Duration?) {
        self.what = what
        self.codes = codes
        self.within = within
    }
}
