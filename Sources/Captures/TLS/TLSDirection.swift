import Journaling
import NIOCore
import Wire

/// What one side of a TLS connection sent and how far it is read.
final class TLSDirection {
    enum Phase {
        /// Handshake in the open.
        case clear
        /// Records under a key. `isHandshake`: of TLS 1.3, until Finished.
        case open(RecordOpener, isHandshake: Bool)
        /// TLS 1.3, Finished was read: the next record is under the traffic secret.
        case finished
        /// TLS 1.3, only the traffic secret is known: whatever does not open yet is of the handshake.
        case searching(RecordOpener)
        /// close_notify was read.
        case closed
        /// Nothing more can be read.
        case lost
    }

    /// What has to come before the next record can be read.
    enum Need: Equatable {
        case hello(Side)
        case secret([KeyLog.Label])
    }

    enum Item {
        case bytes(ByteBuffer)
        case gap(UInt64)
        case ended(EndStyle)

        /// Bytes of memory while it is held.
        var cost: Int {
            switch self {
            case .bytes(let bytes): 64 + bytes.readableBytes
            case .gap, .ended: 64
            }
        }

        /// To be kept: a slice would keep alive all of the buffer that it is of, be it a packet or a window of a file.
        var own: Item {
            guard case .bytes(let bytes) = self, bytes.storageCapacity > 4 * max(bytes.readableBytes, 64) else { return self }
            return .bytes(ByteBuffer(bytes: bytes.readableBytesView))
        }
    }

    let side: Side
    var phase = Phase.clear
    var input = ByteBuffer()
    var need: Need?
    /// Items that arrived while something was needed.
    var held = CircularBuffer<(item: Item, time: WallTime)>()
    /// What `held` costs, and what `input` does while something is needed.
    var heldCost = 0
    var inputCost = 0
    var handshake = TLSHandshakeReader()
    /// TLS 1.3: the traffic secret in use, from which a key update makes the next.
    var secret: [UInt8] = []
    var sawChangeCipherSpec = false
    /// TLS 1.3, client: records may be early data until the first that opens.
    var maySkip = false
    var skipped = (records: 0, bytes: 0)
    var records: UInt64 = 0
    var time: WallTime = 0
    /// The transport's end came, and an end was passed on: that, or close_notify before it.
    var hasEnded = false
    var passedEnd = false

    init(_ side: Side) { self.side = side }

    var isDone: Bool {
        switch phase {
        case .closed, .lost: true
        case .clear, .open, .finished, .searching: false
        }
    }

    /// It waits, or what waited is not read yet.
    var isHeldUp: Bool { need != nil || !held.isEmpty }

    /// When what is read next was captured.
    var nextTime: WallTime { need == nil ? held.first?.time ?? time : time }

    var handshakeLabel: KeyLog.Label { side == .client ? .clientHandshake : .serverHandshake }
    var trafficLabel: KeyLog.Label { side == .client ? .clientTraffic : .serverTraffic }

    /// Puts bytes behind those that are left of a record.
    func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
    }

    /// Keeps what is left of the input in memory of its own: a slice would keep alive the whole window of a file.
    func keep() {
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if input.readerIndex > 0 || input.storageCapacity > 2 * input.readableBytes + 64 {
            input = ByteBuffer(bytes: input.readableBytesView)
        }
    }

    /// Frees what is no longer of use.
    func lose() {
        phase = .lost
        input = ByteBuffer()
        handshake = TLSHandshakeReader()
        secret = []
        need = nil
    }
}
