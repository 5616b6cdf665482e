import NIOCore
import NIOPosix
import Synchronization
import Testing
import Wire

@testable import ReferenceBackend

/// The shell on real sockets, by a client that knows TCP alone.
@Suite(.timeLimit(.minutes(3))) struct ServerTests {
    /// Collects what comes, and says when the other side has ended.
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let bytes = Mutex(ByteBuffer())
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let new = unwrapInboundIn(data)
            bytes.withLock { _ = $0.writeImmutableBuffer(new) }
        }
    }

    /// Sends all at once and returns what came, each byte as one scalar, until the server ended or, with `until`, until
    /// that was there.
    private func exchange(_ port: Int, _ bytes: ByteBuffer, until: String? = nil) async throws -> String {
        let collector = Collector()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(collector) }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(bytes)
        for _ in 0..<12_000 {
            let text = latin(collector)
            if let until, text.range(of: until) != nil {
                try await channel.close()
                return text
            }
            if !channel.isActive { return text }
            try await Task.sleep(for: .milliseconds(5))
        }
        try? await channel.close()
        return latin(collector) + "<no end>"
    }

    private func latin(_ collector: Collector) -> String {
        let bytes = collector.bytes.withLock { $0 }
        return String(String.UnicodeScalarView(bytes.readableBytesView.map { Unicode.Scalar($0) }))
    }

    private func token(_ server: BackendServer, _ user: String) -> String {
        JWTFixture.token(user, key: BackendServer.developmentKey)
    }

    @Test func servesRunsErrorsAndRefusals() async throws {
        let server = try await BackendServer.start()
        let health = try await exchange(server.port, ByteBuffer(string: "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))
        #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n") && health.hasSuffix(#"{"status":"ok","connections":0}"#))

        // Frames behind a refused head must not reset the connection before the refusal is read.
        var refused = ByteBuffer(string: Stage.head("/ws"))
        refused.writeImmutableBuffer(Stage.masked(.text, String(repeating: " ", count: 300_000)))
        #expect(try await exchange(server.port, refused).hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))

        var bytes = ByteBuffer(string: Stage.head("/ws?token=\(token(server, "alice"))"))
        bytes.writeImmutableBuffer(Stage.masked(.text, "{"))
        bytes.writeImmutableBuffer(Stage.masked(.text, #"{"type":"agent_started","user_id":"alice","message":"hi"}"#))
        let run = try await exchange(server.port, bytes, until: "You said: hi")
        let order = [
            "HTTP/1.1 101 ", #""connected""#, #""message_processing_error""#, #""agent_started""#,
            #""agent_thinking""#, #""tool_executing""#, #""tool_completed""#, #""agent_completed""#,
        ]
        let places = order.map { run.range(of: $0)?.lowerBound }
        #expect(places.allSatisfy { $0 != nil } && places.compactMap { $0 } == places.compactMap { $0 }.sorted())

        let closing = FrameWriter.bytes(Frame(opcode: .close, maskKey: 5, payload: CloseBody(code: 1000).payload))
        var farewell = ByteBuffer(string: Stage.head("/ws?token=\(token(server, "alice"))"))
        farewell.writeImmutableBuffer(closing)
        #expect(try await exchange(server.port, farewell).hasSuffix("\u{88}\u{02}\u{03}\u{e8}"))
        await server.stop()
    }

    @Test func aTakenPortIsAnError() async throws {
        let server = try await BackendServer.start()
        await #expect(throws: BackendError.self) { try await BackendServer.start(port: server.port) }
        await #expect(throws: BackendError.self) {
            try await BackendServer.start(marks: "/nonexistent/directory/marks")
        }
        await server.stop()
    }

    @Test func manyUsersAtOnceGetTheirOwn() async throws {
        let server = try await BackendServer.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...50 {
                let token = token(server, "user\(number)")
                group.addTask {
                    var bytes = ByteBuffer(string: Stage.head("/ws?token=\(token)"))
                    let request = #"{"type":"agent_started","user_id":"user\#(number)","message":"mine \#(number);"}"#
                    bytes.writeImmutableBuffer(Stage.masked(.text, request))
                    let answer = try await exchange(server.port, bytes, until: "You said: mine \(number);")
                    #expect(!answer.hasSuffix("<no end>"))
                    #expect(answer.split(separator: "You said: ").count == 2)
                }
            }
            try await group.waitForAll()
        }
        await server.stop()
    }
}
