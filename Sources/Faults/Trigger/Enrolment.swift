package import Journaling
import Synchronization

/// What the sessions of one proxy have in common, across its loops: ordinals of connections and the profile's budget.
package final class Enrolment: Sendable {
    private struct State {
        var listener: UInt64 = 0
        var users: [String: UInt64] = [:]
        /// By the name of the scope whose budget it is.
        var acted: [String: Int] = [:]
        var began: Instant?
        /// The profile that budget and clock belong to.
        var profile = ""
    }
    private let state = Mutex(State())
    /// Users counted apart; later ones share the listener's count, so that made-up names cost no memory.
    private static let most = 65_536

    package init() {}

    /// Number of this connection at the listener, from 1. The first one starts the profile's clock.
    func arrive(at now: Instant) -> UInt64 {
        state.withLock { state in
            if state.began == nil { state.began = now }
            state.listener &+= 1
            return state.listener
        }
    }

    /// Number of this connection among the user's own, from 1.
    func upgrade(user: String, arrival: UInt64) -> UInt64 {
        state.withLock { state in
            guard state.users.count < Self.most || state.users[user] != nil else { return arrival }
            let number = (state.users[user] ?? 0) &+ 1
            state.users[user] = number
            return number
        }
    }

    /// Starts the clock of `expires` before the first connection does.
    package func begin(at now: Instant) {
        state.withLock { if $0.began == nil { $0.began = now } }
    }

    /// Another profile comes with a clock and a budget of its own; a new version of the same one goes on with both.
    package func take(up profile: String, at now: Instant) {
        state.withLock { state in
            guard state.profile != profile else { return }
            (state.profile, state.began, state.acted) = (profile, now, [:])
        }
    }

    /// When the profile's clock began.
    package var began: Instant? { state.withLock { $0.began } }

    /// Takes one from the profile's whole budget; false when it is used up.
    func spend(of scope: Profile.Scope) -> Bool {
        state.withLock { state in
            let acted = state.acted[scope.name] ?? 0
            if let total = scope.total, acted >= total { return false }
            state.acted[scope.name] = acted + 1
            return true
        }
    }

    func refund(_ scope: Profile.Scope) {
        state.withLock { state in
            if let acted = state.acted[scope.name], acted > 0 { state.acted[scope.name] = acted - 1 }
        }
    }

    /// Times that faults acted so far.
    package var acted: Int { state.withLock { $0.acted.values.reduce(0, +) } }
}
