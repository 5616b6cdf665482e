import Contracts
import Journaling
import NIOCore
import NIOPosix
import Plans
import Profiles
import Testing
import Wire

@testable import Peers

/// Servers that send without end: a case is stopped before it fills the memory, and says what stopped it.
@Suite(.timeLimit(.minutes(5))) struct FloodTests {
    /// What they send behind a 101, again and again.
    static let floods: [String: ByteBuffer] = [
        "empty fragments": frames(Frame(fin: false, opcode: .continuation, payload: ByteBuffer()), 16_384),
        "fragments": frames(Frame(fin: false, opcode: .continuation, payload: ByteBuffer(repeating: 120, count: 60_000)), 2),
        "pings": frames(Frame(opcode: .ping, payload: ByteBuffer(string: "are you there")), 1_024),
        "messages": frames(Frame(opcode: .text, payload: ByteBuffer(string: "{\"type\":\"nonsense\"}")), 1_024),
    ]

    private static func frames(_ frame: Frame, _ count: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        for _ in 0..<count { FrameWriter.write(frame, into: &bytes) }
        return bytes
    }

    @Test(arguments: floods.keys.sorted()) func aFloodIsStoppedAndTold(name: String) async throws {
        let server = try await FloodingServer.start(try #require(Self.floods[name]))
        let contract = try ContractLoader().load("demo")
        var settings = InlineStage.Settings(
            target: Endpoint(host: "127.0.0.1", port: server.port), contract: contract, key: Minter.developmentKey)
        settings.memory = CaseMemory(most: 64 << 20)
        let stage = try InlineStage(settings)
        let plan = try #require(PlanLibrary.plan("transparent"))
        let run = await stage.run(plan, CaseOptions())
        await server.stop()
        let flood = try #require(run.flood)
        #expect(run.isCut && flood.connections > 0 && flood.bytes > 0)
        // One read more than the bound, at the most.
        #expect(flood.bytes <= (6 << 20) + (64 << 10) && flood.entries <= 33_000 + (32 << 10))
        #expect(run.entries.count < 1_000)
        #expect(!settings.memory.isCrowded)
        #expect(run.judgement.toolErrors.isEmpty)
    }

    /// Alone a case may hold much; where all together hold too much, each may hold little.
    @Test func manyCasesShareWhatThereIs() {
        let memory = CaseMemory(most: 4 << 20)
        var one = CaseWeight(memory)
        var other = CaseWeight(memory)
        one.add(bytes: 900_000)
        #expect(!one.isTooMuch && !memory.isCrowded)
        other.add(bytes: 200_000)
        #expect(memory.isCrowded && one.isTooMuch && !other.isTooMuch)
        one.release()
        #expect(!memory.isCrowded && !other.isTooMuch)
        other.release()
        var alone = CaseWeight(CaseMemory(most: 1 << 30))
        alone.add(bytes: 6 << 20)
        #expect(!alone.isTooMuch)
        alone.add(bytes: 1)
        #expect(alone.isTooMuch)
    }

    /// A frame of two bytes weighs what its entry does.
    @Test func framesWeighMoreThanTheirBytes() {
        var weight = CaseWeight(CaseMemory(most: 1 << 30))
        let ends = (1...40_000).map { Int32($0 * 2) }
        let read = RawEntry(
            instant: .zero, session: SessionID(1), ordinal: 1, body: .read(.toClient, ByteBuffer(), ends: ends))
        weight.add([read])
        #expect(weight.entries == 40_000 && weight.isTooMuch)
    }
}

/// Accepts every upgrade and sends the same bytes as fast as they are taken.
final class FloodingServer: Sendable {
    private let channel: any Channel
    let port: Int

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    static func start(_ bytes: ByteBuffer) async throws -> FloodingServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Pump(bytes)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FloodingServer(channel)
    }

    func stop() async { try? await channel.close() }

    private final class Pump: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: ByteBuffer
        private var head = HeadParser(.request)
        private var isFlooding = false

        init(_ bytes: ByteBuffer) { self.bytes = bytes }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isFlooding else { return }
            head.feed(unwrapInboundIn(data))
            guard case .request(let request) = head.next() else { return }
            let key = request.fields.first { $0.name.lowercased() == "sec-websocket-key" }?.value ?? ""
            let answer =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(AcceptKey.compute(key))\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            isFlooding = true
            pump(context)
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if isFlooding { pump(context) }
        }

        private func pump(_ context: ChannelHandlerContext) {
            // One batch and the next when it is taken.
            guard context.channel.isActive, context.channel.isWritable else { return }
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            if context.channel.isWritable { context.eventLoop.assumeIsolated().execute { self.pump(context) } }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
