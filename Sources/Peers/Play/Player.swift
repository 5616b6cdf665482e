package import Contracts
import NIOCore
import NIOPosix
package import Plans
import Synchronization

/// Plays a plan against a WebSocket server over real sockets. `PlayMachine` decides everything; this carries bytes.
package struct Player: Sendable {
    package struct Options: Sendable {
        package var contract: Contract?
        package var seed: UInt64 = 1
        /// Signs credentials: the value behind the contract's `mint.key`.
        package var key: [UInt8] = Minter.developmentKey
        /// Seconds since 1970, for `{now}` and for the expiry of credentials; nil = this machine's clock.
        package var epoch: Int64?
        /// See `PlayMachine.Settings`.
        package var missesAllowed: Int?
        package var cast = Cast()
        package init(contract: Contract?) { self.contract = contract }
    }
    package var options: Options
    package init(options: Options) { self.options = options }

    /// Plays to the end and closes what is open, after `linger`. Bounded by the plan's own bounds.
    package func play(_ plan: Plan, at endpoint: Endpoint, linger: Duration = .zero) async -> [StepResult] {
        let performance = begin(plan, at: endpoint)
        let results = await performance.played()
        if linger > .zero { try? await Task.sleep(for: linger) }
        await performance.finish()
        return results
    }

    /// Begins to play and returns at once.
    package func begin(_ plan: Plan, at endpoint: Endpoint) -> Performance {
        var settings = PlayMachine.Settings(
            host: String(endpoint.description.dropFirst("ws://".count)), contract: options.contract, seed: options.seed,
            key: options.key, epoch: options.epoch ?? WallClock.seconds())
        settings.missesAllowed = options.missesAllowed
        settings.cast = options.cast
        let asked = settings
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let performance = Performance(loop: loop)
        loop.execute {
            PlayDriver(PlayMachine(plan, settings: asked), endpoint, performance).start()
        }
        return performance
    }
}

/// A play under way.
package final class Performance: Sendable {
    let loop: any EventLoop
    let over: EventLoopPromise<Void>
    let results: EventLoopPromise<[StepResult]>
    let wish: EventLoopPromise<Void>
    private let ends = Mutex<[String]>([])
    /// More connections than this of one play are not listed.
    private static let mostEnds = 1_024

    init(loop: any EventLoop) {
        self.loop = loop
        over = loop.makePromise()
        results = loop.makePromise()
        wish = loop.makePromise()
    }

    /// Our ends of the connections made so far: `127.0.0.1:50001`, IPv6 in brackets.
    package var addresses: [String] { ends.withLock { $0 } }

    func made(_ channel: any Channel) {
        guard let host = channel.localAddress?.ipAddress, let port = channel.localAddress?.port else { return }
        ends.withLock { ends in
            if ends.count < Self.mostEnds { ends.append(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") }
        }
    }

    /// What became of each step, once the last has ended; connections stay open.
    package func played() async -> [StepResult] { (try? await results.futureResult.get()) ?? [] }

    /// Begins no further step and closes every connection; returns at once.
    package func stop() { wish.succeed(()) }

    /// Closes every connection in an orderly way and returns when all are gone; at most a second or so.
    package func finish() async {
        stop()
        _ = try? await over.futureResult.get()
    }
}
