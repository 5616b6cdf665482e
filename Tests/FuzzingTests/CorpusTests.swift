import Contracts
import Foundation
import Journaling
import Plans
import Profiles
import Testing

@testable import Fuzzing

/// A directory of its own, gone at the end.
private final class Scratch {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/miswire-corpus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }
    func write(_ name: String, _ data: Data) throws {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: file))
    }
    func names(_ inner: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + inner)) ?? []).sorted()
    }
}

@Suite struct CorpusTests {
    private static func plan(_ word: String, sends: Int = 1) -> Plan {
        var plan = Plan()
        plan.users = [Plan.User(name: "alice", credential: "none")]
        plan.steps = [Plan.Step(number: 1, user: "alice", verb: .connect(path: "/ws", as: nil, headers: []))]
        for index in 0..<sends {
            plan.steps.append(Plan.Step(number: index + 2, user: "alice", verb: .sendText(word)))
        }
        return plan
    }
    private static func text(_ word: String, sends: Int = 1) -> String { PlanText.print(plan(word, sends: sends)) }
    private static let contract = Contract(name: "none")
    private static let nothing: CorpusDirectory.Lift = { _, _ in [] }

    private func load(_ scratch: Scratch, _ bounds: CorpusDirectory.Bounds = .init()) -> CorpusDirectory.Loaded {
        CorpusDirectory([scratch.path], bounds: bounds).load(contract: Self.contract, lift: Self.nothing)
    }

    @Test func orderAndIdentityDoNotDependOnNames() throws {
        let (one, two) = (try Scratch(), try Scratch())
        for word in ["a", "b", "c"] {
            try one.write("x-\(word).plan", Self.text(word))
            try two.write("deep/\(word == "a" ? "z" : "a-" + word)", "# mine\n" + Self.text(word))
        }
        try one.write("twice", Self.text("a"))
        let (left, right) = (load(one), load(two))
        #expect(left.seeds.map(\.hash) == right.seeds.map(\.hash) && left.seeds.map(\.plan) == right.seeds.map(\.plan))
        #expect(left.duplicates == 1 && left.warnings == [] && left.seeds.count == 3)
        #expect(left.seeds.allSatisfy { $0.hash.count == 40 })
    }

    @Test func savesOnceAndWhole() throws {
        let scratch = try Scratch()
        let corpus = CorpusDirectory([scratch.path + "/new/deeper"])
        try corpus.prepare()
        let path = try #require(try corpus.save(Self.plan("a")))
        #expect(path.hasSuffix(CorpusSeed.hash(of: Self.plan("a"))))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try corpus.save(Self.plan("a")) == nil)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        #expect(scratch.names("new/deeper").count == 1)
    }

    /// A recording is evidence: nothing is put beside its segments, where nobody would read it either.
    @Test func aRecordingIsNotWrittenTo() throws {
        let scratch = try Scratch()
        try scratch.write("rec/0001.ndjson", "{not json")
        try scratch.write("plans/a.plan", Self.text("a"))
        let corpus = CorpusDirectory([scratch.path + "/rec", scratch.path + "/plans"])
        #expect(corpus.writable == nil && CorpusDirectory([scratch.path + "/plans"]).writable != nil)
        try corpus.prepare()
        #expect(try corpus.save(Self.plan("b")) == nil)
        #expect(scratch.names("rec") == ["0001.ndjson"])
        let warnings = corpus.load(contract: try ContractLoader().load("agent-chat")) { _, _ in [] }.warnings
        #expect(warnings.first?.contains("a recording is read and not written to; name a directory for plans first") == true)
    }

