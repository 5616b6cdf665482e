import Contracts
import Foundation
import Fuzzing
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import Reporting
import Synchronization
import Testing
import Wire

@testable import Commands

/// An engine that says what it is told to and ends as it is told to.
final class ScriptedEngine: FuzzEngine {
    let events: [CampaignEvent]
    let result: CampaignResult
    /// How long it goes on, and whether it heeds being stopped.
    let lasts: Duration
    let heeds: Bool
    let onEvent: @Sendable (CampaignEvent) -> Void

    init(
        _ events: [CampaignEvent], _ result: CampaignResult, lasts: Duration = .zero, heeds: Bool = true,
        onEvent: @escaping @Sendable (CampaignEvent) -> Void
    ) {
        self.events = events
        self.result = result
        self.lasts = lasts
        self.heeds = heeds
        self.onEvent = onEvent
    }

    var progress: Fuzzing.Progress { result.progress }

    func run() async -> CampaignResult {
        for event in events { onEvent(event) }
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: lasts)
        while clock.now < end, !(heeds && Task.isCancelled) {
            // A cancelled sleep returns at once.
            await Task { try? await Task.sleep(for: .milliseconds(10)) }.value
        }
        return result
    }
}

/// Findings, results and orders of fixed figures.
enum Staged {
    static func finding(_ attribution: Attribution, _ property: String = "I2", _ fingerprint: String = "7c1e44") -> Finding {
        var finding = Finding(
            property: property, also: ["E3"], fingerprint: fingerprint, sentence: "alice's error is delivered to bob",
            requirement: "each event goes to its user", expected: "error on s1", found: "error on s2", offending: nil,
            witness: [], sessions: [], users: ["alice", "bob"], instant: .zero, faults: [], contractFile: "agent-chat.yaml",
            contractLine: 88)
        finding.attribution = attribution
        finding.repeats = 29
        return finding
    }

    static func plan() throws -> Plan {
        try PlanText.parse(
            """
            miswire plan 1
            ----
            user alice credential header
            user bob credential header
            1 alice connect /ws
            2 alice until open within 2s
            3 bob connect /ws
            4 bob until open within 2s
            5 alice send {"type":"agent_started","agent_name":"non_existent_agent","user_id":$alice.id}
            6 alice until error within 1s
            7 bob quiet for 100ms
            faults none
            """)
    }

    static func found(_ attribution: Attribution = .intrinsic(failed: 5, of: 5), _ property: String = "I2") throws -> FuzzFinding {
        FuzzFinding(
            finding: finding(attribution, property), plan: try plan(), name: CaseName(47310), executions: 47_310)
    }

    static func result(
        _ end: CampaignResult.End = .complete, _ findings: [FuzzFinding] = [], flaky: [FuzzFinding] = [], executions: Int = 209_806
    ) -> CampaignResult {
        var progress = Fuzzing.Progress()
        progress.executions = executions
        progress.stability = 97.1
        progress.elapsed = .seconds(252)
        progress.phase = .stateful
        progress.features = 2_914
        progress.executionsPerSecond = 537
        progress.total = .seconds(600)
        var judgement = Judgement()
        var held = PropertySummary(id: "E3", name: "errors reach the requester")
        held.checked = 3
        held.passed = 3
        judgement.properties = [held]
        let phases = [
            PhaseResult(phase: .calibration, executions: 200, took: .seconds(4), newFeatures: 61, findings: 0),
            PhaseResult(phase: .stateful, executions: 120_410, took: .seconds(224), newFeatures: 1_204, findings: 2),
            PhaseResult(phase: .confirm, executions: 402, took: .seconds(62), newFeatures: 0, findings: 2),
        ]
        return CampaignResult(
            end: end, phases: phases, findings: findings, flaky: flaky, judgement: judgement, progress: progress)
    }

    static func order(_ directory: String, _ change: (inout FuzzRequest) -> Void = { _ in }) async throws -> FuzzOrder {
        var request = FuzzRequest()
        request.places = ["ws://127.0.0.1:8080/ws"]
        request.seed = "42"
        request.workers = "8"
        request.findings = directory + "/findings"
        change(&request)
        return try await FuzzOrder.read(request)
    }
}

@Suite struct FuzzRunTests {
    private let quiet = AsyncStream<Int32> { _ in }

    private func play(
        _ order: FuzzOrder, _ events: [CampaignEvent], _ result: CampaignResult, json: Bool = false,
        lasts: Duration = .zero, heeds: Bool = true, signals: AsyncStream<Int32>? = nil, environment: [String: String] = [:]
    ) async throws -> (said: String, reason: ExitReason) {
        let paper = Paper()
        let form = FuzzForm(console: paper.console(), json: json, mode: nil, order: order)
        let run = FuzzRun(
            order: order, form: form, environment: environment, signals: signals ?? quiet,
            engine: { _, onEvent in ScriptedEngine(events, result, lasts: lasts, heeds: heeds, onEvent: onEvent) })
        let reason = try await run.run()
        return (paper.said, reason)
    }

