import Contracts
import Journaling

/// What a client saw between two things it did, as what to wait for.
struct LiftGuard {
    private struct Seen {
        var name: String
        var isLandmark: Bool
    }
    static let most = 64

    private var answer: String?
    private var events: [Seen] = []
    private var isClosed = false
    private var since: Instant
    private var last: Instant
    private var answeredAt: Instant

    /// - Parameter since: when the client last did something.
    init(since: Instant) {
        self.since = since
        last = since
        answeredAt = since
    }

    mutating func answered(_ accepted: Bool, at: Instant) {
        answer = accepted ? "open" : "refused"
        answeredAt = at
        last = max(last, at)
    }

    /// - Parameter isLandmark: it ends something, or begins a run.
    mutating func saw(_ name: String?, isLandmark: Bool, at: Instant) {
        guard let name, Self.isWord(name), events.count < 10_000 else { return }
        events.append(Seen(name: name, isLandmark: isLandmark))
        last = max(last, at)
    }

    mutating func closed(at: Instant) {
        isClosed = true
        last = max(last, at)
    }

    /// The guards, and nothing to wait for any more.
    mutating func take(bound: Duration, now: Instant) -> [Plan.Verb] {
        var verbs: [Plan.Verb] = []
        if let answer { verbs.append(.until([answer], within: length(to: answeredAt, bound))) }
        var names = events.filter(\.isLandmark).map(\.name)
        if names.isEmpty {
            for event in events where !names.contains(event.name) && names.count < 8 { names.append(event.name) }
        }
        if !names.isEmpty { verbs.append(.until(Array(names.suffix(Self.most)), within: length(to: last, bound))) }
        if isClosed { verbs.append(.until(["closed"], within: length(to: last, bound))) }
        self = LiftGuard(since: now)
        return verbs
    }

    /// Three times what it took, at least a second, at most what the contract grants; whole tenths of seconds.
    private func length(to end: Instant, _ bound: Duration) -> Duration {
        let took = max(0, since.duration(to: end).nanoseconds)
        let tripled = took.multipliedReportingOverflow(by: 3)
        let wanted = min(tripled.overflow ? .max : tripled.partialValue, bound.nanoseconds)
        let tenth: Int64 = 100_000_000
        return .nanoseconds(max(10, wanted / tenth + (wanted % tenth == 0 ? 0 : 1)) * tenth)
    }

    /// A name that a guard can say and that means a message there.
    private static func isWord(_ name: String) -> Bool {
        !["open", "refused", "answered", "closed", "ended", "within", "and", ""].contains(name)
            && name.utf8.count <= 100 && !name.hasPrefix("#")
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "|" }
    }
}

/// What a contract says about events and time, for guards.
struct LiftLandmarks {
    private let names: Set<String>
    private let globs: [Glob]
    /// The longest that anything may take.
    let bound: Duration

    init(_ contract: Contract?) {
        guard let contract else {
            names = []
            globs = []
            bound = .seconds(30)
            return
        }
        names = Set(
            [contract.session?.greeting, contract.session?.ready].compactMap { $0 } + (contract.errors?.event ?? [])
                + contract.requests.flatMap(\.answer))
        globs = contract.runs.flatMap(\.states).flatMap(\.edges).filter { $0.next == "done" && !$0.name.isRequest }
            .map(\.name.glob)
        let bounds =
            contract.runs.flatMap(\.hot).compactMap(\.within) + contract.requests.compactMap(\.within)
            + [contract.deadline, contract.session?.within, contract.errors?.within].compactMap { $0 }
        bound = min(max(.seconds(1), bounds.max() ?? .seconds(30)), .seconds(3_600))
    }

    func contains(_ name: String) -> Bool { names.contains(name) || globs.contains { $0.matches(name) } }
}
