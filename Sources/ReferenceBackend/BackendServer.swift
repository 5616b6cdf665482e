import Journaling
import NIOCore
import NIOPosix
import Synchronization

/// The machine on real sockets: 127.0.0.1, one event loop, any number of connections.
package final class BackendServer: Sendable {
    /// The key used when MISWIRE_JWT_KEY is unset.
    package static let developmentKey = "miswire-development-key"

    /// The port it listens on.
    package let port: Int
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let core: NIOLoopBound<BackendCore>
    private let stopping = Mutex<Task<Void, Never>?>(nil)

    private init(port: Int, listener: any Channel, group: MultiThreadedEventLoopGroup, core: NIOLoopBound<BackendCore>)
    {
        self.port = port
        self.listener = listener
        self.group = group
        self.core = core
    }

    /// Binds and serves.
    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - key: secret of the HS256 tokens.
    ///   - marks: path of the side file for marks, truncated at the start; created even when no bug is on.
    ///   - messages: path of the side file for every message taken and sent, likewise.
    ///   - seed: nil draws one, so that two servers never give out the same ids.
    /// - Throws: `BackendError` when the port is taken or a side file cannot be written.
    package static func start(
        port: Int = 0, bugs: Set<BackendBug> = [], decoys: Set<BackendDecoy> = [], key: String = developmentKey, marks: String? = nil,
        messages: String? = nil, seed: UInt64? = nil
    ) async throws -> BackendServer {
        let marks = try marks.map { path throws(BackendError) in try MarkFile(path) }
        let messages = try messages.map { path throws(BackendError) in try MarkFile(path) }
        let configuration = BackendConfiguration(
            bugs: bugs, decoys: decoys, key: key, seed: seed ?? UInt64.random(in: .min ... .max), epoch: WallClock.milliseconds(),
            logsMessages: messages != nil)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do {
            let core = try await loop.submit {
                NIOLoopBound(
                    BackendCore(BackendMachine(configuration), loop: loop, marks: marks, messages: messages),
                    eventLoop: loop)
            }.get()
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1_024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.maxMessagesPerRead, value: 4)
                // Little waits where nobody sees it, so that a client that does not read is felt soon.
                .childChannelOption(.socketOption(.so_sndbuf), value: 32 << 10)
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 16 << 10, high: 32 << 10))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(BackendHandler(core: core.value))
                    }
                }
                .bind(host: "127.0.0.1", port: port).get()
            guard let bound = listener.localAddress?.port else {
                throw BackendError.bind(port: port, reason: "no address")
            }
            return BackendServer(port: bound, listener: listener, group: group, core: core)
        } catch {
            try? await group.shutdownGracefully()
            throw BackendError.bind(port: port, reason: "\(error)")
        }
    }

    /// Closes the listener and every connection, and returns when they are gone. Must be called before the last
    /// reference goes; again, it waits for the same end.
    package func stop() async {
        let task = stopping.withLock { task in
            let known = task ?? Task { await self.end() }
            task = known
            return known
        }
        await task.value
    }

    private func end() async {
        try? await listener.close()
        try? await listener.eventLoop.submit { [core] in core.value.closeAll() }.get()
        try? await group.shutdownGracefully()
    }
}

/// Why a backend could not start.
package enum BackendError: Error, CustomStringConvertible {
    case bind(port: Int, reason: String)
    case marks(path: String, reason: String)

    package var description: String {
        switch self {
        case .bind(let port, let reason): "cannot listen on 127.0.0.1:\(port): \(reason)"
        case .marks(let path, let reason): "cannot write to \(path): \(reason)"
        }
    }
}