    @Test func aRunReadsAsInTheMockUp() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            let found = try Staged.found()
            let events: [CampaignEvent] = [
                .seeds(412), .selfCheck(caught: 17, of: 17),
                .calibrated(runs: 200, p999: .milliseconds(91), deadline: .seconds(1)),
                .found(found.finding, executions: 47_310, at: .seconds(203)), .settled(found, at: .seconds(210)),
            ]
            let (said, reason) = try await play(order, events, Staged.result(.complete, [found]))
            let hash = order.options.contract.hash
            #expect(reason == .violations)
            #expect(
                said.hasPrefix(
                    """
                    miswire 0.1.0 fuzz    seed 42    contract agent-chat \(hash)    8 workers, 50 users, 412 seeds
                      ✓ self-check 17 of 17 properties catch a planted defect
                      ✓ calibration: 200 runs without faults, p99.9 91 ms, deadline 1 s stays
                    ✗ 03:23  I2 alice's error is delivered to bob            found after 47,310 executions, confirming
                    ✗ 03:30  I2 alice's error is delivered to bob            intrinsic, 5 of 5, 7 steps, I2-7c1e44

                    """))
            #expect(said.contains("  2 stateful               120,410     3:44          1,204          2\n"))
            #expect(said.contains("  ✗ I2-7c1e44  alice's error is delivered to bob                   7     2   29×   intrinsic 5 of 5\n"))
            #expect(said.contains(" replay \(directory)/findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws\n"))
            #expect(said.contains(" fuzz ws://127.0.0.1:8080/ws --contract agent-chat --users 50 --seed 42 --workers 8"))
            #expect(said.hasSuffix("exit 1 (violations)\n"))
        }
    }

    @Test func aFindingIsAPlanThatSaysWhereItFails() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            let found = try Staged.found()
            let flaky = try Staged.found(.flaky(failed: 2, of: 5), "E3")
            let (_, reason) = try await play(order, [], Staged.result(.complete, [found], flaky: [flaky]))
            #expect(reason == .violations)
            let text = try String(contentsOfFile: directory + "/findings/I2-7c1e44.plan", encoding: .utf8)
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines[2] == "finding   I2-7c1e44  also E3")
            let hash = order.options.contract.hash
            #expect(lines[3] == "found     fuzz, seed 42, case 47310, miswire 0.1.0, profile none, contract agent-chat \(hash)")
            #expect(lines[4] == "attrib    intrinsic, 5 of 5")
            #expect(lines.contains("6  alice  until error within 1s                    # fails here: alice's error is delivered to bob"))
            #expect(FailingStep.line(in: text) == lines.firstIndex { $0.contains("fails here") }.map { $0 + 1 })
            #expect(try PlanText.print(PlanText.parse(text)) == text)
            let quarantined = try String(contentsOfFile: directory + "/findings/E3-7c1e44.plan", encoding: .utf8)
            #expect(quarantined.contains("attrib    flaky, 2 of 5\n"))
        }
    }

    @Test func findingsAreFilesBeforeTheRunEnds() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            let (signals, hand) = AsyncStream.makeStream(of: Int32.self)
            let found = try Staged.found()
            async let played = play(
                order, [.settled(found, at: .seconds(1))], Staged.result(.complete, [found]), lasts: .seconds(120), signals: signals)
            let path = directory + "/findings/I2-7c1e44.plan"
            for _ in 0..<6_000 where !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(FileManager.default.fileExists(atPath: path))
            hand.yield(SIGINT)
            let (said, reason) = try await played
            #expect(reason == .interrupted)
            #expect(said.contains("✗ I2-7c1e44") && said.hasSuffix("exit 130 (interrupted)\n"))
        }
    }

    @Test func anEngineThatDoesNotHeedIsLeftAlone() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            let (signals, hand) = AsyncStream.makeStream(of: Int32.self)
            hand.yield(SIGINT)
            let found = try Staged.found()
            let (said, reason) = try await play(
                order, [.settled(found, at: .seconds(1))], Staged.result(), lasts: .seconds(20), heeds: false, signals: signals)
            #expect(reason == .interrupted && said.contains("✗ I2-7c1e44"))
            let (again, hands) = AsyncStream.makeStream(of: Int32.self)
            hands.yield(SIGINT)
            hands.yield(SIGTERM)
            await #expect(throws: Interrupted.self) {
                _ = try await play(order, [], Staged.result(), lasts: .seconds(20), heeds: false, signals: again)
            }
        }
    }

    @Test func whatDoesNotCountIsNotKept() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory) { $0.checks = ["E3"] }
            var found = try Staged.found()
            found.finding.also = []
            let events: [CampaignEvent] = [.found(found.finding, executions: 1, at: .zero), .settled(found, at: .zero)]
            let (said, reason) = try await play(order, events, Staged.result(.complete, [found]))
            #expect(reason == .pass && !said.contains("I2"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/findings"))
        }
    }

    /// One that is headed by another property, and shows what was asked for as well.
    @Test func whatCountsByTheWayIsKept() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory) { $0.checks = ["E3"] }
            let found = try Staged.found()
            #expect(found.finding.property == "I2" && found.finding.also.contains("E3"))
            let (said, reason) = try await play(order, [.settled(found, at: .zero)], Staged.result(.complete, [found]))
            #expect(reason == .violations && said.contains("I2"))
        }
    }

    @Test func aPlanThatCannotBeWrittenIsNoPass() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            try "in the way".write(toFile: directory + "/findings", atomically: true, encoding: .utf8)
            let (said, reason) = try await play(order, [], Staged.result(.complete, [try Staged.found()]))
            #expect(reason == .selfCheckFailed && said.contains("warning: the plan"))
        }
    }

    @Test func whatIsNewIsKeptInTheFirstCorpus() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory) { $0.places.append(directory + "/new") }
            let keeper = try #require(try order.corpora.keeper())
            keeper(try Staged.plan())
            keeper(try Staged.plan())
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/new").count == 1)
            let again = try await Staged.order(directory) { $0.places.append(directory + "/new") }
            #expect(again.options.seeds.count == 1 && again.options.seeds[0].steps.count == 7)
            #expect(try await Staged.order(directory).corpora.keeper() == nil)
        }
    }

    @Test func reportsAreWrittenAndAJobShowsThem() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory) {
                $0.reports = ["junit=\(directory)/a.xml,sarif=\(directory)/b.sarif", "ndjson=\(directory)/c.ndjson"]
            }
            let environment = [
                "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": directory, "GITHUB_STEP_SUMMARY": directory + "/summary.md",
            ]
            let (said, reason) = try await play(
                order, [], Staged.result(.complete, [try Staged.found()]), environment: environment)
            #expect(reason == .violations)
            #expect(said.contains("::error file=findings/I2-7c1e44.plan,line="))
            #expect(said.contains("  reports      \(directory)/a.xml  \(directory)/b.sarif  \(directory)/c.ndjson\n"))
            let junit = try String(contentsOfFile: directory + "/a.xml", encoding: .utf8)
            #expect(junit.contains("I2-7c1e44"))
            #expect(try String(contentsOfFile: directory + "/summary.md", encoding: .utf8).hasPrefix("### miswire fuzz: 1 violation in "))
        }
    }

    @Test func aReportThatCannotBeWrittenIsAFailedSelfCheck() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory) { $0.reports = ["junit=\(directory)/a.xml"] }
            try FileManager.default.createDirectory(atPath: directory + "/a.xml", withIntermediateDirectories: true)
            let (said, reason) = try await play(order, [], Staged.result())
            #expect(reason == .selfCheckFailed && said.contains("warning: the report ") && said.hasSuffix("exit 5 (self-check failed)\n"))
        }
    }

    @Test func everyLineOfTheMachineFormIsJSON() async throws {
        try await Program.inDirectory { directory in
            let order = try await Staged.order(directory)
            let found = try Staged.found()
            let events: [CampaignEvent] = [
                .seeds(3), .selfCheck(caught: 8, of: 8), .warning("x\u{1b}y"), .calibrated(runs: 1, p999: .zero, deadline: .seconds(1)),
                .found(found.finding, executions: 1, at: .zero), .settled(found, at: .zero), .targetDown("refused", at: .zero),
                .targetBack(restarts: 1, at: .zero),
                .flooded(Flood(entries: 9, bytes: 8, asked: 7, connections: 1, took: .zero), at: .zero),
                .phaseEnded(PhaseResult(phase: .stateful, executions: 1, took: .zero, newFeatures: 0, findings: 0)),
            ]
            let (said, reason) = try await play(order, events, Staged.result(.complete, [found]), json: true)
            let lines = said.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("warning:") }
            let read = try lines.map { try JSON.parse($0) }
            let kinds = read.compactMap { line in if case .string(let kind)? = line["kind"] { kind } else { nil } }
            #expect(
                kinds == [
                    "start", "self-check", "warning", "calibrated", "found", "violation", "target-down", "target-back", "flood",
                    "phase", "property", "summary",
                ])
            let last = try #require(read.last)
            #expect(last["exit"] == .number("1") && last["findings"] == .array([.string("I2-7c1e44")]))
            // What the last progress line would have said stands here too.
            for (key, value) in [("elapsed", "252.000"), ("executions", "209806"), ("features", "2914"), ("stability", "97.1")] {
                #expect(last[key] == .number(value), "\(key)")
            }
            for key in ["messages", "sessions", "edges", "corpus", "restarts", "floods"] { #expect(last[key] == .number("0"), "\(key)") }
            #expect(reason == .violations && !said.contains("\u{1b}"))
        }
    }
}
