import Contracts
import Faults
import Journaling
import Peers
import Plans
import Profiles
import ReferenceBackend
import Synchronization
import Testing

@testable import Fuzzing

/// The same seed sends the same bytes to a peer that answers alike, however many workers there are.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RepeatableTests {
    private static let epoch: Int64 = 1_790_000_000

    // MARK: Over sockets

    /// Every message of these plans is followed by a wait for its answer, so that nothing depends on who is faster.
    private func decks(seed: UInt64, workers: Int) async throws -> [String] {
        let peer = try await EchoPeer.start()
        var contract = try ContractLoader().load("echo")
        // A guard that gives up because the machine is busy sends the next message early.
        for index in contract.requests.indices { contract.requests[index].within = .seconds(60) }
        var options = CampaignOptions(
            target: Endpoint(host: "127.0.0.1", port: peer.port), path: "/echo", contract: contract)
        options.seed = seed
        options.workers = workers
        options.epoch = Self.epoch
        let campaign = Campaign(options) { _ in }
        try await campaign.ground.open()
        await campaign.play(deck: campaign.plans.flows, called: "flows", until: nil)
        await campaign.play(deck: campaign.plans.boundaries, called: "boundaries", until: nil)
        await campaign.ground.close()
        #expect(campaign.ledger.withLock { $0.findings.count } == 0)
        // The keeper asks the target whether it is there, before the run and never in it.
        return try await peer.stop().filter { $0.contains("Sec-WebSocket-Key") }
    }

    @Test func sameSeedSameTrafficWhateverTheWorkers() async throws {
        let one = try await decks(seed: 7, workers: 1)
        #expect(one.count > 10)
        #expect(try await differences(workers: 1) == [])
        #expect(try await differences(workers: 2) == [])
        #expect(Self.difference(one, try await decks(seed: 8, workers: 1)) != [])
    }

    /// Between two runs of one seed. Where the machine keeps both ends from running a guard gives up before its answer, and
    /// what follows is another play: tried again, since a draw that does not derive from the seed differs each time.
    private func differences(workers: Int) async throws -> [String] {
        var last: [String] = []
        for _ in 0..<4 {
            last = Self.difference(try await decks(seed: 7, workers: 1), try await decks(seed: 7, workers: workers))
            if last.isEmpty { break }
        }
        return last
    }

    // MARK: In virtual time

    /// The whole run with its feedback; what each case sent, by the case.
    private func campaign(seed: UInt64, workers: Int) async throws -> (sent: [String: String], Campaign) {
        let contract = try ContractLoader().load("demo")
        let tape = Tape(contract)
        var options = CampaignOptions(target: Endpoint(host: "127.0.0.1", port: 9_000), path: "/ws", contract: contract)
        options.seed = seed
        options.workers = workers
        options.users = workers * 8
        options.runs = 100
        options.window = 16
        options.epoch = Self.epoch
        options.runner = tape
        let campaign = Campaign(options) { _ in }
        let result = await campaign.run()
        #expect(result.end == .complete && result.findings.map(\.finding.sentence) == [])
        #expect(campaign.scheduler.withLock { $0.isRepeatable })
        return (tape.sent, campaign)
    }

    @Test func aWholeRunIsTheSameWhateverTheWorkers() async throws {
        let (one, campaign) = try await campaign(seed: 3, workers: 1)
        let (two, _) = try await self.campaign(seed: 3, workers: 2)
        #expect(one.count > 80)
        #expect(campaign.progress.corpus > 0 && campaign.progress.edges > 0, "feedback was at work")
        let both = Set(one.keys).union(two.keys)
        #expect(both.filter { one[$0] != two[$0] }.sorted().prefix(5) == [])
        let (other, _) = try await self.campaign(seed: 4, workers: 1)
        #expect(one != other)
    }

    /// The beginnings of what stands in one and not in the other.
    private static func difference(_ one: [String], _ two: [String]) -> [String] {
        let (left, right) = (Set(one), Set(two))
        return left.symmetricDifference(right).map { text in
            "\(left.contains(text) ? "-" : "+") \(text.unicodeScalars.count) " + text.prefix(400).description
        }.sorted()
    }
}

/// Plays in virtual time against a server of its own, and keeps what each play sent. A play's seed is its case's.
private final class Tape: CaseRunner {
    private let contract: Contract
    private let streams = Mutex<[String: String]>([:])

    init(_ contract: Contract) { self.contract = contract }

    var sent: [String: String] { streams.withLock { $0 } }

    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        var profile = Profile(name: "plan")
        profile.faults = plan.faults.compactMap { try? $0.rule() }
        let simulator = Simulator(
            seed: options.seed, contract: contract, profile: profile, key: Array(SimulatedRunner.key.utf8))
        let play = simulator.run(
            plan, on: SimulatedBackend(bugs: [], key: SimulatedRunner.key, seed: options.seed))
        var text = ""
        for entry in play.entries {
            guard case .frame(let frame) = entry.body, frame.passage.direction == .toServer else { continue }
            text += "\(entry.session?.description ?? "") \(frame.frame.firstByte) \(frame.frame.maskKey ?? 0) "
            text += Digest.sha256Hex(String(decoding: frame.frame.payload.readableBytesView, as: UTF8.self), digits: 16) + "\n"
        }
        streams.withLock { $0["\(options.seed)"] = text }
        return CaseRun(
            steps: play.steps, judgement: play.judgement, entries: play.entries,
            took: Instant.zero.duration(to: play.ended))
    }
}
