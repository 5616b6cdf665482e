import Oracles
import Peers
import Plans
import ReferenceBackend
import Synchronization
import Testing

/// Plans that are about a server's end, played again before one whose end is scripted.
@Suite(.timeLimit(.minutes(3))) struct ReplaySurvivalTests {
    /// Goes away behind the plays of which the script says so.
    private final class Scripted: ReplayTarget {
        let endpoint: Endpoint
        /// After so many starts it does not come back.
        let starts: Int
        private let state: Mutex<(ends: [Ending?], starts: Int)>

        init(_ port: Int, _ ends: [Ending?], starts: Int = .max) {
            endpoint = Endpoint(host: "127.0.0.1", port: port)
            self.starts = starts
            state = Mutex((ends, 0))
        }

        func ready() async throws(RigError) -> Endpoint {
            let count = state.withLock { state in
                state.starts += 1
                return state.starts
            }
            guard count <= starts else { throw .unreachable("it refuses connections") }
            return endpoint
        }

        func crash() async -> Crash? {
            let ending = state.withLock { $0.ends.isEmpty ? nil : $0.ends.removeFirst() }
            return ending.map { Crash(ending: $0, tail: ["Segmentation fault"], at: .zero) }
        }
    }

    private static func replay(
        _ ends: [Ending?], starts: Int = .max, plan text: String? = nil, key: String = BackendServer.developmentKey
    ) async throws -> ReplayReport {
        let server = try await BackendServer.start(key: key, seed: 1)
        var replayer = Replayer(rig: try ReplayTests.rig(server.port))
        replayer.runs = ends.count
        replayer.target = Scripted(server.port, ends, starts: starts)
        replayer.blame = { crash, plan, run in
            #expect(!run.entries.isEmpty)
            return Finding(
                property: "R2", fingerprint: "ab12cd", sentence: "the target ends with \(crash.ending.short) after alice's x",
                requirement: "", expected: "", found: "", offending: nil, witness: [], sessions: [], users: [],
                instant: .zero, faults: [], contractFile: "", contractLine: 0)
        }
        let plan = try PlanText.parse(text ?? ReplayTests.answered.replacing("E3-000000", with: "R2-ab12cd"))
        let report = await Result { () async throws -> ReplayReport in try await replayer.replay(plan) }
        await server.stop()
        return try report.get()
    }

    @Test func aServerThatEndsEachTimeIsStillFailing() async throws {
        let report = try await Self.replay([.signal(11), .signal(11)])
        #expect(report.outcome == .stillFailing(failed: 2, of: 2))
        #expect(report.sentence == "the target ends with signal 11 after alice's x")
        #expect(report.finding?.id == "R2-ab12cd")
    }

    @Test func aServerThatStaysIsFixed() async throws {
        let report = try await Self.replay([nil, nil])
        #expect(report.outcome == .fixed(of: 2))
        #expect(report.sentence == "the target runs on and takes connections")
    }

    @Test func aServerThatEndsNowAndThenIsFlaky() async throws {
        #expect(try await Self.replay([nil, .exit(3), nil]).outcome == .flaky(failed: 1, of: 3))
    }

    @Test func whatWasSeenBeforeItStaysAwayCounts() async throws {
        #expect(try await Self.replay([.refusing, .refusing], starts: 1).outcome == .stillFailing(failed: 1, of: 1))
        let report = try await Self.replay([nil, nil], starts: 1)
        #expect(report.outcome == .cannotReplay(step: nil, "the target is gone after run 1: it refuses connections"))
    }

    @Test func aServerThatNobodyCouldTalkToIsNotFixed() async throws {
        let report = try await Self.replay([nil, nil], key: "another-key")
        #expect(
            report.outcome == .cannotReplay(step: 2, "alice until open within 30s: refused with 401 (credential?)"))
    }

    @Test func anEndIsNoMatterOfAPlanAboutSomethingElse() async throws {
        let report = try await Self.replay([.signal(11), .signal(11)], plan: ReplayTests.answered)
        #expect(report.outcome == .fixed(of: 2))
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