    @Test func hostileFilesAreWarningsWithTheirPlace() throws {
        let scratch = try Scratch()
        try scratch.write("good", Self.text("a"))
        try scratch.write("broken.plan", Self.text("b").replacingOccurrences(of: "send text", with: "sent text"))
        try scratch.write("binary", Data([0xff, 0xfe, 0, 1]))
        try scratch.write("empty", "")
        try scratch.write("README.md", "# hello")
        try scratch.write("large", String(repeating: "x", count: (1 << 20) + 1))
        try scratch.write("rec/0001.ndjson", "{not json")
        try scratch.write(".git/config", "x")
        try scratch.write("evil\u{1b}[2J", "x")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: scratch.path + "/passwd", withDestinationPath: "/etc/passwd")
        try manager.createSymbolicLink(atPath: scratch.path + "/loop", withDestinationPath: scratch.path)
        let made = unsafe mkfifo(scratch.path + "/fifo", 0o600)
        #expect(made == 0)
        let loaded = load(scratch)
        #expect(loaded.seeds.map(\.path) == [scratch.path + "/good"])
        for name in ["broken.plan:", "binary", "empty", "README.md", "large", "rec", "passwd", "loop", "fifo", "evil"] {
            #expect(loaded.warnings.contains { $0.contains("/" + name) }, "\(name): \(loaded.warnings)")
        }
        #expect(!loaded.warnings.contains { $0.contains("\u{1b}") || $0.contains(".git") })
    }

    /// The recordings that stand in the repository: each gives at least a plan, and none twice.
    @Test func recordingsBecomeSeeds() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let contract = try ContractLoader().load("agent-chat")
        let loaded = CorpusDirectory([root.path + "/corpus/recordings"]).load(contract: contract) { entries, contract in
            PlanLift.lift(entries: entries, contract: contract).plans.map(\.plan)
        }
        #expect(Set(loaded.seeds.map(\.origin)).isSuperset(of: [.recording]))
        #expect(loaded.seeds.count { $0.origin == .recording } >= 6)
        #expect(Set(loaded.seeds.map(\.hash)).count == loaded.seeds.count && loaded.warnings == [])
    }

    @Test func boundsHoldAtTheirEdges() throws {
        let scratch = try Scratch()
        for word in ["a", "b", "c"] { try scratch.write(word, Self.text(word)) }
        var bounds = CorpusDirectory.Bounds()
        bounds.files = 3
        #expect(load(scratch, bounds).seeds.count == 3 && load(scratch, bounds).warnings == [])
        bounds.files = 2
        #expect(load(scratch, bounds).seeds.count == 2 && !load(scratch, bounds).warnings.isEmpty)
        bounds = CorpusDirectory.Bounds()
        bounds.fileBytes = Self.text("a").utf8.count
        #expect(load(scratch, bounds).seeds.count == 3)
        bounds.fileBytes -= 1
        #expect(load(scratch, bounds).seeds.isEmpty && load(scratch, bounds).warnings.count == 3)
    }

    @Test func coverIsSmallAndComplete() {
        let items = [
            CorpusMerge.Item(hash: "b", size: 9, features: [1, 2, 3, 4]),
            CorpusMerge.Item(hash: "a", size: 1, features: [1]),
            CorpusMerge.Item(hash: "d", size: 2, features: [2]),
            CorpusMerge.Item(hash: "c", size: 2, features: [2]),
            CorpusMerge.Item(hash: "e", size: 3, features: []),
        ]
        #expect(CorpusMerge.cover(items) == [0])
        #expect(CorpusMerge.cover(Array(items.dropFirst())) == [0, 2])
        #expect(CorpusMerge.cover(items, beyond: [1, 2, 3, 4]) == [])
    }

    /// What a plan shows: its words, each once.
    private static let measure: CorpusDirectory.Measure = { plan in
        var features: Set<UInt64> = []
        for case .sendText(let text) in plan.steps.map(\.verb) {
            if text == "down" { return nil }
            for word in text.split(separator: " ") { features.insert(FeatureHash.text(String(word))) }
        }
        return features.sorted()
    }

    @Test func mergeAddsOnlyWhatIsNew() async throws {
        let scratch = try Scratch()
        try scratch.write("mine/a", Self.text("a"))
        try scratch.write("theirs/a2", Self.text("a", sends: 2))
        try scratch.write("theirs/ab", Self.text("a b"))
        try scratch.write("theirs/b", Self.text("b"))
        try scratch.write("theirs/down", Self.text("down"))
        let corpus = CorpusDirectory([scratch.path + "/mine", scratch.path + "/theirs"])
        let report = try await corpus.merge(contract: Self.contract, lift: Self.nothing, measure: Self.measure)
        #expect(report.before == 1 && report.added == 1 && report.after == 2 && report.unplayed == 1)
        #expect(report.featuresBefore == 1 && report.featuresAfter == 2)
        #expect(scratch.names("mine") == ["a", CorpusSeed.hash(of: Self.plan("b"))].sorted())
        #expect(scratch.names("theirs").count == 4)
    }

    @Test func minimiseDeletesOnlyWhatOthersShow() async throws {
        let scratch = try Scratch()
        var finding = Self.plan("c")
        finding.head.finding = "I2-7c1e44"
        try scratch.write("I2-7c1e44.plan", PlanText.print(finding))
        try scratch.write("a", Self.text("a"))
        try scratch.write("ab", Self.text("a b"))
        try scratch.write("c", Self.text("c", sends: 2))
        try scratch.write("down", Self.text("down"))
        try scratch.write("notes.txt", "keep me")
        let report = try await CorpusDirectory([scratch.path]).minimize(
            contract: Self.contract, lift: Self.nothing, measure: Self.measure)
        #expect(scratch.names() == ["I2-7c1e44.plan", "ab", "down", "notes.txt"])
        #expect(report.before == 5 && report.deleted == 2 && report.after == 3 && report.unplayed == 1)
        #expect(report.featuresBefore == 3 && report.featuresAfter == 3)
    }

    @Test func minimiseWithoutATargetDeletesNothing() async throws {
        let scratch = try Scratch()
        try scratch.write("a", Self.text("a"))
        await #expect(throws: CorpusError.self) {
            try await CorpusDirectory([scratch.path]).minimize(
                contract: Self.contract, lift: Self.nothing, measure: { _ in nil })
        }
        #expect(scratch.names() == ["a"])
    }
}
