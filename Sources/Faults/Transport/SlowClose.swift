package import Journaling
import Wire

/// An end that comes late. toxiproxy's `slow_close`: nothing but the end waits.
package struct SlowClose: Fault {
    package static let name = "slow_close"
    package static let group = FaultGroup.transport
    package static let summary = "holds back the end of the connection"
    package static let excuse = "how soon the connection ends"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [Parameter("delay", .duration, default: "1s", doc: "how long the end waits")]

    private let delay: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        delay = try SettingsReader(settings, for: Self.parameters).duration("delay") ?? .zero
    }

    package var influence: Influence { Influence(.connection, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(LateEnd(delay: delay))], detail: "the end \(delay.milliseconds) later")
    }
}

private struct LateEnd: Shaper {
    let delay: Duration
    private var line = FIFO<Piece>()
    private(set) var due = Instant.distantFuture

    init(delay: Duration) { self.delay = delay }

    var count: Int { line.count }
    var held: Duration { delay }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        if case .bytes = piece, line.isEmpty { return flow.pass(piece) }
        if line.isEmpty {
            due = now.advanced(by: delay)
            flow.act()
        }
        line.append(piece)
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        stop(into: &flow)
        due = .distantFuture
    }

    mutating func stop(into flow: inout Flow) {
        while let first = line.popFirst() { flow.pass(first) }
    }
}
