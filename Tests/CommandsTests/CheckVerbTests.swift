import Foundation
import Testing
import Wire

@testable import Commands

/// What `miswire check` says besides its verdicts: how messages are read, and reports as files.
@Suite(.timeLimit(.minutes(5))) struct CheckVerbTests {
    private static let corpus = InferenceTests.corpus

    @Test func eachMessageIsALine() async throws {
        let told = try await Program.run(["check", Self.corpus + "three-users", "--messages"])
        let plain = try await Program.run(["check", Self.corpus + "three-users"])
        #expect(told.code == plain.code)
        let lines = told.outLines.filter { $0.contains(" ▸ ") || $0.contains(" ◂ ") }
        let sent = lines.filter { $0.contains(" ▸ agent_started") }
        #expect(!sent.isEmpty && sent.allSatisfy { $0.contains("run, started") || $0.contains("run ") }, "\(sent)")
        #expect(lines.contains { $0.contains(" ◂ agent_started") && $0.contains("answers #") && $0.contains("run run_") || $0.contains("run ") })
        let json = try await Program.run(["check", Self.corpus + "three-users", "--messages", "--json"])
        let messages = try json.outLines.map { try JSON.parse($0) }.filter { $0["kind"] == .string("message") }
        #expect(messages.count == lines.count && messages.allSatisfy { $0["session"] != nil && $0["name"] != nil && $0["entry"] != nil })
    }

    @Test func whatMustBeRefusedIsLabelled() async throws {
        let told = try await Program.run(["check", Self.corpus + "five-errors", "--messages"])
        #expect(told.out.contains("must-reject by rule "), "\(told.out)")
        #expect(told.out.contains("<malformed>") || told.out.contains("<unknown>"))
    }

    @Test func reportsAreFiles() async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(
                ["check", Self.corpus + "error-to-the-wrong-user", "--report", "html=page.html,junit=junit.xml"], in: directory)
            #expect(told.code == 1, "\(told.err)")
            let page = try String(contentsOfFile: directory + "/page.html", encoding: .utf8)
            #expect(page.contains("<span class=\"glyph fail\">✗</span>1 violation: alice&#39;s error is delivered to bob"))
            for piece in ["<section id=\"violations\">", "<section id=\"properties\">", "<section id=\"numbers\">", "class=\"line hit\"", "<h3>"] {
                #expect(page.contains(piece), "\(piece)")
            }
            #expect(try String(contentsOfFile: directory + "/junit.xml", encoding: .utf8).contains("type=\"I2\""))
            let wrong = try await Program.run(["check", Self.corpus + "three-users", "--report", "pdf=x"], in: directory)
            #expect(wrong.code == 4 && wrong.err.contains("no report is called `pdf`"))
        }
    }
}
