import Glibc
import Journaling
import NIOCore
import NIOPosix

/// Asks before anything listens whether there is a target at all.
enum Probe {
    /// Connects and closes again until it was answered, for at most `patience`, but twice at least: a machine that stood
    /// still all the while has proved nothing with one attempt. The time of the answer.
    static func answer(
        of place: HostPort, at addresses: [SocketAddress], patience: Duration, group: MultiThreadedEventLoopGroup
    ) async throws(RuntimeError) -> Duration {
        let clock = MonotonicClock()
        var attempts = 0
        var reason = "no address"
        repeat {
            attempts += 1
            for address in addresses {
                let began = clock.now
                let left = began.duration(to: .zero.advanced(by: patience))
                do {
                    let channel = try await ClientBootstrap(group: group)
                        .connectTimeout(.nanoseconds(max(100_000_000, left.nanoseconds)))
                        .connect(to: address).get()
                    let took = began.duration(to: clock.now)
                    try? await channel.close()
                    return took
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

    private static func words(for error: any Error) -> String {
        if case .connectTimeout = error as? ChannelError { return "no answer" }
        return (error as? IOError).map { SocketTuning.words(for: $0.errnoCode) } ?? "no answer"
    }
}
