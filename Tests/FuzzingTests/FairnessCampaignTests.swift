import Contracts
import Faults
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import Testing

@testable import Fuzzing

/// The worst that a judge can do is to accuse the innocent: cases as a campaign derives them, each in virtual time on a
/// sound server, with its own weather and the faults of its plan.
@Suite struct FairnessCampaignTests {
    @Test(arguments: [1, 5, 11] as [UInt64]) func aSoundServerIsAccusedOfNothing(seed: UInt64) throws {
        let outcome = try accuse("demo", path: "/ws", seed: seed, names: 32) { weather in
            SimulatedBackend(bugs: [], key: SimulatedRunner.key, seed: weather)
        }
        #expect(outcome.played == 50 && outcome.judged > 500, "\(outcome.judged) judged in \(outcome.played)")
    }

    @Test(arguments: [2, 3] as [UInt64]) func anEchoIsAccusedOfNothing(seed: UInt64) throws {
        let outcome = try accuse("echo", path: "/echo", seed: seed, names: 16) { _ in SimulatedEcho() }
        #expect(outcome.played == 26 && outcome.judged > 100, "\(outcome.judged) judged in \(outcome.played)")
    }

    /// Fresh names, and children as feedback would ask for them.
    private static func names(_ number: Int) -> [CaseName] {
        let name = CaseName(UInt32(clamping: number))
        var names = [name]
        if number % 3 == 0 { names.append(name.child(UInt32(clamping: number % 7))) }
        if number % 5 == 0 { names.append(name.child(1).child(2).child(3)) }
        return names
    }

    /// Plays the cases with these names and expects no finding; how many there were, and how often something was judged.
    private func accuse<Server: SimulatedServer>(
        _ contractName: String, path: String, seed: UInt64, names: Int, _ server: (UInt64) -> Server
    ) throws -> (played: Int, judged: Int) {
        let contract = try ContractLoader().load(contractName)
        var options = CampaignOptions(target: Endpoint(host: "127.0.0.1", port: 9_000), path: path, contract: contract)
        options.seed = seed
        options.epoch = Simulator.epoch
        let campaign = Campaign(options) { _ in }
        var derivation = campaign.makeDerivation()
        var (played, judged) = (0, 0)
        for name in (0..<names).flatMap(Self.names) {
            let plan = derivation.plan(for: name).plan
            var profile = Profile(name: "plan")
            profile.faults = plan.faults.compactMap { try? $0.rule() }
            let weather = campaign.seed(of: name)
            var simulator = Simulator(
                seed: weather, contract: contract, profile: profile.faults.isEmpty ? nil : profile,
                key: Array(SimulatedRunner.key.utf8))
            simulator.stalls = played % 3 == 2
            let play = simulator.run(plan, on: server(weather))
            played += 1
            judged += play.judgement.properties.reduce(0) { $0 + $1.checked }
            #expect(play.stalled == nil, "seed \(seed), case \(name)")
            #expect(
                play.judgement.findings.map { "\($0.property) \($0.sentence)" } == [],
                "seed \(seed), case \(name)\n\(PlanText.print(plan).prefix(4_000))")
        }
        return (played, judged)
    }
}
