import Journaling
import NIOCore

/// Feeds the machine and does what it says. Lives on one event loop.
final class BackendCore {
    private var machine: BackendMachine
    private let loop: any EventLoop
    private let marks: MarkFile?
    private let messages: MarkFile?
    private let start = NIODeadline.now()
    private var channels: [BackendConnectionID: any Channel] = [:]
    private var lastID: UInt64 = 0
    private var wake: (at: Instant, task: Scheduled<Void>)?
    /// Events that came while another was being handled, as from a channel that ends in the middle of a write.
    private var waiting: [BackendEvent] = []
    private var isBusy = false

    init(_ machine: BackendMachine, loop: any EventLoop, marks: MarkFile?, messages: MarkFile?) {
        self.machine = machine
        self.loop = loop
        self.marks = marks
        self.messages = messages
    }

    func accept(_ channel: any Channel) -> BackendConnectionID {
        lastID += 1
        let id = BackendConnectionID(lastID)
        channels[id] = channel
        handle(.opened(id))
        return id
    }

    func ended(_ id: BackendConnectionID) {
        channels[id] = nil
        handle(.ended(id))
    }

    func closeAll() {
        for channel in channels.values { channel.close(promise: nil) }
    }

    func handle(_ event: BackendEvent) {
        waiting.append(event)
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        while !waiting.isEmpty {
            let events = waiting
            waiting = []
            for event in events { perform(event) }
        }
        schedule()
    }

    private var now: Instant { Instant(nanoseconds: (NIODeadline.now() - start).nanoseconds) }

    private func perform(_ event: BackendEvent) {
        var effects: [BackendEffect] = []
        machine.handle(event, at: now, into: &effects)
        if let messages, !machine.messages.isEmpty {
            for message in machine.messages { messages.write(message.line) }
            machine.messages = []
        }
        // One flush a connection, however much is said on it.
        var written: Set<BackendConnectionID> = []
        for effect in effects {
            switch effect {
            case .send(let id, let bytes):
                channels[id]?.write(bytes, promise: nil)
                written.insert(id)
            case .close(let id):
                if written.remove(id) != nil { channels[id]?.flush() }
                if let channel = channels[id] { letGo(of: channel) }
            case .mark(let mark): marks?.write(mark.line)
            }
        }
        for id in written { channels[id]?.flush() }
    }

    /// Ends our side behind what is flushed and waits a little for the peer's end: closing at once with unread bytes
    /// would reset the connection, and the peer might never read our last words.
    private func letGo(of channel: any Channel) {
        channel.close(mode: .output, promise: nil)
        let deadline = loop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
    }

    private func schedule() {
        guard let next = machine.nextWake else { return }
        if let wake, wake.at <= next { return }
        wake?.task.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        // A deadline beyond a day is looked at again each day: no sum of far instants can overflow.
        let pause = min(max(0, now.duration(to: next).nanoseconds), 86_400_000_000_000)
        let task = loop.scheduleTask(in: .nanoseconds(pause)) {
            bound.value.wake = nil
            bound.value.handle(.wake)
        }
        wake = (next, task)
    }
}

/// One connection's end of the pipeline.
final class BackendHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let core: BackendCore
    private var id: BackendConnectionID?

    init(core: BackendCore) { self.core = core }

    func channelActive(context: ChannelHandlerContext) {
        id = core.accept(context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let id { core.handle(.received(id, unwrapInboundIn(data))) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let id { core.ended(id) }
        id = nil
        context.fireChannelInactive()
    }

    /// A peer that does not read is not read either, so that it cannot make us hold what it asks for.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        context.channel.setOption(.autoRead, value: isWritable).whenComplete { _ in }
        if let id { core.handle(isWritable ? .drained(id) : .blocked(id)) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
