import Captures
import Contracts
import Foundation
import Journaling
import Plans
import Profiles
import ProxyRuntime
import ReferenceBackend
import Testing

@testable import Peers

/// Recordings played again over sockets, from either side.
@Suite(.timeLimit(.minutes(5))) struct RecordingReplayTests {
    private func entries(_ name: String) throws -> [Entry] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var reader = try RecordingReader(root.appending(path: "corpus/recordings/\(name)").path)
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }

    private func replay(_ name: String, bugs: Set<BackendBug> = []) async throws -> RecordingReport {
        let server = try await BackendServer.start(bugs: bugs)
        var settings = RecordingReplay.Settings(
            target: Endpoint(host: "127.0.0.1", port: server.port), contract: try ContractLoader().load("agent-chat"),
            key: Array(BackendServer.developmentKey.utf8))
        settings.pace = 0
        let report = try await RecordingReplay(settings).run(try entries(name))
        await server.stop()
        return report
    }

    @Test(arguments: ["three-users", "five-errors", "crossed-pair"]) func aSoundServerAnswersAsRecorded(_ name: String) async throws {
        let report = try await replay(name)
        #expect(report.differences == 0, "\(report.sessions.flatMap(\.differences).map { "\($0.kind) \($0.number) \($0.title): \($0.sentence)" })")
        #expect(report.findings.isEmpty)
        #expect(report.sessions.contains { $0.same > 0 })
    }

    @Test func aBareErrorIsWhatChanged() async throws {
        let report = try await replay("five-errors", bugs: [.bareError])
        let differences = report.sessions.flatMap(\.differences)
        #expect(!differences.isEmpty)
        #expect(differences.allSatisfy { $0.kind == .changed && $0.title == "error" && $0.sentence == "message and timestamp are gone" })
        #expect(differences.contains { $0.property == "E5" })
    }

    @Test func withoutAWayToCredentialsTheUserIsNamed() async throws {
        var contract = try ContractLoader().load("agent-chat")
        contract.identity.mint = nil
        let settings = RecordingReplay.Settings(
            target: Endpoint(host: "127.0.0.1", port: 9), contract: contract, key: [])
        await #expect {
            _ = try await RecordingReplay(settings).run(try entries("three-users"))
        } throws: { error in
            guard let obstacle = error as? ReplayObstacle else { return false }
            return obstacle.sentence.contains("the credential of `") && obstacle.remedy.contains("--credential ")
        }
    }

    /// Our own player is the client under test, our own recording the server.
    @Test func asServerItAnswersAsRecorded() async throws {
        let contract = try ContractLoader().load("agent-chat")
        let recorded = try entries("three-users")
        var settings = ServingMachine.Settings(contract: contract)
        settings.pace = 0
        let host = try await ServingHost.start(ServingMachine(recorded, settings), at: HostPort(host: "127.0.0.1", port: 0))
        for lifted in PlanLift.lift(entries: recorded, contract: contract).plans {
            var options = Player.Options(contract: contract)
            options.cast.principals = lifted.principals
            let steps = await Player(options: options).play(lifted.plan, at: Endpoint(host: "127.0.0.1", port: host.address.port))
            #expect(steps.allSatisfy { $0.isOK }, "\(steps.filter { !$0.isOK })")
        }
        host.stop()
        let outcome = await host.finished()
        #expect(outcome.sessions.map(\.same).reduce(0, +) == 6)
        #expect(outcome.sessions.allSatisfy { $0.differences.isEmpty }, "\(outcome.sessions.flatMap(\.differences))")
    }
}
