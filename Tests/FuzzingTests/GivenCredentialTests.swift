import Journaling
import Oracles
import Peers
import Plans
import Profiles
import Synchronization
import Testing

@testable import Fuzzing

/// Principals that are given are few: two cases that shared one would each blame the server for the other's runs.
@Suite struct GivenCredentialTests {
    @Test(arguments: [1, 2, 4, 6, 8, 12])
    func noTwoCasesShareAPrincipal(count: Int) async throws {
        let runner = Counting()
        var options = CampaignOptions(
            target: Endpoint(host: "127.0.0.1", port: 9_000), path: "/ws", contract: try ContractLoader().load("demo"))
        options.credentials = (1...count).map { ("user\($0)", "token\($0)") }
        options.runner = runner
        let campaign = Campaign(options) { _ in }
        await campaign.play(deck: campaign.plans.flows + campaign.plans.boundaries, called: "deck", until: nil)
        let (plays, clashes, strangers) = runner.state.withLock { ($0.plays, $0.clashes, $0.strangers) }
        #expect(plays > 100 && clashes == 0 && strangers == 0)
    }
}

/// Plays nothing, for a while that differs, and sees who is there at the same time.
private final class Counting: CaseRunner {
    struct State {
        var plays = 0
        var present: Set<String> = []
        var clashes = 0
        var strangers = 0
    }
    let state = Mutex(State())

    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        let mine = Set(options.cast.principals.values)
        let number = state.withLock { state in
            state.plays += 1
            if !state.present.isDisjoint(with: mine) { state.clashes += 1 }
            if mine.contains(where: { !$0.hasPrefix("user") }) { state.strangers += 1 }
            state.present.formUnion(mine)
            return state.plays
        }
        options.onPlayed?()
        // The first of each few is the slowest, so that cases end in another order than they began in.
        try? await Task.sleep(for: .milliseconds(number % 5 == 0 ? 12 : 1))
        state.withLock { $0.present.subtract(mine) }
        return CaseRun(steps: [], judgement: Judgement(), entries: [], took: .zero)
    }
}
