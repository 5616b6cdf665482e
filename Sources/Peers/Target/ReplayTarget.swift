/// A server that replays may end.
package protocol ReplayTarget: Sendable {
    /// Where it listens, started again when it has ended.
    func ready() async throws(RigError) -> Endpoint
    /// How it went away during the play that just ended; nil when it is still there.
    func crash() async -> Crash?
    /// What it takes now; nil when that cannot be seen.
    func sample() async -> TargetSample?
}

extension ReplayTarget {
    package func sample() async -> TargetSample? { nil }
}

/// The server of a keeper: a process is started again, an address is waited for.
package struct ReplayedTarget: ReplayTarget {
    private let keeper: TargetKeeper
    /// A process needs a moment to die; a queue that was full once is none.
    private static let looks = 3
    private static let moment = Duration.milliseconds(60)

    package init(_ keeper: TargetKeeper) { self.keeper = keeper }

    package func ready() async throws(RigError) -> Endpoint {
        do throws(TargetError) {
            guard let endpoint = await keeper.endpoint else { return try await keeper.start() }
            if case .up = await keeper.check() { return endpoint }
            return try await keeper.restart(isWanted: true)
        } catch {
            // The rig is more patient with an address, and has words of its own when that does not help.
            if case .address(let endpoint) = keeper.source, await keeper.endpoint == nil { return endpoint }
            throw .unreachable(Self.words(error))
        }
    }

    package func sample() async -> TargetSample? { await keeper.sample() }

    package func crash() async -> Crash? {
        if await keeper.endpoint == nil {
            do throws(TargetError) { _ = try await keeper.start() } catch {
                guard case .gone(let why) = error else { return nil }
                return Self.gone(why)
            }
        }
        var last: TargetKeeper.State = .up
        var misses = 0
        for look in 1...Self.looks {
            last = await keeper.check()
            switch last {
            case .ended(let ending, let tail): return Crash(ending: ending, tail: tail, at: .zero)
            case .down: misses += 1
            case .up: misses = 0
            }
            if look < Self.looks { try? await Task.sleep(for: Self.moment) }
        }
        guard case .down(let why) = last, misses == Self.looks else { return nil }
        return Self.gone(why)
    }

    private static func gone(_ why: String) -> Crash {
        Crash(ending: why.hasPrefix("refuses") ? .refusing : .silent, tail: [], at: .zero)
    }

    private static func words(_ error: TargetError) -> String {
        switch error {
        case .badCommand(let why), .cannotStart(let why): why
        case .ended(let how, _): "it ended before it listened: \(how)"
        case .notListening(let bound, _): "it does not listen within \(bound.components.seconds) s"
        case .gone(let why): "it \(why)"
        }
    }
}
