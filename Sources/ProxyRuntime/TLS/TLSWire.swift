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
    private var isShaking = true
    /// The peer's reason for ending a handshake, sent in the clear: the library cannot read it when it expects secrets already
    /// (OpenSSL's clients send it so).
    private(set) var alert: UInt8?

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
        // Behind TLS it is known how many records are data; the library sends some of its own that look the same.
        if orders.corruption != nil { try channel.pipeline.syncOperations.addHandler(DataRecords(wire), position: .after(ssl)) }
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

    func handshakeIsDone() {
        isShaking = false
        corruption?.isArmed = true
    }

    /// So many bytes are to be encrypted.
    fileprivate func expect(_ count: Int) { corruption?.expect(count) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isShaking { noteAlert(in: unwrapInboundIn(data)) }
        context.fireChannelRead(data)
    }

    private func noteAlert(in bytes: ByteBuffer) {
        var record = bytes
        // RFC 8446 appendix D.4: a change_cipher_spec may stand before it.
        if record.getInteger(at: record.readerIndex, as: UInt8.self) == 20 { _ = record.readSlice(length: 6) }
        guard record.readableBytes >= 7, record.readInteger(as: UInt8.self) == 21, record.readSlice(length: 2) != nil,
            record.readInteger(as: UInt16.self) == 2, record.readInteger(as: UInt8.self) == 2
        else { return }
        alert = record.readInteger()
    }

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
    /// Records that our own bytes have still to become.
    private var expected = 0

    init(_ order: TLSOrders.Corruption) { self.order = order }

    mutating func expect(_ count: Int) {
        // RFC 8446 section 5.1: at most 2^14 bytes a record.
        if count > 0 { expected += (count + 16_383) / 16_384 }
    }

    /// Flips when it is the record's turn; the library hands over whole records. True when it has.
    mutating func pass(_ bytes: inout ByteBuffer) -> Bool {
        guard isArmed else { return false }
        var bodies: [Range<Int>] = []
        var at = bytes.readerIndex
        while let kind = bytes.getInteger(at: at, as: UInt8.self), let size = bytes.getInteger(at: at + 3, as: UInt16.self) {
            let body = at + 5..<at + 5 + Int(size)
            guard body.upperBound <= bytes.writerIndex else { break }
            if kind == 23 { bodies.append(body) }
            at = body.upperBound
        }
        // Tickets and the like look the same and go ahead of what they were written with.
        for body in bodies.suffix(expected) {
            seen += 1
            expected -= 1
            guard seen == order.record, !body.isEmpty else { continue }
            let place = body.lowerBound + Int(order.draw % UInt64(body.count))
            guard let old = bytes.getInteger(at: place, as: UInt8.self) else { continue }
            // Another byte for sure.
            bytes.setInteger(old ^ (UInt8(truncatingIfNeeded: order.draw >> 32) | 1), at: place)
            return true
        }
        return false
    }
}

/// Stands behind NIOSSL's handler and tells the wire what is on its way to it.
private final class DataRecords: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let wire: TLSWire

    init(_ wire: TLSWire) { self.wire = wire }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        wire.expect(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
