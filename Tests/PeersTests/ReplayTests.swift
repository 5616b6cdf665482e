import Contracts
import Foundation
import Oracles
import Peers
import Plans
import ReferenceBackend
import Testing

/// Plans played again over real sockets: proxy, users and judge in this process, before a server that is well, ill, dead
/// or deaf.
@Suite(.timeLimit(.minutes(3))) struct ReplayTests {
    static let malformed = """
        miswire plan 1
        finding   E3-000000
        ----------------------------------------------------------------------------------------
        user  alice  credential header
        1  alice  connect /ws
        2  alice  until open within 30s
        3  alice  send text "{\\"type\\":\\"agent_started\\","
        4  alice  until error within 400ms
        faults none

        """

    /// Before a server that answers everything: however late it does on a crowded machine, nothing is missed.
    static let answered = malformed.replacing("400ms", with: "30s")

    /// - Parameter isDeaf: what the server leaves unanswered is due soon, and no crowd on this machine excuses it; all
    ///   else has time.
    static func rig(_ port: Int, isDeaf: Bool = false, patience: Duration = .seconds(30)) throws -> Rig {
        var contract = try Shipped.contract()
        contract.session?.within = .seconds(30)
        contract.auth?.within = .seconds(30)
        if !isDeaf { contract.errors?.within = .seconds(30) }
        var rig = Rig(
            target: Endpoint(host: "127.0.0.1", port: port), contract: contract, profile: nil, seed: 1,
            key: Array(BackendServer.developmentKey.utf8))
        rig.creditsDeadlines = !isDeaf
        rig.patience = patience
        return rig
    }

    static func replay(_ plan: String, _ rig: Rig, runs: Int = 2) async throws -> ReplayReport {
        var replayer = Replayer(rig: rig)
        replayer.runs = runs
        return try await replayer.replay(try PlanText.parse(plan))
    }

    @Test func aBugThatIsStillThereIsStillFailing() async throws {
        let server = try await BackendServer.start(bugs: [.malformedSwallowed], seed: 1)
        let report = try await Self.replay(Self.malformed, Self.rig(server.port, isDeaf: true))
        await server.stop()
        #expect(report.outcome == .stillFailing(failed: 2, of: 2))
        #expect(report.firstDifference == 4)
        #expect(report.finding?.property == "E3")
    }

    @Test func aBugThatIsGoneIsFixed() async throws {
        let server = try await BackendServer.start(seed: 1)
        let report = try await Self.replay(Self.answered, Self.rig(server.port))
        await server.stop()
        #expect(report.outcome == .fixed(of: 2))
        #expect(report.firstDifference == nil)
        #expect(report.sentence.hasPrefix("error reaches alice in "))
    }

    @Test func aServerThatRefusesCannotBeReplayed() async throws {
        let server = try await BackendServer.start(key: "another-key", seed: 1)
        let report = try await Self.replay(Self.malformed, Self.rig(server.port))
        await server.stop()
        #expect(
            report.outcome
                == .cannotReplay(step: 2, "alice until open within 30s: refused with 401 (credential?)"))
    }

    /// A rig before a deaf server, and word of the moment at which the judge knows that it is deaf: the play is under way
    /// then, and its last step waits.
    private static func watched(_ port: Int) throws -> (rig: Rig, known: AsyncStream<Void>) {
        var rig = try rig(port, isDeaf: true)
        let (known, tell) = AsyncStream<Void>.makeStream()
        rig.isEnough = { _ in
            tell.yield()
            return false
        }
        return (rig, known)
    }

    @Test func aServerThatDiesOnTheWayCannotBeReplayed() async throws {
        let server = try await BackendServer.start(bugs: [.malformedSwallowed], seed: 1)
        let plan = Self.malformed.replacing("E3-000000", with: "A1-000000").replacing(
            "4  alice  until error within 400ms",
            with: "4  alice  until agent_completed within 1h\n5  alice  send text \"{}\"")
        let (rig, known) = try Self.watched(server.port)
        async let report = Self.replay(plan, rig)
        for await _ in known { break }
        await server.stop()
        let outcome = try await report.outcome
        guard case .cannotReplay(step: 5, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func aServerThatIsNotThereIsUnreachable() async throws {
        // No port that was free a moment ago: another test may have taken it by now. Nobody listens on 1.
        let rig = try Self.rig(1, patience: .milliseconds(300))
        await #expect { _ = try await Self.replay(Self.malformed, rig) } throws: { error in
            if case .unreachable? = error as? RigError { true } else { false }
        }
    }

    @Test func aPropertyThatWasNotAskedIsNotFixed() async throws {
        let server = try await BackendServer.start(seed: 1)
        let plan = Self.answered.replacing("E3-000000", with: "A1-000000")
        let report = try await Self.replay(plan, Self.rig(server.port), runs: 1)
        await server.stop()
        #expect(report.outcome == .cannotReplay(step: nil, "A1 was not exercised"))
    }

    @Test func theRigStopsWhenItHasSeenEnough() async throws {
        let server = try await BackendServer.start(bugs: [.malformedSwallowed], seed: 1)
        var rig = try Self.rig(server.port, isDeaf: true)
        rig.isEnough = { $0.property == "E3" }
        let plan = try PlanText.parse(Self.malformed.replacing("within 400ms", with: "within 60s"))
        let run = try await rig.run(plan)
        await server.stop()
        #expect(run.judgement.findings.map(\.property) == ["E3"])
        #expect(run.steps.last?.outcome == .cannot("the play was stopped"))
    }

    @Test func whoGivesUpDoesNotWaitForThePlan() async throws {
        let server = try await BackendServer.start(bugs: [.malformedSwallowed], seed: 1)
        let (rig, known) = try Self.watched(server.port)
        let plan = try PlanText.parse(
            Self.malformed.replacing("until error within 400ms", with: "until agent_completed within 1h"))
        let play = Task { try await rig.run(plan) }
        for await _ in known { break }
        play.cancel()
        let run = try await play.value
        await server.stop()
        #expect(run.steps.last?.outcome == .cannot("the play was stopped"))
    }

    /// Also while the proxy starts or the transport is dialled: nothing is waited for that nobody will tell.
    @Test func aRunGivenUpAtAnyMomentEnds() async throws {
        let server = try await BackendServer.start(seed: 1)
        let rig = try Self.rig(server.port)
        let plan = try PlanText.parse(
            Self.malformed.replacing("until error within 400ms", with: "until agent_completed within 1h"))
        for number in 0..<12 {
            let play = Task { try await rig.run(plan) }
            try await Task.sleep(for: .microseconds(number * 800))
            play.cancel()
            let run = try await play.value
            #expect(run.judgement.findings.isEmpty)
        }
        await server.stop()
    }
}

