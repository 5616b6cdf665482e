import Faults
import NIOCore
import NIOSSL

/// Stands between the socket and NIOSSL's handler. It gives ends of a connection that TLS itself would soften, and performs
/// the faults that act on records: what passes here is what is on the wire.
final class TLSWire: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var stall: StalledRecords?
    private var corruption: CorruptedRecord?

    private init(_ orders: TLSOrders) {
        stall = orders.stall.map(StalledRecords.init)
        corruption = orders.corruption.map(CorruptedRecord.init)
    }

    /// Puts wire, `ssl` and gate before everything that the pipeline holds.
    static func install(
        _ ssl: NIOSSLHandler, on channel: any Channel, orders: TLSOrders, handshakeTime: Duration, peer: String
    ) throws -> TLSWire {
        let wire = TLSWire(orders)
        let gate = TLSGate(ssl, wire: wire, handshakeTime: handshakeTime, peer: peer)
        // The gate first: NIOSSL begins at once when the channel is active, and must find somebody to tell.
        try channel.pipeline.syncOperations.addHandler(gate, position: .first)
        try channel.pipeline.syncOperations.addHandler(wire, position: .first)
        try channel.pipeline.syncOperations.addHandler(ssl, position: .after(wire))
        return wire
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { armStall(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stall?.timer?.cancel()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        armStall(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stall?.timer?.cancel()
        stall = nil
        context.fireChannelInactive()
    }

    // MARK: Ends

    /// Both directions at once, without close_notify; RST when the socket lingers for no time.
    func close() { context?.close(promise: nil) }

    /// FIN without close_notify.
    func truncate() { context?.close(mode: .output, promise: nil) }

    // MARK: Faults

    /// A fault holds the handshake up.
    var isStalled: Bool { stall != nil }

    func handshakeIsDone() { corruption?.isArmed = true }

    private func armStall(_ context: ChannelHandlerContext) {
        guard let time = stall?.order.time, stall?.timer == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stall?.timer = context.eventLoop.scheduleTask(in: .nanoseconds(time.nanoseconds)) {
            let (wire, context) = bound.value
            wire.goOn(context)
        }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        guard let held = stall else { return }
        stall = nil
        for (bytes, promise) in held.waiting { context.write(wrapOutboundOut(bytes), promise: promise) }
        if !held.waiting.isEmpty { context.flush() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if stall == nil && corruption == nil { return context.write(data, promise: promise) }
        var bytes = unwrapOutboundIn(data)
        if let through = stall?.take(&bytes, promise) {
            if through.readableBytes > 0 { context.write(wrapOutboundOut(through), promise: nil) }
            return
        }
        if corruption?.pass(&bytes) == true { corruption = nil }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}

/// Holds back what TLS wants to send.
private struct StalledRecords {
    let order: TLSOrders.Stall
    var timer: Scheduled<Void>?
    var waiting: [(ByteBuffer, EventLoopPromise<Void>?)] = []
    private var helloIsOut = false

    init(_ order: TLSOrders.Stall) { self.order = order }

    /// - Returns: the part that goes out now; the rest waits.
    mutating func take(_ bytes: inout ByteBuffer, _ promise: EventLoopPromise<Void>?) -> ByteBuffer {
        var through = ByteBuffer()
        if order.isAfterHello, !helloIsOut,
            let size = bytes.getInteger(at: bytes.readerIndex + 3, as: UInt16.self).map({ Int($0) + 5 }),
            let hello = bytes.readSlice(length: size)
        {
            helloIsOut = true
            through = hello
        }
        waiting.append((bytes, promise))
        return through
    }
}

/// Flips bits in one record of application data (RFC 8446 section 5.2): its header stays, so that it arrives as a record.
private struct CorruptedRecord {
    private let order: TLSOrders.Corruption
    var isArmed = false
    private var seen = 0
    /// Header bytes of the record that is under way, and body bytes of it that are still to come.
    private var header: [UInt8] = []
    private var left = 0

    init(_ order: TLSOrders.Corruption) { self.order = order }

    /// Follows records and flips when it is their turn. True when it has.
    mutating func pass(_ bytes: inout ByteBuffer) -> Bool {
        var at = bytes.readerIndex
        while at < bytes.writerIndex {
            if left > 0 {
                let step = min(left, bytes.writerIndex - at)
                left -= step
                at += step
                continue
            }
            guard let byte = bytes.getInteger(at: at, as: UInt8.self) else { return false }
            header.append(byte)
            at += 1
            guard header.count == 5 else { continue }
            left = Int(header[3]) << 8 | Int(header[4])
            let isData = header[0] == 23 && isArmed
            header = []
            guard isData else { continue }
            seen += 1
            guard seen == order.record, left > 0 else { continue }
            let place = at + Int(order.draw % UInt64(left))
            guard let old = bytes.getInteger(at: place, as: UInt8.self) else { continue }
            // Never all bits of none: the byte is another one for sure.
            bytes.setInteger(old ^ (UInt8(truncatingIfNeeded: order.draw >> 32) | 1), at: place)
            return true
        }
        return false
    }
}
