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
            [.shape(DelayLine(latency: latency, jitter: jitter, dice: dice))],
            detail: "\(latency.milliseconds) later\(spread)")
    }
}

private struct DelayLine: Shaper {
    static let isLong = true
    let latency: Duration
    let jitter: Duration
    var dice: Dice
    private var line = FIFO<(piece: Piece, release: Instant)>()
    private var last = Instant.zero

    init(latency: Duration, jitter: Duration, dice: Dice) {
        self.latency = latency
        self.jitter = jitter
        self.dice = dice
    }

    var due: Instant { line.first?.release ?? .distantFuture }
    var count: Int { line.count }
    var held: Duration {
        let (sum, overflow) = latency.nanoseconds.addingReportingOverflow(jitter.nanoseconds)
        return .nanoseconds(overflow ? .max : sum)
    }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        var release = now
        // An end is only as late as what is before it.
        if case .bytes = piece { release = now.advanced(by: dice.around(latency, by: jitter)) }
        last = max(last, release)
        if last > now { flow.act() }
        line.append((piece, last))
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        while let first = line.first, first.release <= now {
            line.popFirst()
            flow.pass(first.piece)
        }
    }

    mutating func relieve(into flow: inout Flow) {
        if let first = line.popFirst() { flow.pass(first.piece) }
    }

    mutating func stop(into flow: inout Flow) {
        while let first = line.popFirst() { flow.pass(first.piece) }
    }
}
