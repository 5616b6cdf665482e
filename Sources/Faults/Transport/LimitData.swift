package import Journaling
import NIOCore
import Wire

/// A connection that ends after so many bytes. toxiproxy's `limit_data`: the last ones go, the rest is thrown away, and both
/// sides are closed.
package struct LimitData: Fault {
    package static let name = "limit_data"
    package static let group = FaultGroup.transport
    package static let summary = "closes after so many bytes"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("bytes", .bytes, default: "64KiB", doc: "how many go through, the upgrade's head counted in")
    ]

    private let bytes: Int

    package init(_ settings: Settings) throws(SettingsError) {
        bytes = try SettingsReader(settings, for: Self.parameters).bytes("bytes") ?? 0
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(Ration(left: bytes))], detail: "closed after \(bytes) bytes")
    }
}

private struct Ration: Shaper {
    private var left: Int
    private var isClosed = false

    init(left: Int) { self.left = left }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        guard case .bytes(var rest, let apart) = piece else { return flow.pass(piece) }
        if let part = rest.readSlice(length: min(left, rest.readableBytes)), part.readableBytes > 0 {
            left -= part.readableBytes
            flow.pass(.bytes(part, apart: apart))
        }
        if left > 0 { return }
        flow.drop(rest.readableBytes)
        if !isClosed { flow.close() }
        isClosed = true
    }
}
