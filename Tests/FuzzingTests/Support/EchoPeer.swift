import NIOCore
import NIOPosix
import Synchronization
import Wire

/// A peer that answers alike whatever the time: it echoes messages, and keeps every byte that each connection brought.
final class EchoPeer: Sendable {
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let tape: Tape

    final class Tape: Sendable {
        private let streams = Mutex<[[UInt8]]>([])
        func open() -> Int { streams.withLock { $0.append([]); return $0.count - 1 } }
        func write(_ bytes: ByteBuffer, _ index: Int) { streams.withLock { $0[index] += Array(bytes.readableBytesView) } }
        var all: [[UInt8]] { streams.withLock { $0 } }
    }

    private init(port: Int, group: MultiThreadedEventLoopGroup, listener: any Channel, tape: Tape) {
        self.port = port
        self.group = group
        self.listener = listener
        self.tape = tape
    }

    static func start() async throws -> EchoPeer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tape = Tape()
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler(tape))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return EchoPeer(port: listener.localAddress?.port ?? 0, group: group, listener: listener, tape: tape)
    }

    /// What each connection brought, in no order, with this peer's own port left out.
    func stop() async throws -> [String] {
        try await listener.close()
        try await group.shutdownGracefully()
        return tape.all.map { bytes in
            String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })).replacing("127.0.0.1:\(port)", with: "HOST")
        }.sorted()
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let tape: EchoPeer.Tape
    private var stream = 0
    private var head = HeadParser(.request)
    private var parser = FrameParser()
    private var assembler = MessageAssembler(.toServer)
    private var legality = FrameLegality(.toServer)
    private var isOpen = false
    private var isOver = false

    init(_ tape: EchoPeer.Tape) { self.tape = tape }

    func channelActive(context: ChannelHandlerContext) { stream = tape.open() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        tape.write(bytes, stream)
        guard !isOver else { return }
        if isOpen { return frames(bytes, context) }
        head.feed(bytes)
        guard case .request(let request) = head.next() else { return }
        guard let key = request.fields.first(where: { $0.name.lowercased() == "sec-websocket-key" })?.value else {
            return answer("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", context)
        }
        isOpen = true
        write(
            ByteBuffer(
                string: "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                    + "sec-websocket-accept: \(AcceptKey.compute(key))\r\n\r\n"), context)
        frames(head.takeHeld(), context)
    }

    private func answer(_ text: String, _ context: ChannelHandlerContext) {
        isOver = true
        write(ByteBuffer(string: text), context)
        context.close(promise: nil)
    }

    private func frames(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        parser.feed(bytes)
        while !isOver {
            switch parser.next() {
            case .partial: return
            case .frame(let frame, _):
                guard legality.violations(of: frame).isEmpty else { return end(1002, context) }
                guard let message = assembler.take(frame) else { continue }
                switch message.opcode {
                case .ping: write(FrameWriter.bytes(Frame(opcode: .pong, payload: message.payload ?? ByteBuffer())), context)
                case .pong: break
                case .close: end(1000, context)
                default: write(FrameWriter.bytes(Frame(opcode: message.opcode, payload: message.payload ?? ByteBuffer())), context)
                }
            default: return end(1002, context)
            }
        }
    }

    private func end(_ code: UInt16, _ context: ChannelHandlerContext) {
        isOver = true
        write(FrameWriter.bytes(Frame(opcode: .close, payload: CloseBody(code: code).payload)), context)
        context.close(promise: nil)
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}
