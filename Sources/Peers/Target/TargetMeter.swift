import Journaling
import ProxyRuntime

/// Writes checkpoints of a target into the journal of the proxy before it: now and then, and whenever everybody has gone.
struct TargetMeter: Sendable {
    /// What it takes; nil when that cannot be seen.
    var read: @Sendable () async -> TargetSample?

    private static let look: Duration = .milliseconds(20)
    /// Between two checkpoints while somebody is there.
    private static let busy: Duration = .milliseconds(200)
    /// Nobody must have been there for so long.
    private static let calm: Duration = .milliseconds(60)
    /// Behind the last session, for what a server lets go of late.
    private static let rest: Duration = .milliseconds(2_200)
    /// So many quiet checkpoints are a soak, whose end is worth that wait.
    private static let soak = 8

    /// Until it is cancelled.
    /// - Returns: quiet checkpoints, one for each time that everybody had gone.
    func run(_ server: ProxyServer) async -> Int {
        let clock = ContinuousClock()
        var quiet = 0
        var seen = -1
        var emptySince: ContinuousClock.Instant?
        var last: ContinuousClock.Instant?
        while !Task.isCancelled {
            let begun = server.sessionsBegun
            let now = clock.now
            if server.liveSessions > 0 { emptySince = nil } else if emptySince == nil { emptySince = now }
            let isCalm = begun == 0 || (emptySince.map { $0.duration(to: now) >= Self.calm } ?? false)
            if isCalm, begun != seen {
                if await checkpoint(server, sessions: begun, isQuiet: true) {
                    seen = begun
                    quiet += 1
                    last = now
                }
            } else if last.map({ $0.duration(to: now) >= Self.busy }) ?? true, await checkpoint(server, sessions: begun, isQuiet: false) {
                last = now
            }
            do { try await Task.sleep(for: Self.look) } catch { break }
        }
        return quiet
    }

    /// The last ones, when the play is over.
    func conclude(_ server: ProxyServer, quiet: Int) async {
        let clock = ContinuousClock()
        let limit = clock.now.advanced(by: .seconds(1))
        while server.liveSessions > 0, clock.now < limit { try? await Task.sleep(for: Self.look) }
        let isEmpty = server.liveSessions == 0
        try? await Task.sleep(for: isEmpty && quiet + 1 >= Self.soak ? Self.rest : Self.calm)
        _ = await checkpoint(server, sessions: server.sessionsBegun, isQuiet: isEmpty)
    }

    /// False when it was not seen, or when somebody came meanwhile.
    private func checkpoint(_ server: ProxyServer, sessions: Int, isQuiet: Bool) async -> Bool {
        guard let sample = await read() else { return false }
        let isQuiet = isQuiet && server.liveSessions == 0 && server.sessionsBegun == sessions
        server.tell(
            .usage(
                TargetUsage(
                    memory: sample.memory, peak: sample.peak, descriptors: sample.descriptors, threads: sample.threads,
                    sessions: sessions, isQuiet: isQuiet)))
        return true
    }
}
