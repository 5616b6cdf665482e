import Testing

@testable import Reporting

/// What the runner makes of a line of stdout, as its source has it: `::name props::data` behind white space, or
/// `##[name props]data` anywhere.
private func commands(_ text: String) -> [String] {
    text.split(omittingEmptySubsequences: true) { $0.isNewline }.map(String.init).filter { line in
        line.drop { $0.isWhitespace }.hasPrefix("::") || line.contains("##[")
    }
}

@Suite struct GitHubReportTests {
    @Test func annotationReadsAsTheRunnerTakesIt() {
        let lines = GitHubReport(Sample.report()).annotations.split(separator: "\n").map(String.init)
        #expect(lines.count == 2)
        let line = Sample.report().findings[0].line ?? 0
        #expect(
            lines[0] == "::error file=findings/I2-7c1e44.plan,line=\(line),title=I2 alice's error is delivered to bob::"
                + "expected no error for alice in 1 s, found error on s2 (bob) at 0.416. "
                + "Replay: miswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws")
    }

    @Test func eightAndThenANotice() {
        var report = Sample.report()
        report.findings = (0..<12).map { _ in report.findings[0] }
        let lines = GitHubReport(report).annotations.split(separator: "\n").map(String.init)
        #expect(lines.count == 9 && lines[8] == "::notice::4 more findings, see the summary")
        report.findings.removeLast(3)
        #expect(GitHubReport(report).annotations.hasSuffix("::notice::1 more finding, see the summary\n"))
    }

    @Test func aPlanElsewhereGivesTheContractLine() {
        var report = Sample.report()
        report.findings = [report.findings[0]]
        report.findings[0].file = "/home/runner/work/a/a/findings/x.plan"
        #expect(GitHubReport(report).annotations.hasPrefix("::error file=agent-chat.yaml,line=88,title="))
        #expect(GitHubReport(report, workspace: "/home/runner/work/a/a").annotations.hasPrefix("::error file=findings/x.plan,"))
        report.findings[0].finding.contractLine = 0
        #expect(GitHubReport(report).annotations.hasPrefix("::error title="))
    }

    @Test func payloadAddsNoCommandAndNoField() {
        let text = GitHubReport(Sample.hostileReport()).annotations
        #expect(commands(text).count == 2)
        for line in text.split(separator: "\n") {
            #expect(line.hasPrefix("::error title=") || line.hasPrefix("::error file="))
        }
        #expect(GitHubReport.property("a:b,c%d\r\n") == "a%3Ab%2Cc%25d%0D%0A")
        #expect(GitHubReport.data("a:b,c%d\r\n") == "a:b,c%25d%0D%0A")
    }

    @Test(arguments: [
        "::error::x", "  ::error::x", "\t::x", "a\n::error::x", "a\r\n::error::x", "a\r::error::x", "##[error]x", "a ##[error]x",
        "a\u{2003}\n\u{2003}::x", "###[x", "\n\n::::", Sample.hostile,
    ]) func noGuardedLineIsACommand(text: String) {
        #expect(commands(GitHubReport.guarded(text)).isEmpty)
    }

    @Test(arguments: ["a::b", "fuzz  1 execution", "", "a: b\n c:d\n", "# [x]", "✓ µ\r\n"]) func allElseStays(text: String) {
        #expect(GitHubReport.guarded(text) == text)
    }
}

@Suite struct JobSummaryTests {
    @Test func opensAsInTheMockUp() {
        let text = JobSummary(Sample.report()).text
        #expect(
            text.hasPrefix(
                """
                ### miswire fuzz: 2 violations in 209,806 executions
                Errors delivered **0 of 5**. Foreign messages –. Stability 97.1 %. Tool errors 0. Seed 42. Exit 1.

                | finding | what | property | users | attribution |
                | --- | --- | --- | --- | --- |
                | `I2-7c1e44` | alice's error is delivered to bob | I2, also E3 | 2 | intrinsic 5 of 5 |
                | `E3-09d2b1` | malformed JSON gets no answer within 1 s | E3 | 1 | intrinsic 5 of 5 |

                ```
                miswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws
                ```
                <details><summary>I2-7c1e44: lanes, taps, message</summary>

                """))
        #expect(text.contains("<details><summary>7 properties: 2 fail, 1 excused, 1 inconclusive, 1 pass, 1 not exercised, 1 not applicable</summary>"))
    }

    @Test func aCleanRunHasNoTable() {
        var report = Sample.report()
        report.findings = []
        report.warnings = ["stability is low"]
        let text = JobSummary(report).text
        #expect(text.hasPrefix("### miswire fuzz: no violation in 209,806 executions\n\nwarning: stability is low\n\nErrors delivered"))
        #expect(!text.contains("| finding"))
    }

    @Test func staysUnderItsSizeAndSaysWhatIsLeftOut() {
        let text = JobSummary(ReportFilesTests.many).text
        #expect(text.utf8.count < JobSummary.most)
        #expect(text.contains("findings left out here: this page ends at 200 kB") && text.contains("findings left out of this table"))
        #expect(JobSummary(Sample.hostileReport(long: true)).text.utf8.count < JobSummary.most)
    }

    /// Outside of code nothing of the payload is left that Markdown reads.
    @Test func payloadIsNoMarkup() {
        let text = JobSummary(Sample.hostileReport()).text
        var fence: String?
        var open: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let run = String(line.prefix { $0 == "`" })
            if let end = fence {
                if line == end { fence = nil }
            } else if run.count >= 3, line == run {
                fence = run
            } else {
                open.append(line)
            }
        }
        #expect(fence == nil)
        for line in open where !line.hasPrefix("|") && !line.hasPrefix("warning:") {
            #expect(!line.contains("http") && !line.contains("![") && !line.contains("<script") && !line.contains("@"))
        }
        for line in open where line.hasPrefix("| `") {
            #expect(line.count { $0 == "|" } == 6)
        }
        #expect(text.components(separatedBy: "</details>").count - 1 >= 3)
    }

    @Test(arguments: [
        ("alice's error", "alice's error"), ("a|b", "`a¦b`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("www.evil.test", "`www.evil.test`"),
        ("http://x", "`http://x`"), (":smile:", "`:smile:`"), ("a: b", "a: b"), ("@x", "`@x`"), ("#1", "`#1`"), ("*b*", "`*b*`"), ("- x", "`- x`"),
    ]) func inlineTextIsPlainOrCode(raw: String, shown: String) { #expect(Markdown.inline(raw) == shown) }
}
