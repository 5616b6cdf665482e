package import Journaling
package import NIOCore
import Wire

/// What one transport fault makes of the bytes of a direction: they go in, and come out later, in other pieces or not at
/// all, always in order and always the same. It owns no clock: `due` says when it wants to be woken.
package protocol Shaper: Sendable {
    /// It is a long line, on which much may be under way; any other keeps its source waiting soon.
    static var isLong: Bool { get }
    mutating func take(_ piece: Piece, at now: Instant, into flow: inout Flow)
    /// `due` has come.
    mutating func wake(at now: Instant, into flow: inout Flow)
    var due: Instant { get }
    /// It acts no more: what it holds goes on, and where something was thrown away the connection ends.
    mutating func stop(into flow: inout Flow)
    /// More is held than may be (trust.md L10): what came first goes on. Nothing of one that is no long line.
    mutating func relieve(into flow: inout Flow)
    /// Pieces that it holds.
    var count: Int { get }
    /// How long it keeps something back, for exact credit to deadlines.
    var held: Duration { get }
}

extension Shaper {
    package static var isLong: Bool { false }
    package var due: Instant { .distantFuture }
    package var count: Int { 0 }
    package var held: Duration { .zero }
    package mutating func wake(at now: Instant, into flow: inout Flow) {}
    package mutating func stop(into flow: inout Flow) {}
    package mutating func relieve(into flow: inout Flow) {}
}

package enum Piece: Sendable {
    /// `apart`: in a segment of its own.
    case bytes(ByteBuffer, apart: Bool = false)
    /// Something done behind all bytes before it.
    case deed(Deed)
}

/// The end of a connection, or of a direction of it, as it keeps its place among the bytes.
package struct Deed: Sendable {
    let item: Outbox.Item
    /// The source has ended; a deed of a fault otherwise.
    package var isEnd: Bool { if case .end = item { true } else { false } }
}

/// What comes out of a shaper: the closed list of what it may do.
package struct Flow: Sendable {
    private let fault: String
    private let direction: Direction
    private(set) var pieces: [Piece] = []
    private(set) var dropped = 0
    private(set) var hasActed = false

    init(fault: String, direction: Direction) {
        self.fault = fault
        self.direction = direction
    }

    package mutating func pass(_ piece: Piece) { pieces.append(piece) }

    /// So many bytes are thrown away. Nothing may be passed behind them, for a hole in a stream would be a change of it.
    package mutating func drop(_ count: Int) {
        dropped += count
        if count > 0 { hasActed = true }
    }

    /// The fault does something to this connection; its entry is written now, if it was not before.
    package mutating func act() { hasActed = true }

    /// FIN to both sides behind what was passed.
    package mutating func close() { end(.over(fault: fault)) }

    /// RST to both sides behind what was passed.
    package mutating func reset() {
        end(.cut(Side.allCases.map { .init(side: $0, style: .reset) }, fault: fault))
    }

    /// FIN in this direction alone.
    package mutating func finish() {
        end(.cut([.init(side: direction.destination, style: .half)], fault: fault))
    }

    private mutating func end(_ item: Outbox.Item) {
        hasActed = true
        pieces.append(.deed(Deed(item: item)))
    }
}

extension Piece {
    var size: Int { if case .bytes(let bytes, _) = self { bytes.readableBytes } else { 0 } }
}

extension Duration {
    /// `250 ms`, for people; a part of one is kept: `0.5 ms`.
    var milliseconds: String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest == 0 ? "\(whole) ms" : "\(Double(nanoseconds) / 1_000_000) ms"
    }
}
