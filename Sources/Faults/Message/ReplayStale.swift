package import Journaling
import NIOCore
import Wire

/// Sends an earlier message of the direction again.
package struct ReplayStale: Fault {
    package static let name = "replay-stale"
    package static let group = FaultGroup.message
    package static let summary = "sends an earlier message again"
    package static let excuse = "D1, C2 of that message"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "back", .count, default: "1", range: 1...most,
            doc: "how many messages of the direction ago it came, 1 to 64; messages longer than 256 KiB are not remembered"),
        Parameter("age", .duration, doc: "the latest one that is at least this old, instead of counting"),
        Parameter(
            "from", .choice(["here", "before"]), default: "here",
            doc: "of this connection, or of the one that the user had before it: from before the reconnect"),
        Parameter("place", .choice(["behind", "before", "instead"]), default: "behind", doc: "where it goes, seen from the message"),
    ]

    private static let most = 64
    private static let mostBytes = 1 << 20

    private var toServer: [PastMessage] = []
    private var toClient: [PastMessage] = []
    private let isBefore: Bool
    private let back: Int
    private let age: Duration?
    private let place: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        back = reader.count("back") ?? 1
        age = reader.duration("age")
        isBefore = reader.text("from") == "before"
        place = reader.text("place") ?? "behind"
    }

    package var influence: Influence { Influence(.message, [.delivery, .completion]) }
    package var remembers: Bool { !isBefore }
    package var joins: [Joining] { isBefore ? [.past] : [] }

    /// The last ones of each direction, as far as they fit into a bounded memory.
    package mutating func saw(_ message: Message, at now: Instant) {
        guard message.payload.readableBytes <= Self.mostBytes / 4 else { return }
        var message = message
        message.payload = message.payload.compacted
        var past = message.direction == .toServer ? toServer : toClient
        past.append(PastMessage(message: message, at: now))
        var size = past.reduce(0) { $0 + $1.message.payload.readableBytes }
        while past.count > Self.most || size > Self.mostBytes { size -= past.removeFirst().message.payload.readableBytes }
        if message.direction == .toServer { toServer = past } else { toClient = past }
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let here = message.direction == .toServer ? toServer : toClient
        let past = isBefore ? scene.past.filter { $0.message.direction == message.direction } : here
        let found: PastMessage?
        if let age {
            found = past.last { $0.at.duration(to: scene.now) >= age }
        } else {
            found = past.count >= back ? past[past.count - back] : nil
        }
        guard var old = found?.message else { return .notApplied("no message so old is remembered") }
        old.changed = true
        let again = Effect.forward(.message(old), at: nil)
        let current = Effect.forward(parcel, at: nil)
        let before = isBefore ? " of the connection before" : ""
        let detail = "message \(old.ordinal)\(before) again \(place == "instead" ? "instead of" : place) message \(message.ordinal)"
        switch place {
        case "before": return .effects([again, current], detail: detail)
        case "instead": return .effects([again], detail: detail)
        default: return .effects([current, again], detail: detail)
        }
    }
}
