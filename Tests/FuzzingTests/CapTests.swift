import Contracts
import Peers
import Profiles
import Testing

@testable import Fuzzing

/// Where phases end.
@Suite struct CapTests {
    private func options(_ time: Duration? = nil, runs: Int? = nil) throws -> CampaignOptions {
        var options = CampaignOptions(
            target: Endpoint(host: "127.0.0.1", port: 1), path: "/ws", contract: try ContractLoader().load("agent-chat"))
        options.maxTotalTime = time
        options.runs = runs
        return options
    }

    /// Phase 6 has no time of its own: what it does not need is the explorers', but for a short tail.
    @Test(arguments: [1, 10, 60, 600, 36_000]) func explorersHaveAllTimeButATail(seconds: Int) throws {
        let options = try options(.seconds(seconds))
        let ends = Phase.allCases.filter { $0 != .confirm }.map { Cap($0, of: options).time ?? .zero }
        #expect(ends == ends.sorted() && ends.first ?? .zero > .zero)
        let tail = Duration.seconds(seconds) - (ends.last ?? .zero)
        #expect(tail > .zero && tail <= min(.seconds(2), .seconds(seconds) / 10))
    }

    @Test func phasesThatAreLeftOutLeaveTheirTimeToTheOthers() throws {
        var options = try options(.seconds(100))
        options.phases = [.calibration, .isolation, .confirm]
        #expect(Cap(.calibration, of: options).time == .seconds(20))
        #expect(Cap(.isolation, of: options).time == .seconds(98))
        options.phases = [.calibration, .confirm]
        #expect(options.isPlain && Cap(.calibration, of: options).time == .seconds(100))
    }

    @Test func executionsAreDealtOutWhole() throws {
        let options = try options(runs: 900)
        #expect(Phase.allCases.map { Cap($0, of: options).begun } == [50, 250, 700, 900, 900])
        #expect(Cap(.isolation, of: options).time == nil)
        #expect(Cap(.isolation, of: options).allows(elapsed: .seconds(1), begun: 899))
        #expect(!Cap(.isolation, of: options).allows(elapsed: .seconds(1), begun: 900))
    }
}
