package import Journaling
import Wire

/// A longer line: everything arrives later by so much, and in order. toxiproxy's `latency`, with each frame drawn by itself
/// where that draws for each read, so that the same seed decides the same however the bytes come.
package struct Latency: Fault {
    package static let name = "latency"
    package static let group = FaultGroup.transport
    package static let summary = "lets everything arrive later"
    package static let excuse = "deadlines, by as much"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("latency", .duration, default: "100ms", doc: "how much later"),
        Parameter("jitter", .duration, default: "0", spreads: "latency", doc: "up to this much more or less, drawn anew each time"),
    ]

    private let latency: Duration
    private let jitter: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        latency = reader.duration("latency") ?? .zero
        jitter = reader.duration("jitter") ?? .zero
    }

    package var influence: Influence { Influence(.connection, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let spread = jitter > .zero ? ", \(jitter.milliseconds) more or less" : ""
        return .effects(
            [.shape(DelayLine(latency: latency.nanoseconds, jitter: jitter.nanoseconds, dice: dice))],
            detail: "\(latency.milliseconds) later\(spread)")
    }
}

private struct DelayLine: Shaper {
    static let isLong = true
    let latency: Int64
    let jitter: Int64
    var dice: Dice
    private var line = FIFO<(piece: Piece, release: Instant)>()
    private var last = Instant.zero

    init(latency: Int64, jitter: Int64, dice: Dice) {
        self.latency = latency
        self.jitter = jitter
        self.dice = dice
    }

    var due: Instant { line.first?.release ?? .distantFuture }
    var count: Int { line.count }
    var held: Duration { .nanoseconds(latency.addingReportingOverflow(jitter).overflow ? .max : latency + jitter) }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        var release = now
        // An end is only as late as what is before it.
        if case .bytes = piece { release = now.advanced(by: .nanoseconds(delay())) }
        last = max(last, release)
        if last > now { flow.act() }
        line.append((piece, last))
    }

    private mutating func delay() -> Int64 {
        guard jitter > 0 else { return latency }
        let draw = Int64(clamping: dice.below(UInt64(clamping: jitter) &* 2 &+ 1)) &- jitter
        let (sum, overflow) = latency.addingReportingOverflow(draw)
        return overflow ? latency : max(0, sum)
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        while let first = line.first, first.release <= now {
            line.popFirst()
            flow.pass(first.piece)
        }
    }

    mutating func stop(into flow: inout Flow) {
        while let first = line.popFirst() { flow.pass(first.piece) }
    }
}
