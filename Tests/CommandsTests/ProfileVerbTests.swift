import Foundation
import Fuzzing
import Plans
import Testing
import Wire

@testable import Commands

/// `miswire profile list|show|check|schema`, and profiles where other verbs take them.
@Suite struct ProfileVerbTests {
    private static let base = "miswire: 1\nname: base\ncontract: demo\nfaults:\n  - { id: slow, fault: latency, latency: 90ms }\n  - { id: gone, fault: cut }\n"
    private static let mine = "miswire: 1\nname: mine\nextends: base\nscope: { share: 1% }\nfaults:\n  - { id: gone, off: true }\n  - { id: slow, jitter: 3ms }\n"

    private func inDirectory(_ body: (String) async throws -> Void) async throws {
        try await Program.inDirectory { directory in
            for (name, text) in [("base.yaml", Self.base), ("mine.yaml", Self.mine), ("bad.yaml", "miswire: 1\nname: bad\nfault: []\n")] {
                try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
            }
            try await body(directory)
        }
    }

    @Test func resolvedIsWhatItComesTo() async throws {
        try await inDirectory { directory in
            let shown = try await Program.run(["profile", "show", "mine.yaml"], in: directory)
            #expect(shown.code == 0 && shown.out == Self.mine + "# miswire: extended profile base.yaml\n" + Self.base)
            let resolved = try await Program.run(["profile", "show", "--resolved", "mine.yaml"], in: directory)
            #expect(resolved.code == 0 && resolved.err == "")
            #expect(!resolved.out.contains("extends") && !resolved.out.contains("gone") && resolved.out.contains("latency: 90ms"))
            try resolved.out.write(toFile: directory + "/flat.yaml", atomically: true, encoding: .utf8)
            let checked = try await Program.run(["profile", "check", "flat.yaml", "mine.yaml"], in: directory)
            #expect(checked.code == 0 && checked.out == "flat.yaml: ✓ ok\nmine.yaml: ✓ ok\n")
            let again = try await Program.run(["profile", "show", "--resolved", "flat.yaml"], in: directory)
            #expect(again.out == resolved.out)
        }
    }

    @Test func theSchemaIsJSON() async throws {
        let told = try await Program.run(["profile", "schema"])
        #expect(told.code == 0 && told.err == "")
        let schema = try JSON.parse(told.out)
        #expect(schema["$schema"] == .string("https://json-schema.org/draft/2020-12/schema"))
        let lines = try await Program.run(["profile", "schema", "--json"]).outLines.map { try JSON.parse($0) }
        #expect(lines.count == 2 && lines.first?["schema"] == schema && lines.last?["kind"] == .string("summary"))
        let help = try await Program.run(["profile", "schema", "--help"])
        #expect(help.out.contains("# yaml-language-server: $schema="))
    }

    @Test func badFilesAreToldOnStderr() async throws {
        try await inDirectory { directory in
            let told = try await Program.run(["profile", "check", "bad.yaml", "--plain"], in: directory)
            #expect(told.code == 4 && told.err.hasPrefix("bad.yaml:3:1: error: the profile has no `fault`; write `faults`\n"), "\(told.err)")
        }
    }

    @Test func severalProfilesAreOne() async throws {
        for arguments in [["--profile", "delayed-accept,lost-credential"], ["--profile", "delayed-accept", "--profile", "lost-credential"]] {
            let proxy = try #require(try Proxy.parseAsRoot(["ws://127.0.0.1:1"] + arguments) as? Proxy)
            let profile = try proxy.options().profile
            #expect(profile?.name == "delayed-accept+lost-credential")
            #expect(profile?.faults.map { $0.scope?.name } == ["delayed-accept", "delayed-accept", "lost-credential"])
        }
        let told = try await Program.run(["proxy", "ws://127.0.0.1:1", "--profile", "delayed-accept,delayed-accept", "--wait", "0"])
        #expect(told.code == 4 && told.err.contains("two profiles are called `delayed-accept`"), "\(told.err)")
    }

    /// The value is in nothing that is printed, and without it nothing listens.
    @Test func variablesAreNeverShown() async throws {
        try await Program.inDirectory { directory in
            let text = "miswire: 1\nname: s\nfaults:\n  - { fault: inject, payload: 'a ${MISWIRE_TEST_VALUE}' }\n  - { fault: inject, form: hex, payload: '${MISWIRE_TEST_VALUE}' }\n"
            try text.write(toFile: directory + "/s.yaml", atomically: true, encoding: .utf8)
            let missing = try await Program.run(["profile", "check", "s.yaml", "--plain"], in: directory)
            #expect(missing.code == 4 && missing.err.contains("s.yaml:4:31: error: `payload` needs the variable `MISWIRE_TEST_VALUE`, which is not set"), "\(missing.err)")
            for verb in [["profile", "check"], ["profile", "show"], ["profile", "show", "--resolved"], ["profile", "check", "--json"]] {
                let told = try await Program.run(verb + ["s.yaml"], environment: ["MISWIRE_TEST_VALUE": "canary-hunter2"], in: directory)
                #expect(!(told.out + told.err).contains("canary"), "\(verb)")
            }
            // Where faults become lines of plans, which look nothing up, there are none.
            let good = "miswire: 1\nname: t\nfaults:\n  - { fault: inject, payload: 'a ${MISWIRE_TEST_VALUE}' }\n"
            try good.write(toFile: directory + "/t.yaml", atomically: true, encoding: .utf8)
            for verb in [["fuzz", "ws://127.0.0.1:1"], ["demo"]] {
                let told = try await Program.run(verb + ["--profile", "t.yaml"], environment: ["MISWIRE_TEST_VALUE": "canary-hunter2"], in: directory)
                #expect(told.code == 4 && told.err.contains("the profile t names variables of the environment, and plans never do"), "\(told.err)")
            }
        }
    }
}

/// Plans and dictionaries are data: nothing in them is looked up (trust.md T32).
@Suite struct NothingIsExpandedTests {
    private static let text = """
        miswire plan 1
        # nothing here is looked up
        ----------------------------------------------------------------------------------------
        user  alice  credential header
        1  alice  connect /ws
        2  alice  send {"type":"agent_started","agent_name":"${HOME}"}
        faults
          f1 inject payload "${HOME} $${HOME}"

        """

    @Test func plansAreData() throws {
        let plan = try PlanText.parse(Self.text)
        let text = PlanText.print(plan)
        #expect(try PlanText.parse(text) == plan)
        #expect(text.contains("${HOME} $${HOME}") && text.contains(#""agent_name":"${HOME}""#))
        let profile = try PlanFile.profile(plan)
        #expect(profile.faults.first?.settings.values.first { $0.name == "payload" }?.values == ["${HOME} $${HOME}"])
        #expect(profile.faults.first?.settings.filled.isEmpty == true && profile.secrets.isEmpty)
    }

    @Test func dictionariesAreData() throws {
        let dictionary = try FuzzDictionary.parse(Array(#"home="${HOME}""#.utf8), file: "d.dict")
        #expect(dictionary.texts == ["${HOME}"])
    }
}