/// Servers started for a replay.
@Suite(.timeLimit(.minutes(3))) struct TargetProcessTests {
    /// The program beside the tests, where the package manager puts both.
    static let program = (CommandLine.arguments.first.map { URL(fileURLWithPath: $0) })
        .map { $0.deletingLastPathComponent().appendingPathComponent("miswire").path } ?? "miswire"
    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: program) }

    @Test(.enabled(if: isBuilt)) func aPlanIsReplayedAgainstACommand() async throws {
        let target = try await TargetProcess.start(
            "'\(Self.program)' backend --bugs B08 --port {port}",
            variables: [("MISWIRE_JWT_KEY", BackendServer.developmentKey)])
        let report = try await ReplayTests.replay(ReplayTests.malformed, ReplayTests.rig(target.endpoint.port, isDeaf: true), runs: 1)
        #expect(report.outcome == .stillFailing(failed: 1, of: 1))
        #expect(target.ended == nil)
        await target.stop()
        #expect(target.ended != nil)
    }

    @Test func aCommandThatEndsAtOnceSaysWhatItSaid() async throws {
        await #expect {
            _ = try await TargetProcess.start("/bin/sh -c 'echo no {port}; exit 3'", variables: [])
        } throws: { error in
            guard case .ended(let how, let said)? = error as? TargetError else { return false }
            return how == "exit 3" && said.hasPrefix("no ")
        }
    }

    @Test func aCommandThatDoesNotListenIsEndedWithItsWholeGroup() async throws {
        await #expect {
            _ = try await TargetProcess.start(
                "/bin/sh -c 'sleep 600 & echo $! {port}; wait'", variables: [], within: .seconds(1))
        } throws: { error in
            guard case .notListening(_, let said)? = error as? TargetError,
                let child = said.split(separator: " ").first.flatMap({ Int32($0) })
            else { return false }
            // It is gone, or a zombie that its new parent has not looked at yet.
            let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
            return state.map { $0.contains(") Z") || $0.contains(") X") } ?? true
        }
    }

    @Test func aPlaceForThePortIsNeeded() {
        #expect(throws: TargetError.self) { try ExecCommand.split("server --port 80", port: 1) }
        #expect(throws: TargetError.self) { try ExecCommand.split("server 'open {port}", port: 1) }
        #expect(throws: Never.self) {
            let words = try ExecCommand.split(#"a 'b c' "d \" e" f\ g {port}:{port}"#, port: 7)
            #expect(words == ["a", "b c", #"d " e"#, "f g", "7:7"])
        }
    }
}
