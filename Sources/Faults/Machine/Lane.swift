import Journaling
import NIOCore
import Wire

/// One direction of a session: how its bytes are read, and what of them waits to go on.
struct Lane: Sendable {
    enum Mode: Sendable, Equatable {
        /// The opening head of this direction is not over.
        case head
        /// Frames that no trigger can select: looked at in place, handed on as they came.
        case scan
        /// Frames that are lifted to messages.
        case work
        /// Bytes that are no frames.
        case raw(BytesRecord.Kind)
    }

    let direction: Direction
    var mode = Mode.head
    var scanner: FrameScanner
    var work: WorkState?
    var extensions = ExtensionOutcome.none
    /// Data messages that began in the scan lane.
    var messages: UInt32 = 0
    /// The two sides were told different things of compression, so that no compressed message can be changed: one phrase.
    var altered: String?
    var outbox = Outbox()
    /// How what waits now is to leave.
    var gathering: Gathering?
    /// The fault that asked for it.
    var gatherer = ""
    /// Bytes to be written at the end of this event, joined.
    var gathered = ByteBuffer()
    /// The far transport is there.
    var isReady: Bool
    /// Transport faults stand between the outbox and the socket.
    var isShaped = false
    /// The far transport takes nothing any more: an end was handed on, or it is gone.
    var isShut = false
    /// Messages of other sessions that wait for the end of the message now going out.
    var inserts: [Insert] = []
    /// Messages of this direction that gave up their place, in the order in which they did.
    var later: [LaterMessage] = []
    /// Sessions that are owed the next message of this direction.
    var owed: [Crossing] = []

    init(_ direction: Direction, isReady: Bool) {
        self.direction = direction
        self.isReady = isReady
        scanner = FrameScanner(direction)
    }

    /// Frames that nothing can select and nothing holds up.
    var isOnlyScanned: Bool { mode == .scan && isClear && !isShut && inserts.isEmpty && owed.isEmpty }

    /// Nothing waits, so that what comes may go on at once.
    var isClear: Bool { isReady && outbox.isEmpty && !isShaped }

    /// Between two messages on the way out, so that another session's message may go here.
    var isBetweenMessages: Bool {
        switch mode {
        case .head, .raw: false
        case .scan: scanner.atFrameBoundary && !scanner.rules.inMessage
        case .work: work?.isBetweenMessages ?? true
        }
    }
}

/// What a lane in the work lane keeps beside.
struct WorkState: Sendable {
    var parser: FrameParser
    var assembler: MessageAssembler
    var pending = WaitingFrames()
    /// The message begun waits for its end; false: its frames went on as they came.
    var isHolding = false
    /// The message begun is compressed.
    var isCompressed = false
    /// A frame over L4, or begun in the scan lane, passes in pieces.
    var isPassing = false
    /// Frames of a message went out that is not ended yet.
    var isMidMessage = false
    /// Extensions are not known yet: frames with RSV1 wait for the server's answer.
    var isNegotiated: Bool
    var parameters: DeflateParameters?
    /// Deflates what faults changed.
    var deflater: Deflater?
    /// A compressed message was changed or left out under context takeover: from there on all are deflated anew.
    var isRecoding = false

    /// Another session's message may go out now.
    var isBetweenMessages: Bool { !isPassing && !isMidMessage }

    init(_ direction: Direction, extensions: ExtensionOutcome?, limits: Limits) {
        parser = FrameParser(limit: limits.messageBytes)
        assembler = MessageAssembler(
            direction, extensions: extensions ?? .none, limit: limits.messageBytes, fragments: limits.messageFragments)
        isNegotiated = extensions != nil
        parameters = extensions?.deflate
    }
}
