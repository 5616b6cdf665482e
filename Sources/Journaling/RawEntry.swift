package import NIOCore
package import Wire

/// What the data path hands to the recorder: reference-counted slices and two instants, nothing decoded. The
/// `Transcriber` turns these into `Entry` values on another thread. Keep it small: one is made per read.
package struct RawEntry: Sendable {
    package var instant: Instant
    package var session: SessionID
    /// First ordinal used; a read with n frames uses n (see `Body.read`).
    package var ordinal: UInt32
    package var body: Body

    package init(instant: Instant, session: SessionID, ordinal: UInt32, body: Body) {
        self.instant = instant
        self.session = session
        self.ordinal = ordinal
        self.body = body
    }

    package enum Body: Sendable {
        /// Scan lane: these bytes came in and went out unchanged in one write. `ends` are the offsets in `bytes`
        /// behind each frame that ends in it; the first frame may have begun in an earlier read, the last may go on.
        case read(Direction, ByteBuffer, ends: [Int32])
        /// Work lane: bytes of exactly one whole frame (or head, or illegal piece), seen at one tap or at both.
        case piece(Direction, Piece, ByteBuffer, in: Instant?, out: Instant?, Provenance)
        /// Everything that is a value already.
        case value(Entry.Body)
    }

    package enum Piece: Sendable, Hashable { case head, frame, bytes(BytesRecord.Kind) }
}
