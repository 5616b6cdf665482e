import Synchronization

/// Who plays when: at most so many users that keep the target busy, more that only wait for what will not come or is
/// undecided, and nobody while somebody needs the target for itself.
final class Crew: Sendable {
    private struct State {
        /// Users of the cases that keep the target busy.
        var users = 0
        /// Cases, and their users: those that play, and those that wait.
        var live = 0
        var liveUsers = 0
        /// How many want the target for themselves, or have it.
        var alone = 0
        var isStopped = false
        /// How many may still wait past every bound.
        var patient = 24
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())
    private let turns = AsyncLock()
    private let most: Int
    private let mostLive: Int

    /// - Parameter users: how many may be connected and busy at once.
    init(users: Int) {
        most = users
        mostLive = users * 4 + 128
    }

    private func hasRoom(_ state: State, for users: Int) -> Bool {
        state.alone == 0 && (state.users == 0 || state.users + users <= most)
            && (state.live == 0 || state.liveUsers + users <= mostLive)
    }

    /// Waits for room for so many users. Called by one task alone. False when the run is over.
    func begin(users: Int) async -> Bool {
        while true {
            let answer: Bool? = state.withLock { state in
                if state.isStopped { return false }
                guard hasRoom(state, for: users) else { return nil }
                state.users += users
                state.live += 1
                state.liveUsers += users
                return true
            }
            if let answer { return answer }
            await withCheckedContinuation { waiter in
                let isLate = state.withLock { state in
                    // What was waited for may have come in between.
                    if state.isStopped || hasRoom(state, for: users) { return true }
                    state.waiter = waiter
                    return false
                }
                if isLate { waiter.resume() }
            }
        }
    }

    /// All steps of a case have ended, or it only waits.
    func played(users: Int) { change { $0.users -= users } }
    /// A case is over.
    func left(users: Int) { change { state in
        state.live -= 1
        state.liveUsers -= users
    } }
    func stop() { change { $0.isStopped = true } }
    var isStopped: Bool { state.withLock { $0.isStopped } }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The longer one as long as few have it.
    func takePatience(soon: Duration, late: Duration) -> Duration {
        state.withLock { state in
            guard late > soon, state.patient > 0 else { return min(soon, late) }
            state.patient -= 1
            return late
        }
    }
    func givePatienceBack() { state.withLock { $0.patient += 1 } }

    /// Runs `body` while no case is played; the caller is none. What is under way is waited for, at most for `patience`.
    func alone<Value: Sendable>(
        patience: Duration = .seconds(4), _ body: @Sendable () async -> Value
    ) async -> Value {
        change { $0.alone += 1 }
        let value = await turns.held {
            let clock = ContinuousClock()
            let end = clock.now.advanced(by: patience)
            while clock.now < end, state.withLock({ $0.live }) > 0 {
                do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
            }
            return await body()
        }
        change { $0.alone -= 1 }
        return value
    }
}

/// One at a time, in the order of their coming.
private actor AsyncLock {
    private var isTaken = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    nonisolated func held<Value: Sendable>(_ body: () async -> Value) async -> Value {
        await take()
        let value = await body()
        await give()
        return value
    }

    private func take() async {
        if !isTaken {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiters.append($0) }
    }

    private func give() {
        if waiters.isEmpty { isTaken = false } else { waiters.removeFirst().resume() }
    }
}
