import ArgumentParser
import Foundation
import Testing
import Wire

@testable import Commands

/// What every verb keeps, over the registry.
@Suite(.timeLimit(.minutes(5))) struct VerbTests {
    static let verbs = Miswire.verbs.map { verb in verb.configuration.commandName ?? "" }

    @Test(arguments: verbs) func helpShowsAnExample(verb: String) async throws {
        let told = try await Program.run([verb, "--help"])
        #expect(told.code == 0 && told.err.isEmpty)
        #expect(told.out.contains("\nmiswire \(verb)"), "\(told.out)")
        #expect(told.out.contains("USAGE: miswire \(verb)"))
    }

    @Test(arguments: verbs) func anUnknownOptionShowsTheUsageOfThatVerbOnly(verb: String) async throws {
        let told = try await Program.run([verb, "--unheard-of"])
        #expect(told.code == 4 && told.out.isEmpty)
        #expect(told.err.hasPrefix("error: `--unheard-of` is not an option of `miswire \(verb)`\n  usage     miswire \(verb) "))
        #expect(told.err.hasSuffix("exit 4 (usage)\n"))
        for other in Self.verbs where other != verb { #expect(!told.err.contains("miswire \(other) ")) }
        #expect(!told.err.contains("Did you mean"))
    }

    /// A line that each verb ends with at once, and its exit code.
    static let machine: [(line: String, code: Int32)] = [
        ("demo --stage lost-credential --json", 0), ("demo --stage nope --json", 4), ("demo --bugs B99 --json", 4),
        ("proxy ws://127.0.0.1:1 --wait 0 --json", 3), ("proxy wss://127.0.0.1:1 --wait 0 --json", 3), ("proxy ftp://127.0.0.1:1 --json", 4), ("proxy --json", 4),
        ("ca show --ca-dir none --json", 4), ("ca create --ca-dir made --json", 0),
        ("fuzz --json", 4), ("fuzz ws://127.0.0.1:1 --users many --json", 4),
        ("replay nothere.plan ws://127.0.0.1:1/ws --json", 4), ("check nothere --json", 4),
        ("import nothere --out x --json", 4), ("export nothere --format har --out x --json", 4), ("export --json", 4),
        ("corpus list nothere --json", 4), ("capture -i nothere --json", 4), ("recording show nothere --json", 4),
        ("profile list --json", 0), ("profile show transparent --json", 0), ("profile check transparent --json", 0),
        ("profile check nothere --json", 4), ("contract --json", 0), ("contract echo --json", 0),
        ("contract nothere --json", 4), ("contract show echo --json", 0), ("contract check echo --json", 0),
        ("contract check nothere --json", 4), ("contract infer nothere --json", 4), ("faults --json", 0), ("faults message --json", 0), ("faults drop --json", 0),
        ("faults nothere --json", 4), ("limits --json", 0), ("backend --bugs nothere --json", 4),
        ("backend --nothere --json", 4), ("nothere --json", 4),
    ]

    @Test(arguments: machine) func everyLineIsJSONAndTheLastIsTheSummary(line: String, code: Int32) async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(line.split(separator: " ").map(String.init), in: directory)
            #expect(told.code == code, "\(told.err)")
            let lines = try told.outLines.map { try JSON.parse($0) }
            for line in lines { #expect(line["v"] == .number("1") && line["kind"] != nil && line["t"] != nil) }
            let last = try #require(lines.last)
            #expect(last["kind"] == .string("summary") && last["exit"] == .number("\(code)"))
            #expect(lines.filter { $0["kind"] == .string("summary") }.count == 1)
            let verb = line.split(separator: " ").first.map(String.init) ?? ""
            #expect(last["verb"] == .string(Self.verbs.contains(verb) ? verb : "miswire"))
            #expect(last["reason"] != nil && (code == 0 || last["error"] != nil || last["errors"] != nil))
        }
    }

    @Test func everyVerbHasAMachineForm() {
        for verb in Self.verbs { #expect(Self.machine.contains { $0.line.hasPrefix(verb + " ") }, "\(verb)") }
    }

    @Test func versionNamesTheLibraries() async throws {
        let told = try await Program.run(["--version"])
        #expect(told.code == 0 && told.out.hasPrefix("miswire 0.1.0\n"))
        for library in ["libpcap", "OpenSSL", "zlib"] { #expect(told.out.contains(library)) }
    }
}
