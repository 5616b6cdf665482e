package import Journaling
import Wire

/// One side is told that the other has finished, in the middle of it all and without a Close frame (RFC 6455 section 7.1.1);
/// the way back stays open.
package struct HalfClose: Fault {
    package static let name = "half-close"
    package static let group = FaultGroup.transport
    package static let summary = "ends one direction, leaves the other open"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("delay", .duration, default: "1s", doc: "how long the direction is open")
    ]

    private let delay: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        delay = try SettingsReader(settings, for: Self.parameters).duration("delay") ?? .zero
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(EarlyEnd(due: scene.now.advanced(by: delay)))], detail: "FIN after \(delay.milliseconds)")
    }
}

private struct EarlyEnd: Shaper {
    private(set) var due: Instant
    private var isOver = false

    init(due: Instant) { self.due = due }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        switch piece {
        case .bytes where isOver: flow.drop(piece.size)
        case .deed(let deed) where isOver && deed.isEnd: break
        default: flow.pass(piece)
        }
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        due = .distantFuture
        isOver = true
        flow.finish()
    }
}
