package import Journaling
import NIOCore
import Wire

/// Small packets. toxiproxy's `slicer`: what arrives is halved until the parts are about that large, and each goes by itself.
package struct Slicer: Fault {
    package static let name = "slicer"
    package static let group = FaultGroup.transport
    package static let summary = "sends everything in small pieces"
    package static let excuse = "deadlines, where the pieces are delayed"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("average_size", .bytes, default: "64B", doc: "how large a piece is, from 1B"),
        Parameter("size_variation", .bytes, default: "0", doc: "up to this much larger or smaller; less than average_size"),
        Parameter("delay", .duration, default: "0", doc: "how long it waits behind each piece"),
    ]

    private let average: Int
    private let variation: Int
    private let delay: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        average = reader.bytes("average_size") ?? 0
        variation = reader.bytes("size_variation") ?? 0
        delay = reader.duration("delay") ?? .zero
        // toxiproxy halves such pieces for ever.
        if average < 1 {
            throw SettingsError(parameter: "average_size", needs: "a size", expected: "at least 1B", found: "\(average)B")
        }
        if variation >= average, variation > 0 {
            throw SettingsError(
                parameter: "size_variation", needs: "a size", expected: "less than the average of \(average)B",
                found: "\(variation)B")
        }
    }

    package var influence: Influence { Influence(.connection, delay > .zero ? [.deadline] : []) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects(
            [.shape(Knife(average: average, variation: variation, delay: delay, dice: dice))],
            detail: "pieces of about \(average) bytes")
    }
}

/// Cuts lazily: a piece of many megabytes is never a list of its bytes.
struct Knife: Shaper {
    let average: Int
    let variation: Int
    let delay: Duration
    var dice: Dice
    private var line = FIFO<Piece>()
    /// Sizes of the parts that the first piece is halved into so far, the next one last.
    private var parts: [Int] = []
    private var ready = Instant.zero
    /// Pieces at one instant; then others have their turn.
    private static let most = 256

    init(average: Int, variation: Int, delay: Duration, dice: Dice) {
        self.average = average
        self.variation = variation
        self.delay = delay
        self.dice = dice
    }

    var due: Instant { line.isEmpty ? .distantFuture : ready }
    var count: Int { line.count }

    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow) {
        line.append(piece)
        ready = max(ready, now)
    }

    mutating func wake(at now: Instant, into flow: inout Flow) {
        var made = 0
        while ready <= now, made < Self.most, let first = line.first {
            guard case .bytes(var rest, _) = first else {
                line.popFirst()
                flow.pass(first)
                continue
            }
            let size = next(of: rest.readableBytes)
            if size < rest.readableBytes { flow.act() }
            guard let part = rest.readSlice(length: size) else { return }
            flow.pass(.bytes(part, apart: true))
            if rest.readableBytes > 0 { line.first = .bytes(rest, apart: true) } else { line.popFirst() }
            made += 1
            // Not from `now`: who is woken late would send ever later.
            if delay > .zero { ready = ready.advanced(by: delay) }
        }
    }

    private mutating func next(of whole: Int) -> Int {
        if parts.isEmpty { parts = [whole] }
        while let size = parts.last, size > 1, size - average > variation {
            var middle = size / 2
            if variation > 0 { middle += dice.below(2 * variation) - variation }
            middle = min(max(middle, 1), size - 1)
            parts[parts.count - 1] = size - middle
            parts.append(middle)
        }
        return min(whole, parts.popLast() ?? whole)
    }

    mutating func stop(into flow: inout Flow) {
        while let first = line.popFirst() { flow.pass(first) }
        parts = []
    }
}
