package import Journaling
import Wire

/// A line that is dead and does not say so. toxiproxy's `timeout`: data is thrown away, and after so much silence of the
/// source, or when the fault is taken away, the connection is closed.
package struct Timeout: Fault {
    package static let name = "timeout"
    package static let group = FaultGroup.transport
    package static let summary = "throws data away, closes after a silence"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter(
            "timeout", .duration, default: "0",
            doc: "silence of the source after which both sides are closed; 0 = the connection stays")
    ]

    private let timeout: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        timeout = try SettingsReader(settings, for: Self.parameters).duration("timeout") ?? .zero
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let wait = timeout > .zero ? timeout : nil
        return .effects(
            [.shape(DeadEnd(from: scene.now, closes: wait, closesWhenGone: true))],
            detail: wait.map { "data thrown away, closed after a silence of \($0.milliseconds)" } ?? "data thrown away")
    }
}

/// Lets nothing through.
struct DeadEnd: Shaper {
    /// After that much without data.
    let closes: Duration?
    /// Also when nothing was thrown away.
    let closesWhenGone: Bool
    private(set) var due: Instant
    private var hasDropped = false
    private var end: Piece?

    init(from now: Instant, closes: Duration?, closesWhenGone: Bool = false) {
        self.closes = closes
        self.closesWhenGone = closesWhenGone
        due = closes.map { now.advanced(by: $0) } ?? .distantFuture
    }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        switch piece {
        case .bytes:
            hasDropped = true
            flow.drop(piece.size)
            if let closes, due < .distantFuture { due = now.advanced(by: closes) }
        case .deed(let deed) where deed.isEnd:
            flow.act()
            end = piece
        case .deed: flow.pass(piece)
        }
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        due = .distantFuture
        flow.close()
    }

    mutating func stop(into flow: inout Flow) {
        if hasDropped || closesWhenGone { flow.close() } else if let end { flow.pass(end) }
    }
}
