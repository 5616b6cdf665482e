import NIOCore
import NIOHTTP2

/// What a `Link` on a stream writes goes through here: it counts what the system has not taken yet, which stream channels do
/// not tell, and knows how the stream's own direction ended. Confined to its event loop.
final class StreamOutlet {
    /// Bytes given by the link whose frames the system has not taken.
    private(set) var waiting: UInt64 = 0
    /// END_STREAM was written.
    private(set) var hasEnded = false
    /// The next close is a reset, whatever was said before.
    var isReset = false
    /// The stream is gone: what becomes known later was told to be lost.
    private var isGone = false
    /// Frames handed on, and how many of them are out.
    private var sent: UInt64 = 0
    private var out: UInt64 = 0
    private var waiters: [(at: UInt64, call: (Bool) -> Void)] = []

    /// - Parameter count: bytes of the link that are out when this frame is.
    func send(_ payload: HTTP2Frame.FramePayload, covering count: Int, _ context: ChannelHandlerContext) {
        guard !hasEnded, !isGone else { return }
        switch payload {
        case .headers(let headers): hasEnded = headers.endStream
        case .data(let data): hasEnded = data.endStream
        default: break
        }
        waiting &+= UInt64(clamping: count)
        sent &+= 1
        let (number, channel) = (sent, context.channel)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.isOut(number, count)
            // A frame that cannot be written leaves a hole: nothing may follow it.
            case .failure: if channel.isActive { channel.close(promise: nil) }
            }
        }
        context.write(NIOAny(payload), promise: promise)
    }

    func send(_ bytes: ByteBuffer, covering count: Int, _ context: ChannelHandlerContext) {
        send(.data(.init(data: .byteBuffer(bytes))), covering: count, context)
    }

    private func isOut(_ number: UInt64, _ count: Int) {
        guard !isGone else { return }
        waiting -= min(waiting, UInt64(clamping: count))
        out = max(out, number)
        while let first = waiters.first, first.at <= out {
            waiters.removeFirst()
            first.call(true)
        }
    }

    /// Calls back when everything sent so far is out: true, or when that will never be: false.
    func whenOut(_ body: @escaping (Bool) -> Void) {
        if isGone { return body(false) }
        if out == sent { return body(true) }
        waiters.append((sent, body))
    }

    func whenOut(_ promise: EventLoopPromise<Void>) {
        whenOut { isOut in if isOut { promise.succeed() } else { promise.fail(ChannelError.eof) } }
    }

    /// END_STREAM, without a word.
    func end(_ context: ChannelHandlerContext) {
        guard !hasEnded, !isGone else { return }
        send(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), covering: 0, context)
        context.flush()
    }

    /// As `end`, once everything sent is out: a stream that is closed at both ends is gone at once, and nobody would hear what
    /// became of what it carried.
    func endWhenOut(_ context: ChannelHandlerContext) {
        context.flush()
        whenOut { isOut in if isOut { self.end(context) } }
    }

    func gone() {
        isGone = true
        let left = waiters
        waiters = []
        for waiter in left { waiter.call(false) }
    }
}

/// A stream or its connection ended without the end that its peer owed.
struct StreamLost: Error {}
