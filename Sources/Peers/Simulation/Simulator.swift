package import Contracts
package import Faults
package import Journaling
package import NIOCore
package import Oracles
package import Plans
import ProxyRuntime

/// A server as a function: what the simulator talks to in virtual time. Connections are numbered from 1 as accepted.
package protocol SimulatedServer {
    mutating func handle(_ event: SimulatedServerEvent, at now: Instant) -> [SimulatedServerCommand]
}

package enum SimulatedServerEvent: Sendable {
    case accepted(Int)
    case received(Int, ByteBuffer)
    case ended(Int, EndStyle)
    case wake
}

package enum SimulatedServerCommand: Sendable {
    case write(Int, ByteBuffer)
    /// FIN behind what was written; what still comes is thrown away, and after a second the transport is gone.
    case finish(Int)
    case reset(Int)
    /// Replaces an earlier one.
    case wake(at: Instant)
}

/// Whole sessions in virtual time over an in-memory network, all from one seed, with the machines that the sockets
/// drive. The seed says how far apart everybody is, how bytes are cut, what waits for what, how many loops the proxy has
/// and which clients the network loses: same seed, same journal to the byte.
package struct Simulator: Sendable {
    package var seed: UInt64
    package var contract: Contract
    package var profile: Profile?
    /// Signs the users' credentials.
    package var key: [UInt8]
    /// The network may lose clients.
    package var breaks = false
    /// The machine of proxy and users may stand still for a while; its loops tick, so that this shows.
    package var stalls = false
    /// Seconds since 1970 at instant zero: 2026-09-21.
    package static let epoch: Int64 = 1_790_000_000

    package init(seed: UInt64, contract: Contract, profile: Profile?, key: [UInt8]) {
        self.seed = seed
        self.contract = contract
        self.profile = profile
        self.key = key
    }

    package func run<Server: SimulatedServer>(_ plan: Plan, on server: Server) -> SimulationRun {
        let weather = Weather(seed: seed, breaks: breaks, stalls: stalls)
        let finder = ContractSecrets(contract, key: key)
        let machines = SessionConfiguration(profile: profile, contract: contract, seed: seed, finder: finder)
        var transcript = Transcriber.Configuration(
            finder: finder, redactionKey: Digest.sha256(Array("\(seed)".utf8)), epochSeconds: Self.epoch)
        transcript.hidden = HiddenTexts(profile?.secrets ?? [])
        let journal = SimulatedJournal(loops: weather.loops, contract: contract, transcript)
        let play = PlayMachine(
            plan,
            settings: .init(host: "127.0.0.1:9000", contract: contract, seed: seed, key: key, epoch: Self.epoch))
        var world = SimulatedWorld(
            play: play, proxy: SimulatedProxy(machines, loops: weather.loops), server: server, journal: journal,
            network: MemoryNetwork(weather), linger: Deadlines.longest(in: contract) + .milliseconds(250))
        return world.run()
    }
}

package struct SimulationRun: Sendable {
    package var steps: [StepResult]
    package var judgement: Judgement
    package var entries: [Entry]
    /// The journal as a recording holds it, one line an entry.
    package var journal: ByteBuffer
    /// Virtual end.
    package var ended: Instant
    /// What was cut off because it did not come to an end by itself; nil as it should be.
    package var stalled: String?
    package init(
        steps: [StepResult], judgement: Judgement, entries: [Entry], journal: ByteBuffer, ended: Instant, stalled: String?
    ) {
        self.steps = steps
        self.judgement = judgement
        self.entries = entries
        self.journal = journal
        self.ended = ended
        self.stalled = stalled
    }

    /// Over every byte and instant of the journal and every step: equal for equal seeds.
    package var digest: String {
        let steps = steps.map { "\($0.number) \($0.isOK) \($0.started.nanoseconds) \($0.took.nanoseconds)" }
        return Digest.hex(Digest.sha256(Array(journal.readableBytesView) + Array(steps.joined(separator: "\n").utf8)))
    }

    /// Judges the journal again from its lines alone, as `miswire check` does with a recording.
    package func judgedAgain(by contract: Contract) throws(RecordingError) -> Judgement {
        var judge = Judge(contract: contract)
        var last = Instant.zero
        var number = 0
        for line in journal.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            number += 1
            guard case .entry(let entry) = try EntryCodec.decode(ByteBuffer(line), place: "journal:\(number)") else {
                continue
            }
            judge.observe(entry)
            last = max(last, entry.instant)
        }
        return judge.conclude(at: last)
    }
}
