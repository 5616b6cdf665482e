import Contracts
import Journaling
import Oracles
import Plans
import Profiles
import ReferenceBackend
import Testing

@testable import Peers

/// Plans played inline against a server on real sockets: order and bytes only, never durations.
@Suite struct InlineStageTests {
    static func stage(_ server: BackendServer) throws -> InlineStage {
        let contract = try ContractLoader().load("demo")
        return try InlineStage(
            .init(
                target: Endpoint(host: "127.0.0.1", port: server.port), contract: contract, key: Minter.developmentKey))
    }

    static func server(_ bugs: Set<BackendBug> = []) async throws -> BackendServer {
        try await BackendServer.start(bugs: bugs, key: String(decoding: Minter.developmentKey, as: UTF8.self), seed: 1)
    }

    @Test(arguments: ["transparent", "lost-credential", "mutated-requests", "crossed-streams", "crossed-requests", "delayed-accept"])
    func aCleanServerIsClean(name: String) async throws {
        let server = try await Self.server()
        var plan = try #require(PlanLibrary.plan(name))
        plan.faults = try ProfileLoader().load(name).faults.map(Plan.FaultLine.init(rule:))
        let run = await (try Self.stage(server)).run(plan, CaseOptions())
        await server.stop()
        #expect(run.judgement.findings.isEmpty)
        #expect((run.judgement.faultsActed > 0) == !plan.faults.isEmpty)
        #expect(run.judgement.toolErrors.isEmpty)
        #expect(run.steps.count == plan.steps.count)
        #expect(run.judgement.runs > 0 && run.sent > 0 && run.received > run.sent && !run.isCut)
    }

    /// Connections that faults open are there too, and are nobody's line of the play.
    @Test(arguments: [
        "f1 takeover count 2 send last", "f1 takeover at message send last hold 30ms message every 2",
        "f1 reconnect-storm from proxy times 4 every 20ms message nth 1", "f1 barrier within 100ms", "f1 late-user awaits users most 50ms",
    ])
    func aCleanServerIsCleanBesideOurConnections(line: String) async throws {
        let server = try await Self.server()
        // All of it comes; how late it does is this machine's matter.
        let text = PlanText.print(try #require(PlanLibrary.plan("transparent"))).replacing(/within \d+m?s/, with: "within 60s")
            .replacing("faults none", with: "faults\n\(line)")
        let plan = try PlanText.parse(text)
        #expect(plan.faults.count == 1)
        let run = await (try Self.stage(server)).run(plan, CaseOptions())
        await server.stop()
        #expect(run.judgement.findings.map(\.sentence) == [])
        #expect(run.judgement.toolErrors.isEmpty && run.judgement.faultsActed > 0 && !run.isCut)
        #expect(run.steps.count == plan.steps.count && run.steps.allSatisfy(\.isOK))
    }

    /// Those that show in what comes; what does not come is a matter of time.
    @Test(arguments: [
        (BackendBug.successWithoutUser, "E4"), (.errorToLastConnected, "I2"), (.foreignThreadAccepted, "I2"),
        (.bareError, "E5"),
    ])
    func aPlantedDefectIsFound(bug: BackendBug, property: String) async throws {
        let server = try await Self.server([bug])
        let plan = try #require(PlanLibrary.plan("transparent"))
        let run = await (try Self.stage(server)).run(plan, CaseOptions())
        await server.stop()
        #expect(run.judgement.findings.map(\.property).contains(property), "\(run.judgement.findings.map(\.sentence))")
        #expect(run.judgement.toolErrors.isEmpty)
    }

    /// Who waits in vain says so once, while it goes on waiting.
    @Test func aSilentServerLeavesACaseIdle() async throws {
        let server = try await Self.server()
        let plan = try PlanText.parse(
            """
            miswire plan 1
            ---
            user alice credential header
            1 alice connect /ws
            2 alice until what-never-comes within 60s
            faults none
            """)
        let (told, tell) = AsyncStream.makeStream(of: Void.self)
        var options = CaseOptions()
        options.idle = .milliseconds(50)
        let stage = try Self.stage(server)
        options.onIdle = {
            tell.yield()
            // A few looks later, and however slow this machine is: the case ends because it was told of.
            Task {
                try? await Task.sleep(for: .milliseconds(400))
                stage.stopAll()
            }
        }
        let run = await stage.run(plan, options)
        tell.finish()
        await server.stop()
        var count = 0
        for await _ in told { count += 1 }
        #expect(count == 1 && run.steps.map(\.isOK) == [true, false])
    }

    @Test func manyCasesSideBySide() async throws {
        let server = try await Self.server()
        let plan = try #require(PlanLibrary.plan("transparent"))
        let stage = try Self.stage(server)
        let runs = await withTaskGroup(of: CaseRun.self) { group in
            for block in 0..<20 {
                group.addTask {
                    var options = CaseOptions()
                    options.cast = Cast(minted: plan.users.map(\.name), block: block)
                    return await stage.run(plan, options)
                }
            }
            return await group.reduce(into: [CaseRun]()) { $0.append($1) }
        }
        await server.stop()
        #expect(runs.count == 20)
        for run in runs {
            #expect(run.judgement.findings.isEmpty, "\(run.judgement.findings.map(\.sentence))")
            #expect(run.judgement.toolErrors.isEmpty)
        }
    }

    @Test func anAbsentServerIsToldAndEnds() async throws {
        let server = try await Self.server()
        let stage = try Self.stage(server)
        await server.stop()
        let plan = try #require(PlanLibrary.plan("transparent"))
        let run = await stage.run(plan, CaseOptions())
        #expect(!run.unreachable.isEmpty)
        #expect(run.judgement.findings.isEmpty)
    }
}
