package import Contracts
package import Plans

/// Plays a plan against a WebSocket server: each user a real connection, steps as guards and never as sleeps.
package struct Player: Sendable {
    package struct Options: Sendable {
        package var contract: Contract?
        package var seed: UInt64 = 1
        /// Signs credentials: the value of the contract's `mint.key`.
        package var key: [UInt8] = []
        /// Seconds since 1970, for `{now}` and for the expiry of credentials.
        package var epoch: Int64 = 0
        package init(contract: Contract?) { self.contract = contract }
    }
    package var options: Options
    package init(options: Options) { self.options = options }

    /// Plays to the end, within the sum of the plan's own bounds. `linger` keeps what is still open that much longer.
    package func play(
        _ plan: Plan, at endpoint: Endpoint, linger: Duration = .zero
    ) async -> [StepResult] {
        plan.steps.map { StepResult(number: $0.number, outcome: .cannot("not played"), started: .zero, took: .zero) }
    }
}
