import Foundation
import Fuzzing
import Plans
import Reporting
import Synchronization
import Testing

@testable import Commands

/// `--merge` and `--minimize` with a target whose plans show what their paths say: `/1,2` shows 1 and 2, `/-` cannot be
/// played.
@Suite(.timeLimit(.minutes(5))) struct CorpusTaskTests {
    private static func write(_ path: String, _ name: String, _ directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let plan = "miswire plan 1\n----\nuser  alice  credential header\n1  alice  connect \(path)\nfaults none\n"
        try plan.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
    }

    private static func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Sendable private static func features(_ plan: Plan) -> [UInt64]? {
        guard case .connect(let path, _, _)? = plan.steps.first?.verb, path != "/-" else { return nil }
        return path.dropFirst().split(separator: ",").compactMap { UInt64($0) }
    }

    private func run(
        _ task: String, _ places: [String], json: Bool = false, limit: String? = nil, signals: AsyncStream<Int32>? = nil,
        lasts: Duration = .zero
    ) async throws -> (said: String, reason: ExitReason) {
        let order = try await Staged.order(places[0]) { request in
            request.places += places
            request.merges = task == "merge"
            request.minimizes = task == "minimize"
            request.maxTotalTime = limit
            request.findings = "findings"
        }
        let paper = Paper()
        let run = CorpusRun(
            order: order, console: paper.console(), json: json, signals: signals ?? AsyncStream { _ in },
            meter: { options, body in
                #expect(options.seeds.isEmpty)
                return try await body { plan in
                    try? await Task.sleep(for: lasts)
                    return Self.features(plan)
                }
            })
        let reason = try await run.run()
        return (paper.said, reason)
    }

    @Test func whatIsNewIsAdded() async throws {
        try await Program.inDirectory { directory in
            try Self.write("/1,2", "a", directory + "/mine")
            try Self.write("/2,3,4", "b", directory + "/theirs")
            try Self.write("/1", "c", directory + "/theirs")
            let (said, reason) = try await run("merge", [directory + "/mine", directory + "/theirs"])
            #expect(reason == .pass)
            #expect(said.trimmingCharacters(in: .newlines).hasPrefix("merge  1 of 2 plans brings something new, 2 features more    "))
            #expect(said.hasSuffix("  exit 0 (pass)\n") && said.count == 101)
            #expect(try Self.names(directory + "/mine").count == 2)
            #expect(try Self.names(directory + "/theirs") == ["b", "c"])
            let again = try await run("merge", [directory + "/mine", directory + "/theirs"])
            #expect(again.said.hasPrefix("merge  none of 2 plans brings anything new "))
        }
    }

    @Test func theFirstCorpusMayBeNew() async throws {
        try await Program.inDirectory { directory in
            try Self.write("/1", "a", directory + "/theirs")
            let (said, reason) = try await run("merge", [directory + "/new", directory + "/theirs"])
            #expect(reason == .pass && said.hasPrefix("merge  1 of 1 plan brings something new, 1 feature more "))
            #expect(try Self.names(directory + "/new").count == 1)
        }
    }

    @Test func whatShowsNothingMoreIsDeleted() async throws {
        try await Program.inDirectory { directory in
            try Self.write("/1,2", "a", directory + "/mine")
            try Self.write("/2", "b", directory + "/mine")
            try Self.write("/1", "c", directory + "/mine")
            let (said, reason) = try await run("minimize", [directory + "/mine"], json: true)
            let kept = try Self.names(directory + "/mine").count
            #expect(reason == .pass && kept < 3 && kept > 0)
            let line = try #require(said.split(separator: "\n").last.map(String.init))
            #expect(line.hasPrefix("{\"v\":1,\"kind\":\"summary\",") && line.contains("\"task\":\"minimize\",\"plans\":3,\"exit\":0,\"reason\":\"pass\",\"before\":3"))
            #expect(line.contains("\"after\":\(kept),\"featuresBefore\":2,\"featuresAfter\":2,\"unplayed\":0"))
        }
    }

    @Test func whatCouldNotBePlayedStaysAndIsSaid() async throws {
        try await Program.inDirectory { directory in
            try Self.write("/1", "a", directory + "/mine")
            try Self.write("/-", "b", directory + "/mine")
            let (said, reason) = try await run("minimize", [directory + "/mine"])
            #expect(reason == .inconclusive)
            #expect(said.hasPrefix("warning: 1 plan could not be played and stays\n"))
            #expect(try Self.names(directory + "/mine") == ["a", "b"])
        }
    }

    @Test func nothingPlayedIsNoPass() async throws {
        try await Program.inDirectory { directory in
            try Self.write("/-", "a", directory + "/theirs")
            let (_, reason) = try await run("merge", [directory + "/mine", directory + "/theirs"])
            #expect(reason == .nothingExercised)
            try Self.write("/-", "a", directory + "/mine")
            await #expect(throws: Complaint.self) { try await run("minimize", [directory + "/mine"]) }
            #expect(try Self.names(directory + "/mine") == ["a"])
        }
    }

    @Test func whoStopsItChangesNothing() async throws {
        try await Program.inDirectory { directory in
            for number in 0..<40 { try Self.write("/1", "a\(number)", directory + "/mine\(number % 2)") }
            for number in 0..<40 { try Self.write("/\(number)", "b\(number)", directory + "/mine1") }
            let (signals, hand) = AsyncStream.makeStream(of: Int32.self)
            async let played = run(
                "merge", [directory + "/mine0", directory + "/mine1"], signals: signals, lasts: .milliseconds(200))
            try await Task.sleep(for: .milliseconds(500))
            hand.yield(SIGINT)
            let (said, reason) = try await played
            #expect(reason == .interrupted && said.contains("plans, nothing is changed "))
            #expect(try Self.names(directory + "/mine0").count == 20)
            let late = try await run(
                "merge", [directory + "/mine0", directory + "/mine1"], limit: "300ms", lasts: .milliseconds(200))
            #expect(late.reason == .inconclusive && late.said.contains("merge  time is up after "))
            #expect(try Self.names(directory + "/mine0").count == 20)
        }
    }

    @Test(arguments: [
        (["a", "b"], true, true, "both --merge and --minimize are given"),
        (["a"], true, false, "--merge needs a corpus to add to and one to take from"),
        ([], false, true, "--minimize works on one corpus"), (["a", "b"], false, true, "--minimize works on one corpus"),
    ]) func ordersThatMakeNoSense(places: [String], merges: Bool, minimizes: Bool, sentence: String) async throws {
        var request = FuzzRequest()
        request.places = ["ws://127.0.0.1:1/ws"] + places
        request.merges = merges
        request.minimizes = minimizes
        await #expect { _ = try await FuzzOrder.read(request) } throws: { ($0 as? Complaint)?.sentence == sentence }
        request.places = ["ws://127.0.0.1:1/ws", "a"]
        request.merges = false
        request.minimizes = true
        request.reports = ["junit=x.xml"]
        await #expect { _ = try await FuzzOrder.read(request) } throws: { ($0 as? Complaint)?.exit == .usage }
    }

    @Test func sessionsThatHaveNothingToDoWithEachOtherAreSeedsOfTheirOwn() async throws {
        let recordings = try CorpusTests.recordings().map { CorpusTests.directory.appendingPathComponent($0).path }
        let order = try await Staged.order("/tmp") { $0.contract = "demo" }
        let entries = try recordings.map { try GivenCorpora([$0], contract: order.options.contract).seeds.count }
        #expect(entries.allSatisfy { $0 > 0 } && entries.contains { $0 > 1 })
    }

    @Test func aPlanKeepsToTheRate() async throws {
        let plan = try PlanText.parse(
            """
            miswire plan 1
            ----
            user  alice  credential header
            1  alice  connect /
            2  alice  until open within 2s
            3  alice  send {}
            4  alice  send {}
            faults none
            """)
        #expect(Pace.messages(of: plan) == 3)
        let clock = ContinuousClock()
        let begun = clock.now
        await Pace(30).rest(after: plan, took: .milliseconds(20))
        #expect(begun.duration(to: clock.now) >= .milliseconds(79))
    }
}
