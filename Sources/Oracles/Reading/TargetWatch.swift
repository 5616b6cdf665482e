import Journaling

/// What the journal tells of the target as a whole: what it takes, at which moments, for how much that it was given.
struct TargetWatch: Sendable {
    /// What is kept of one checkpoint.
    struct Point: Sendable, Equatable {
        var usage: TargetUsage
        var entry: Entry
    }
    /// A figure of which a target must not keep more and more.
    enum Resource: String, Sendable, Hashable, CaseIterable {
        case descriptors, threads, connections, memory

        func value(of usage: TargetUsage) -> Int64? {
            switch self {
            case .descriptors: usage.descriptors.map { Int64($0) }
            case .threads: usage.threads.map { Int64($0) }
            case .connections: usage.connections.map { Int64($0) }
            case .memory: Int64(clamping: usage.memory)
            }
        }

        /// Less is no growth: what runtimes, allocators and collectors take for themselves by and by.
        var least: Int64 { self == .memory ? 256 << 20 : 6 }
    }

    /// What may be taken for each byte on the wire (oracle.md, R1), for each session so far, and for warming up: runtimes that
    /// collect their garbage do so late.
    static let perByte: UInt64 = 16
    static let perSession: UInt64 = 1 << 20
    static let warmUp: UInt64 = 256 << 20
    /// The first quiet checkpoints are warm-up as well; with fewer in all nothing is told of a slope.
    static let unsettled = 2
    static let leastPoints = 8
    /// As many make a beginning of a slope.
    static let beginning = 3
    private static let mostPoints = 256
    /// What was closed is let go of within that time.
    static let rest: Duration = .seconds(2)

    /// Bytes that left for the server.
    var sent: UInt64 = 0
    private(set) var first: Point?
    private var sentAtFirst: UInt64 = 0
    private(set) var count = 0
    /// One for each time that nobody was connected, in order; the last of them counts.
    private(set) var quiet: [Point] = []
    /// When a connection ended last, and until when what was open on it may go on by itself.
    var lastEnd: Instant?
    var busyUntil: Instant = .zero
    /// What was told of already.
    var told: Set<Resource> = []
    var isPeakTold = false
    var sentinel: String?
    /// When its requests that are open were made, by the loops' clocks.
    var marks: [UInt64: Starvation.Mark] = [:]
    /// More were asked for than are kept: of some it is not known what kept them waiting.
    var lacksMarks = false
    static let mostMarks = 4_096

    mutating func add(_ usage: TargetUsage, _ entry: Entry) {
        count += 1
        let point = Point(usage: usage, entry: entry)
        if first == nil {
            first = point
            sentAtFirst = sent
        }
        guard usage.isQuiet, entry.instant >= busyUntil else { return }
        if quiet.last?.usage.sessions == usage.sessions {
            quiet[quiet.count - 1] = point
        } else {
            quiet.append(point)
        }
        // Every second one goes, so that the whole way stays in sight.
        if quiet.count > Self.mostPoints { quiet = quiet.indices.filter { $0 % 2 == 0 }.map { quiet[$0] } }
    }

    /// Bytes more than at the first checkpoint, and how many are all right.
    func peak(of usage: TargetUsage) -> (grown: UInt64, allowed: UInt64)? {
        guard let first else { return nil }
        let now = usage.peak ?? usage.memory
        let before = max(first.usage.peak ?? 0, first.usage.memory)
        let (bytes, isHuge) = (sent - min(sent, sentAtFirst)).multipliedReportingOverflow(by: Self.perByte)
        if isHuge { return nil }
        let sessions = UInt64(clamping: min(max(0, usage.sessions), 1 << 20)) &* Self.perSession
        let (allowed, overflow) = bytes.addingReportingOverflow(Self.warmUp &+ sessions)
        return overflow ? nil : (now - min(now, before), allowed)
    }

    /// The points between which a figure grows with nearly every lot of sessions and never comes back; nil when it does not.
    func growth(of resource: Resource) -> (first: Point, last: Point, from: Int64, to: Int64)? {
        guard quiet.count >= Self.leastPoints, let last = quiet.last, let lastEnd,
            lastEnd.duration(to: last.entry.instant) >= Self.rest
        else { return nil }
        let points = quiet.dropFirst(Self.unsettled)
        let values = points.compactMap { resource.value(of: $0.usage) }
        guard values.count == points.count, let from = values.first, let to = values.last, let start = points.first else { return nil }
        let steps = zip(values, values.dropFirst()).map { $1.subtractingReportingOverflow($0).partialValue }
        let rises = steps.count { $0 > 0 }
        let (grown, overflow) = to.subtractingReportingOverflow(from)
        guard !overflow, grown >= max(resource.least, Int64(steps.count)), rises * 5 >= steps.count * 4 else { return nil }
        // A pool that fills rises in its first half alone.
        let middle = values.count / 2
        guard let early = values[..<middle].max(), let late = values[middle...].min(), late >= early, (to - values[middle]) * 4 >= grown
        else { return nil }
        return (start, last, from, to)
    }
}
