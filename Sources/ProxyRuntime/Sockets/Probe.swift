import Glibc
import Journaling
import NIOCore
import NIOPosix

/// Asks before anything listens whether there is a target at all.
enum Probe {
    struct Answer: Sendable {
        var took: Duration
        /// `TLS 1.3`; nil in clear text.
        var security: String?
    }

    /// Connects and closes again until it was answered, for at most `patience`, but twice at least: a machine that stood
    /// still all the while has proved nothing with one attempt. The time of the answer, with TLS that of the handshake too.
    static func answer(
        of place: HostPort, at addresses: [SocketAddress], tls: UpstreamTLS? = nil, patience: Duration, group: MultiThreadedEventLoopGroup
    ) async throws(RuntimeError) -> Answer {
        let clock = MonotonicClock()
        var attempts = 0
        var reason = "no address"
        repeat {
            attempts += 1
            for address in addresses {
                let began = clock.now
                let left = began.duration(to: .zero.advanced(by: patience))
                do {
                    let security = try await attempt(address, tls, .nanoseconds(max(100_000_000, left.nanoseconds)), group)
                    return Answer(took: began.duration(to: clock.now), security: security)
                } catch let trouble as TLSTrouble {
                    // It is there, and what it shows will be the same next time.
                    throw .targetInsecure(place, trouble.sentence)
                } catch {
                    reason = words(for: error)
                }
            }
            let pause = min(patience / 3, .milliseconds(700))
            if attempts > 1, clock.now.advanced(by: pause) >= .zero.advanced(by: patience) { break }
            try? await Task.sleep(for: pause)
        } while !Task.isCancelled
        throw .targetSilent(place, reason: reason, attempts: attempts, elapsed: Instant.zero.duration(to: clock.now))
    }

    private static func attempt(
        _ address: SocketAddress, _ tls: UpstreamTLS?, _ time: TimeAmount, _ group: MultiThreadedEventLoopGroup
    ) async throws -> String? {
        let bootstrap = ClientBootstrap(group: group).connectTimeout(time)
        guard let tls else {
            let channel = try await bootstrap.connect(to: address).get()
            try? await channel.close()
            return nil
        }
        let done = group.any().makePromise(of: String.self)
        let channel: any Channel
        do {
            channel = try await bootstrap.channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProbeEnd(done))
                    _ = try tls.secure(channel)
                }
            }.connect(to: address).get()
        } catch {
            done.fail(error)
            throw error
        }
        do {
            let security = try await done.futureResult.get()
            try? await channel.close()
            return security
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private static func words(for error: any Error) -> String {
        if case .connectTimeout = error as? ChannelError { return "no answer" }
        return (error as? IOError).map { SocketTuning.words(for: $0.errnoCode) } ?? "no answer"
    }
}

/// Waits for the end of a handshake.
private final class ProbeEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let done: EventLoopPromise<String>

    init(_ done: EventLoopPromise<String>) { self.done = done }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let secured = event as? TLSSecured { done.succeed(secured.version) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { done.fail(error) }
    func channelInactive(context: ChannelHandlerContext) { done.fail(ChannelError.eof) }
}
