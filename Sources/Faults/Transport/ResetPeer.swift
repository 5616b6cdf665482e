package import Journaling
import Wire

/// A connection that is reset when it is used. toxiproxy's `reset_peer`: at the first data, or the end, nothing goes on any
/// more and after a time both sides get RST.
package struct ResetPeer: Fault {
    package static let name = "reset_peer"
    package static let group = FaultGroup.transport
    package static let summary = "resets the connection at its first data"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("timeout", .duration, default: "0", doc: "from the first data to the reset")
    ]

    private let timeout: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        timeout = try SettingsReader(settings, for: Self.parameters).duration("timeout") ?? .zero
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(Fuse(wait: timeout))], detail: "reset \(timeout.milliseconds) after the first data")
    }
}

private struct Fuse: Shaper {
    let wait: Duration
    private(set) var due = Instant.distantFuture
    private var isLit = false
    private var hasDropped = false
    private var end: Piece?

    init(wait: Duration) { self.wait = wait }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        if case .deed(let deed) = piece {
            if !deed.isEnd { return flow.pass(piece) }
            end = piece
        }
        if !isLit {
            isLit = true
            due = now.advanced(by: wait)
            flow.act()
        }
        if piece.size > 0 {
            hasDropped = true
            flow.drop(piece.size)
        }
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        due = .distantFuture
        flow.reset()
    }

    mutating func stop(into flow: inout Flow) {
        if hasDropped { flow.close() } else if let end { flow.pass(end) }
    }
}
