package import Journaling
import NIOCore
import Wire

/// A narrow line. toxiproxy's `bandwidth`: pieces of at most a tenth of a second's worth, each as late as its size takes.
package struct Bandwidth: Fault {
    package static let name = "bandwidth"
    package static let group = FaultGroup.transport
    package static let summary = "lets only so much through in a second"
    package static let excuse = "deadlines"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("rate", .rate, default: "64KiB/s", doc: "how much; 0 lets nothing through and closes nothing")
    ]

    private let rate: Int

    package init(_ settings: Settings) throws(SettingsError) {
        rate = try SettingsReader(settings, for: Self.parameters).rate("rate") ?? 0
    }

    package var influence: Influence { Influence(.connection, rate == 0 ? [.deadline, .delivery, .completion] : [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(NarrowLine(rate: rate))], detail: rate == 0 ? "nothing goes through" : "\(rate) bytes a second")
    }
}

private struct NarrowLine: Shaper {
    let rate: Int
    private var line = FIFO<Piece>()
    /// Of the first piece, those under way.
    private var slice = 0
    private(set) var due = Instant.distantFuture

    init(rate: Int) { self.rate = rate }

    var count: Int { line.count }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        flow.act()
        line.append(piece)
        if line.count == 1 { begin(at: now) }
    }

    private mutating func begin(at now: Instant) {
        guard rate > 0, let first = line.first else { return due = .distantFuture }
        slice = min(first.size, max(1, rate / 10))
        let (product, overflow) = Int64(slice).multipliedReportingOverflow(by: 1_000_000_000)
        due = overflow ? .distantFuture : now.advanced(by: .nanoseconds(product / Int64(rate)))
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        while due <= now, let first = line.first {
            if case .bytes(var rest, let apart) = first, rest.readableBytes > slice, let part = rest.readSlice(length: slice) {
                flow.pass(.bytes(part, apart: apart))
                line.first = .bytes(rest, apart: apart)
            } else {
                flow.pass(first)
                line.popFirst()
            }
            begin(at: due)
        }
    }

    mutating func stop(into flow: inout Flow) {
        while let first = line.popFirst() { flow.pass(first) }
    }
}
