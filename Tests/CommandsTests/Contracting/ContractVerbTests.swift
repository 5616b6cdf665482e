import Foundation
import Testing
import Wire

@testable import Commands

/// `miswire contract show|check|infer` as users run it.
@Suite(.timeLimit(.minutes(5))) struct ContractVerbTests {
    private static let corpus = InferenceTests.corpus

    @Test func aloneItListsWhatIsShipped() async throws {
        let told = try await Program.run(["contract"])
        #expect(told.code == 0 && told.out.contains("agent-chat") && told.out.contains("echo"))
        #expect(try await Program.run(["contract", "show"]).out == told.out)
    }

    @Test func showSaysWhatIsAskedAndWhatIsLacking() async throws {
        let told = try await Program.run(["contract", "show", "agent-chat"])
        #expect(told.code == 0 && told.err == "")
        #expect(told.out.contains("greeted with connected") && told.out.contains("agent_started(starts run)"))
        #expect(told.out.contains("E3  errors reach the requester") && told.out.contains("✓ asked"))
        #expect(try await Program.run(["contract", "agent-chat"]).out == told.out)
        let echo = try await Program.run(["contract", "show", "echo"])
        #expect(echo.out.contains("not asked, needs reject"), "\(echo.out)")
        let lines = try await Program.run(["contract", "show", "echo", "--json"]).outLines.map { try JSON.parse($0) }
        #expect(lines.first?["lacking"]?.array?.contains { $0.string?.hasPrefix("E3 ") == true } == true)
    }

    @Test func checkSaysEverythingThatIsWrong() async throws {
        try await Program.inDirectory { directory in
            try "miswire-contract: 1\nname: bad\nreqests: {}\nerrors: { event: gone }\n".write(toFile: directory + "/bad.yaml", atomically: true, encoding: .utf8)
            let told = try await Program.run(["contract", "check", "bad.yaml", "agent-chat"], in: directory)
            #expect(told.code == 4 && told.out == "agent-chat: ✓ ok\n", "\(told.out)")
            #expect(told.err.contains("bad.yaml:3:1") && told.err.contains("bad.yaml:4:18") && told.err.contains("nearest: requests"))
            let plain = try await Program.run(["contract", "check", "--plain", "bad.yaml"], in: directory)
            #expect(plain.err.hasPrefix("bad.yaml:3:1: error: unknown key \"reqests\""), "\(plain.err)")
            let json = try await Program.run(["contract", "check", "bad.yaml", "--json"], in: directory)
            let lines = try json.outLines.map { try JSON.parse($0) }
            #expect(json.code == 4 && lines.last?["errors"] == .number("2") && lines.first?["line"] == .number("3"))
            #expect(try await Program.run(["contract", "check", "nothere.yaml"], in: directory).code == 4)
        }
    }

    @Test func inferWritesWhatCheckTakes() async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(["contract", "infer", Self.corpus + "three-users"], in: directory)
            #expect(told.code == 0 && told.err == "", "\(told.err)")
            #expect(told.out.hasPrefix("miswire-contract: 1\nname: three-users\n"))
            let made = try await Program.run(
                ["contract", "infer", Self.corpus + "three-users", Self.corpus + "five-errors", "--name", "shop", "--out", "shop.yaml"], in: directory)
            #expect(made.code == 0 && made.out == "" && made.err.hasPrefix("contract shop is written from "), "\(made.err)")
            #expect(try await Program.run(["contract", "check", "shop.yaml"], in: directory).out == "shop.yaml: ✓ ok\n")
            let judged = try await Program.run(["check", Self.corpus + "five-errors", "--contract", "shop.yaml"], in: directory)
            #expect(judged.code != 1, "\(judged.out)")
            let json = try await Program.run(["contract", "infer", Self.corpus + "five-errors", "--json"], in: directory)
            let line = try JSON.parse(try #require(json.outLines.first))
            #expect(line["kind"] == .string("contract") && line["text"]?.string?.contains("miswire-contract: 1") == true)
        }
    }

    @Test func whatCannotBeReadIsSaid() async throws {
        let gone = try await Program.run(["contract", "infer", "nothere"])
        #expect(gone.code == 4 && gone.err.contains("nothere"))
        let name = try await Program.run(["contract", "infer", Self.corpus + "three-users", "--name", "a b"])
        #expect(name.code == 4 && name.err.contains("`a b` is not a name"))
    }
}
