import Contracts
import Foundation
import Testing
import Wire

@testable import Profiles

@Suite("Contracts that extend others")
struct BundleTests {
    @Test func shortenedDeadlinesAndAllTheRest() throws {
        let base = try ContractLoader().load("agent-chat")
        let demo = try ContractLoader().load("demo")
        #expect(demo.file == "demo.yaml")
        #expect(demo.errors?.within == .milliseconds(500))
        #expect(demo.errors?.kinds == base.errors?.kinds)
        #expect(demo.auth?.within == .milliseconds(600))
        #expect(demo.auth?.refuse == base.auth?.refuse)
        #expect(demo.session?.greeting == "connected")
        #expect(demo.runs.first?.initial == "asked")
        #expect(demo.runs.first?.hot.map(\.within) == [.seconds(1), .milliseconds(1500)])
        #expect(demo.runs.first?.parts.first?.within == .seconds(1))
        #expect(demo.runs.first?.parts.first?.start == base.runs.first?.parts.first?.start)
        #expect(demo.reject.count == base.reject.count)
        #expect(demo.reject.first?.line.file == "agent-chat.yaml")
        #expect(demo.reject.first?.line == base.reject.first?.line)
        #expect(demo.hash != base.hash)
    }

    @Test(arguments: ContractLoader.shipped)
    func textReadsTheSameWithoutFiles(name: String) throws {
        let contract = try ContractLoader().load(name)
        let again = try ContractLoader.parse(text: contract.text, file: contract.file)
        #expect(written(again) == written(contract))
        #expect(again.text == contract.text)
        #expect(again.hash == contract.hash)
    }

    @Test func filesFindTheirBasesBesideThem() throws {
        let directory = try Directory()
        try directory.write("base.yaml", "miswire-contract: 1\nname: base\nwire: { type: type }\nrequests: { a: {}, b: {} }\n")
        try directory.write("middle.yaml", "miswire-contract: 1\nname: middle\nextends: base\nrequests: { c: {}, b: }\n")
        try directory.write("top.yaml", "miswire-contract: 1\nname: top\nextends: ./middle.yaml\nrequests: { d: {} }")
        let contract = try ContractLoader().load(directory.path("top.yaml"))
        #expect(contract.requests.map(\.name) == ["d", "c", "a"])
        #expect(contract.wire.type?.text == "type")
        let again = try ContractLoader.parse(text: contract.text, file: "top.yaml")
        #expect(again.requests.map(\.name) == ["d", "c", "a"])
        #expect(again.requests.map(\.line) == contract.requests.map(\.line))
    }

    @Test func statesKeepTheirOrder() throws {
        let directory = try Directory()
        try directory.write(
            "new.yaml",
            "miswire-contract: 1\nname: new\nextends: agent-chat\nruns: { run: { states: { late: { error: done }, running: { agent_completed: late, final_report: } } } }\n")
        let contract = try ContractLoader().load(directory.path("new.yaml"))
        let run = try #require(contract.runs.first)
        #expect(run.states.map(\.name) == ["asked", "running", "late"])
        #expect(run.edge(from: "running", isRequest: false, name: "agent_completed", type: nil)?.next == "late")
        #expect(run.edge(from: "running", isRequest: false, name: "final_report", type: nil) == nil)
        #expect(run.edge(from: "running", isRequest: false, name: "error", type: nil)?.next == "done")
    }

    @Test func circlesAndMissingBases() throws {
        let directory = try Directory()
        try directory.write("a.yaml", "miswire-contract: 1\nname: a\nextends: b\n")
        try directory.write("b.yaml", "miswire-contract: 1\nname: b\nextends: a\n")
        let circle = #expect(throws: ConfigurationErrors.self) { _ = try ContractLoader().load(directory.path("a.yaml")) }
        #expect(circle?.errors.first?.message == "contract \"a\" extends itself")
        try directory.write("c.yaml", "miswire-contract: 1\nname: c\nextends: agent-chta\n")
        let missing = #expect(throws: ConfigurationErrors.self) { _ = try ContractLoader().load(directory.path("c.yaml")) }
        #expect(missing?.errors.first?.message == "no contract is called `agent-chta`")
        #expect(missing?.errors.first?.remedy == "write `agent-chat`")
        #expect(missing?.errors.first?.line == 3)
        #expect(throws: ConfigurationErrors.self) {
            _ = try ContractLoader.parse(text: "miswire-contract: 1\nname: x\nextends: agent-chat", file: "x.yaml")
        }
    }

    @Test func errorsInABaseNameTheBase() throws {
        let directory = try Directory()
        try directory.write("base.yaml", "miswire-contract: 1\nname: base\nreqests: {}\n")
        try directory.write("top.yaml", "miswire-contract: 1\nname: top\nextends: base\nevnts: {}\n")
        let found = #expect(throws: ConfigurationErrors.self) { _ = try ContractLoader().load(directory.path("top.yaml")) }
        #expect(found?.errors.map { "\(SourceFile.baseName(of: $0.file)):\($0.line)" } == ["top.yaml:4", "base.yaml:3"])
        #expect(found?.errors.last?.spot?.source == "reqests: {}")
    }

    @Test func profilesFindContractsBesideThem() throws {
        let directory = try Directory()
        try FileManager.default.createDirectory(atPath: directory.path("contracts"), withIntermediateDirectories: true)
        try directory.write("contracts/mine.yaml", "miswire-contract: 1\nname: mine\n")
        try directory.write("p.yaml", "miswire: 1\nname: p\ncontract: mine\n")
        let profile = try ProfileLoader().load(directory.path("p.yaml"))
        #expect(profile.contract == directory.path("contracts/mine.yaml"))
        try directory.write("q.yaml", "miswire: 1\nname: q\ncontract: agnt-chat\n")
        let found = ConfigurationCheck.check(directory.path("q.yaml"))
        #expect(found.errors.map(\.message) == ["no contract is called `agnt-chat`"])
        #expect(found.errors.first?.line == 3)
    }

    @Test func checkTellsProfilesFromContracts() throws {
        let directory = try Directory()
        try directory.write("c.yaml", "# x\nmiswire-contract: 1\nname: c\nevnts: {}\n")
        try directory.write("p.yaml", "miswire: 1\nname: p\nevnts: {}\n")
        #expect(ConfigurationCheck.check(directory.path("c.yaml")).errors.first?.message == "unknown key \"evnts\" in the contract")
        #expect(ConfigurationCheck.check(directory.path("p.yaml")).errors.first?.message == "the profile has no `evnts`")
        #expect(ConfigurationCheck.check("agent-chat").errors.isEmpty)
        #expect(ConfigurationCheck.check("transparent").errors.isEmpty)
        #expect(!ConfigurationCheck.check(directory.path("none.yaml")).errors.isEmpty)
    }

    @Test func connectionsWithoutKnownUsersAreArrivalOrdered() throws {
        let directory = try Directory()
        try directory.write("p.yaml", "miswire: 1\nname: p\nfaults: [{ fault: drop, when: { connection: every 2 } }]\n")
        let found = ConfigurationCheck.check(directory.path("p.yaml"))
        #expect(!found.isFatal)
        #expect(found.errors.map(\.message) == ["connections are counted in order of arrival (arrival-ordered)"])
    }

    @Test func everyShippedFileHasItsName() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func names(_ directory: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(directory).path)
                .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        }
        #expect(try names("profiles") == ProfileLoader.shipped)
        #expect(try names("profiles/contracts") == ContractLoader.shipped)
    }
}
