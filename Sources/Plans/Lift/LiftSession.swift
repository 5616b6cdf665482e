import Journaling
import NIOCore
import Wire

/// The client side of one recorded session, and what reached it.
struct LiftSession {
    enum Action {
        case connect
        /// The server's answer reached the client: true = accepted.
        case answered(Bool)
        /// A message reached the client.
        case event(ByteBuffer, Opcode)
        /// A text message in one ordinary frame.
        case text(ByteBuffer)
        case frame(FrameRecord)
        case bytes([UInt8])
        case close(code: UInt16, reason: String)
        case end(EndStyle)
        /// The server closed or ended the connection.
        case closed
    }
    struct Moment {
        var at: Instant
        /// Position in the recording, for moments of one instant.
        var order: Int
        var action: Action
    }

    let id: SessionID
    var opening = LiftOpening()
    /// The principal, when the recording names one.
    var user: String?
    var moments: [Moment] = []
    var began: Instant
    /// Nil = open to the end of the recording.
    var ended: Instant?
    var deflates = false
}
