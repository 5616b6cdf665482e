import Synchronization

/// What the sessions of one proxy hold back together, in memory (trust.md L10). Each adds what it came to hold and takes off
/// what it let go, once an event.
package final class HeldBytes: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var now: Int { count.load(ordering: .relaxed) }

    func add(_ change: Int) { count.wrappingAdd(change, ordering: .relaxed) }
}
