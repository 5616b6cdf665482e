package import Journaling
import NIOCore
import Wire

/// Large packets: what others would send one by one comes in one piece.
package struct Coalesce: Fault {
    package static let name = "coalesce"
    package static let group = FaultGroup.transport
    package static let summary = "gathers bytes, sends them in one piece"
    package static let excuse = "deadlines, by the time"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("time", .duration, default: "100ms", doc: "how long bytes wait for others at most"),
        Parameter("size", .bytes, default: "16KiB", doc: "how many go at once, without waiting on"),
    ]

    private let time: Duration
    private let size: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        time = reader.duration("time") ?? .zero
        size = reader.bytes("size") ?? 0
    }

    package var influence: Influence { Influence(.connection, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(Basket(time: time, size: size))], detail: "gathered for \(time.milliseconds) or \(size) bytes")
    }
}

private struct Basket: Shaper {
    static let isLong = true
    let time: Duration
    let size: Int
    private var gathered = ByteBuffer()
    private(set) var due = Instant.distantFuture

    init(time: Duration, size: Int) {
        self.time = time
        self.size = size
    }

    var count: Int { gathered.readableBytes > 0 ? 1 : 0 }
    var held: Duration { time }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        guard case .bytes(let bytes, _) = piece else {
            stop(into: &flow)
            return flow.pass(piece)
        }
        flow.act()
        if gathered.readableBytes == 0 { due = now.advanced(by: time) }
        gathered.writeImmutableBuffer(bytes)
        if gathered.readableBytes >= size { stop(into: &flow) }
    }

    mutating func wake(at now: Instant, into flow: inout Flow) { stop(into: &flow) }

    mutating func relieve(into flow: inout Flow) { stop(into: &flow) }

    mutating func stop(into flow: inout Flow) {
        due = .distantFuture
        guard gathered.readableBytes > 0 else { return }
        flow.pass(.bytes(gathered))
        gathered = ByteBuffer()
    }
}
