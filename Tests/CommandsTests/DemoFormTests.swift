import Foundation
import Oracles
import Reporting
import Synchronization
import Testing

@testable import Commands

/// Collects what a form says.
final class Paper: Sendable {
    private let text = Mutex("")
    var said: String { text.withLock { $0 } }
    func console(ascii: Bool = false) -> Console {
        var console = Console(colour: .never, ascii: ascii, environment: ["LANG": "C.UTF-8", "TERM": "dumb"])
        console.sink = { part, _ in self.text.withLock { $0 += part } }
        return console
    }
}

/// The blocks of looks.md section 1 that stand whatever the run finds.
@Suite struct DemoFormTests {
    private func judgement(runs: Int, faults: Int) -> Judgement {
        var judgement = Judgement()
        judgement.runs = runs
        judgement.faultsActed = faults
        judgement.errorKinds = ["a", "b", "c", "d", "e"]
        judgement.errorsDelivered = judgement.errorKinds
        return judgement
    }

    private func line(_ name: String, users: Int, runs: Int, faults: Int, _ milliseconds: Int) throws -> String {
        let stage = try #require(DemoStage.all.first { $0.name == name })
        return StageResult(
            stage: stage, users: users, judgement: judgement(runs: runs, faults: faults), steps: [],
            took: .milliseconds(milliseconds)
        ).line(Style())
    }

    @Test func stageLinesKeepTheColumnsOfTheMockUp() throws {
        let lines = [
            try line("transparent", users: 2, runs: 24, faults: 0, 400),
            try line("delayed-accept", users: 2, runs: 12, faults: 12, 900),
            try line("lost-credential", users: 4, runs: 8, faults: 4, 300),
            try line("mutated-requests", users: 2, runs: 40, faults: 40, 600),
            try line("crossed-streams", users: 4, runs: 32, faults: 16, 800),
            try line("interleaved-users", users: 50, runs: 200, faults: 0, 1_600),
        ]
        #expect(
            lines.joined() == """
                  ✓ transparent         2 users    24 runs     0 faults   every run answered               0.4 s
                  ✓ delayed-accept      2 users    12 runs    12 faults   no event early or lost           0.9 s
                  ✓ lost-credential     4 users     8 runs     4 faults   4 refused with 401               0.3 s
                  ✓ mutated-requests    2 users    40 runs    40 faults   errors delivered 5/5             0.6 s
                  ✓ crossed-streams     4 users    32 runs    16 faults   0 foreign messages               0.8 s
                  ✓ interleaved-users  50 users   200 runs     0 faults   0 foreign messages               1.6 s

                """)
    }

    @Test func theLastLineKeepsItsColumns() {
        let paper = Paper()
        var whole = judgement(runs: 344, faults: 72)
        whole.sessions = 90
        DemoForm(console: paper.console(), json: false, verbose: false)
            .close(whole, seen: [], bugs: [], took: .milliseconds(5_900), reason: .pass)
        #expect(
            paper.said.hasSuffix(
                "\n\ndemo  344 runs, 90 sessions, 0 violations, 0 tool errors, 5.9 s                      exit 0 (pass)\n"))
    }

    @Test func confirmingKeepsItsColumns() {
        let paper = Paper()
        DemoForm(console: paper.console(), json: false, verbose: false)
            .confirmed(findings: 2, reruns: 20, took: .milliseconds(2_200))
        #expect(
            paper.said == "  ✓ confirm and shrink  2 findings            20 reruns   2 plans written                  2.2 s\n")
    }

    @Test func asciiLeavesNothingElse() {
        let paper = Paper()
        DemoForm(console: paper.console(ascii: true), json: false, verbose: false)
            .confirmed(findings: 1, reruns: 9, took: .milliseconds(300))
        #expect(paper.said.allSatisfy(\.isASCII) && paper.said.hasPrefix("  + confirm"))
    }
}

@Suite struct ColourTests {
    private func colour(_ choice: Looks.Colour, _ environment: [String: String]) -> Bool {
        Console(colour: choice, ascii: false, environment: environment).out.colour
    }

    @Test func theFlagOutranksTheEnvironment() {
        #expect(colour(.always, ["NO_COLOR": "1", "TERM": "dumb"]))
        #expect(!colour(.never, ["FORCE_COLOR": "1"]))
        #expect(!colour(.auto, ["NO_COLOR": "1", "FORCE_COLOR": "1"]))
        #expect(colour(.auto, ["NO_COLOR": "", "FORCE_COLOR": "1", "TERM": "dumb"]))
        #expect(!colour(.auto, ["TERM": "dumb"]))
    }

    @Test func aLocaleWithoutUTF8DrawsInASCII() {
        func ascii(_ environment: [String: String]) -> Bool {
            Console(colour: .auto, ascii: false, environment: environment).out.ascii
        }
        #expect(ascii(["LC_ALL": "C"]) && ascii(["LC_ALL": "", "LANG": "POSIX"]) && ascii(["LC_CTYPE": "de_DE.ISO-8859-1"]))
        #expect(!ascii([:]) && !ascii(["LANG": "en_US.utf8"]) && !ascii(["LC_ALL": "C.UTF-8", "LANG": "C"]))
    }

    @Test func aPipeIsNeitherColouredNorRedrawn() async throws {
        let plain = try await Program.run(["faults"])
        #expect(plain.code == 0 && !plain.out.contains("\u{1b}") && !plain.out.contains("\r"))
        let forced = try await Program.run(["faults"], environment: ["FORCE_COLOR": "1"])
        #expect(forced.out.contains("\u{1b}[1maccept-delay\u{1b}[0m"))
        let machine = try await Program.run(["limits", "--json", "--color", "always"])
        #expect(!machine.out.contains("\u{1b}"))
    }
}
