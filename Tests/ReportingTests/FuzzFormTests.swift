import Journaling
import Oracles
import Plans
import Testing

@testable import Reporting

/// looks.md section 3 with its own figures: words, order and columns are exact.
@Suite struct BoardTests {
    static var figures: BoardFigures {
        var figures = BoardFigures()
        figures.elapsed = .seconds(252)
        figures.total = .seconds(600)
        figures.done = 0.46
        figures.phaseNumber = 3
        figures.phaseCount = 6
        figures.phase = "stateful"
        figures.executions = 73_575
        figures.executionsPerSecond = 537.2
        figures.messagesPerSecond = 16_204
        figures.targetP99 = .milliseconds(41)
        figures.proxyCPU = 38
        figures.features = 2_914
        figures.featuresPerMinute = 12
        figures.edges = 1_806
        figures.corpus = 440
        figures.favoured = 96
        figures.stability = 97.1
        figures.reconnects = 14
        figures.sinceNewFeature = .milliseconds(3_400)
        figures.energies = [("message", 34), ("session", 31), ("frame", 15), ("schedule", 13), ("handshake", 7)]
        figures.mustReject = (12_406, 12_374, 32)
        figures.errorKinds = 5
        figures.findings = [("I2", 29), ("E3", 3)]
        figures.shrinking = .init(number: 1, of: 2, from: 41, to: 9)
        return figures
    }

    @Test func rowsAreThoseOfTheMockUp() {
        #expect(
            Board(Self.figures).rows(Style()) == [
                " 04:12 of 10:00   phase 3 of 6 stateful   ███████████▌░░░░░░░░░░░░░   last new feature 3 s ago",
                " speed      537 executions/s   16,204 messages/s   target p99 41 ms   proxy cpu 38 %",
                " coverage   2,914 features (+12/min)   1,806 state edges   corpus 440, 96 favoured",
                " stability  97.1 %   flaky 0   reconnects 14   target restarts 0",
                " mutators   message 34   session 31   frame 15   schedule 13   handshake 7  (% of energy)",
                " must-reject 12,406 sent   12,374 answered   32 missed        errors delivered 0/5",
                " findings   2: I2 1 (29×)   E3 1 (3×)   confirming 0   shrinking 1 of 2 (41 → 9 steps)",
                "fuzz 04:12/10:00 stateful  537/s  2,914 features  97.1 % stable  2 findings  5:48 left",
            ])
    }

    @Test func logsGetWordsAndNumbers() {
        #expect(
            Board(Self.figures).plain(Style())
                == "fuzz t=252 phase=stateful execs=73575 rate=537 features=2914 stability=97.1 findings=2 left=348")
        var figures = Self.figures
        figures.phase = "isolation and auth"
        figures.executionsPerSecond = 16_204
        figures.downSince = .seconds(12)
        #expect(
            Board(figures).plain(Style())
                == "fuzz t=252 phase=isolation-and-auth execs=73575 rate=16204 features=2914 stability=97.1 findings=2 left=348 down=12")
    }

    @Test func unknownIsADashAndNeverZero() {
        let rows = Board(BoardFigures()).rows(Style())
        #expect(rows[0].hasPrefix(" 00:00 of –   phase 1 of 1") && rows[0].hasSuffix("last new feature –"))
        #expect(rows[1] == " speed      – executions/s   – messages/s   target p99 –   proxy cpu –")
        #expect(rows[3].hasPrefix(" stability  –   flaky 0"))
        #expect(rows[4] == " mutators   –")
        #expect(rows[5].hasSuffix("errors delivered –"))
        #expect(rows[6] == " findings   0   confirming 0   shrinking 0")
        #expect(rows[7].hasSuffix("  – left"))
        #expect(Board(BoardFigures()).plain(Style()).hasSuffix("stability=– findings=0 left=–"))
    }

    @Test(arguments: [1, 20, 40, 60, 79, 80, 100, 500]) func rowsFitTheTerminal(width: Int) {
        for ascii in [false, true] {
            var figures = Self.figures
            figures.phase = "isolation and auth"
            figures.findings = Array(repeating: ("I2", 1_000_000), count: 3) + [("E3", 1), ("E1", 2), ("H1", 3), ("A1", 4)]
            let rows = Board(figures).rows(Style(ascii: ascii, width: width))
            #expect(rows.count == 8)
            for row in rows { #expect(row.count <= min(width, 100)) }
        }
    }

    @Test func coloursHaveTheirStates() {
        let style = Style(colour: true)
        var figures = Self.figures
        figures.sinceNewFeature = .seconds(124)
        #expect(Board(figures).rows(style)[0].hasSuffix("\u{1b}[90mlast new feature 2 min 4 s ago\u{1b}[0m"))
        figures.stability = 84.9
        #expect(Board(figures).rows(style)[3].contains("\u{1b}[33m84.9 %\u{1b}[0m   flaky"))
        figures.stability = 59.9
        #expect(Board(figures).rows(style)[3].contains("\u{1b}[31m59.9 %, feedback off\u{1b}[0m   flaky"))
        figures.downSince = .seconds(12)
        #expect(Board(figures).rows(style)[1].contains("\u{1b}[31mtarget down for 12 s\u{1b}[0m"))
        for row in Board(figures).rows(Style(ascii: true)) { #expect(row.allSatisfy { $0.isASCII && $0 != "\u{1b}" }) }
    }

    @Test(arguments: [(0, "0:00", "00:00"), (59, "0:59", "00:59"), (3_599, "59:59", "59:59"), (3_849, "1:04:09", "1:04:09"), (-5, "0:00", "00:00")])
    func clocks(seconds: Int, short: String, full: String) {
        #expect(Clock.short(.seconds(seconds)) == short && Clock.full(.seconds(seconds)) == full)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1]) func oddNumbersNeverTrap(value: Double) {
        var figures = Self.figures
        figures.executionsPerSecond = value
        figures.done = value
        figures.stability = value
        figures.proxyCPU = value
        #expect(Board(figures).rows(Style()).count == 8)
    }
}

@Suite struct FuzzLinesTests {
    @Test func bannerAndFirstLines() {
        let style = Style()
        #expect(
            FuzzLines.banner(
                version: "0.1.0", seed: 42, contract: "agent-chat", hash: "3f9c21", workers: 8, users: 50, seeds: 412, style: style)
                == "miswire 0.1.0 fuzz    seed 42    contract agent-chat 3f9c21    8 workers, 50 users, 412 seeds")
        #expect(
            FuzzLines.selfCheck(caught: 17, of: 17, style: style)
                == "  ✓ self-check 17 of 17 properties catch a planted defect")
        #expect(FuzzLines.selfCheck(caught: 16, of: 17, style: style).hasPrefix("  ✗ self-check 16 of 17"))
        #expect(
            FuzzLines.calibration(runs: 200, p999: .milliseconds(91), deadline: .seconds(1), style: style)
                == "  ✓ calibration: 200 runs without faults, p99.9 91 ms, deadline 1 s stays")
        #expect(
            FuzzLines.calibration(runs: 1, p999: nil, deadline: .seconds(1), raised: .seconds(2), style: style)
                == "  ✓ calibration: 1 run without faults, p99.9 –, deadline 1 s becomes 2 s")
    }

    @Test func findingsStandInTheirColumn() {
        #expect(
            FuzzLines.found(Example.finding(), executions: 47_310, at: .seconds(203), style: Style())
                == "✗ 03:23  I2 alice's error is delivered to bob            found after 47,310 executions, confirming")
        var hostile = Example.finding()
        hostile.sentence = "\u{1b}[2J\n::error::x"
        let line = FuzzLines.found(hostile, executions: 1, at: .zero, style: Style())
        #expect(!line.contains("\u{1b}") && !line.contains("\n") && line.contains("found after 1 execution,"))
    }
}

@Suite struct FuzzSummaryTests {
    static let phases = [
        PhaseRow(number: 1, name: "conformance", executions: 1_034, took: .seconds(82), newFeatures: 611, findings: 0),
        PhaseRow(number: 2, name: "boundaries", executions: 30_118, took: .seconds(91), newFeatures: 902, findings: 0),
        PhaseRow(number: 3, name: "stateful", executions: 120_410, took: .seconds(224), newFeatures: 1_204, findings: 2),
        PhaseRow(number: 4, name: "isolation and auth", executions: 48_002, took: .seconds(91), newFeatures: 188, findings: 0),
        PhaseRow(number: 5, name: "soak", executions: 9_840, took: .seconds(31), newFeatures: 9, findings: 0),
        PhaseRow(
            number: 6, name: "confirm and shrink", executions: 402, took: .seconds(62), newFeatures: nil,
            findings: PhaseRow.kept(2, flaky: 0)),
    ]

    @Test func theEndReadsAsInTheMockUp() {
        let text = FuzzSummary(Sample.report(), phases: Self.phases, reports: ["junit.xml", "miswire.sarif", "report.html"])
            .text(Style())
        #expect(
            text == """
                  phase                 executions     time   new features   findings
                  1 conformance              1,034     1:22            611          –
                  2 boundaries              30,118     1:31            902          –
                  3 stateful               120,410     3:44          1,204          2
                  4 isolation and auth      48,002     1:31            188          –
                  5 soak                     9,840     0:31              9          –
                  6 confirm and shrink         402     1:02              –   2 kept, 0 flaky

                  findings                                                     steps users  seen   attribution
                  ✗ E3-09d2b1  malformed JSON gets no answer within 1 s            3     1    3×   intrinsic 5 of 5
                  ✗ I2-7c1e44  alice's error is delivered to bob                   6     2   29×   intrinsic 5 of 5
                  replay with: miswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws
                  reports      junit.xml  miswire.sarif  report.html
                  again with   miswire fuzz ws://127.0.0.1:8080/ws corpus/ --contract agent-chat --seed 42 …

                fuzz  209,806 executions, 50 users, 2 violations, stability 97.1 %, 9:41         exit 1 (violations)

                """)
    }

    @Test func aCleanRunHasNoFindings() {
        var report = Sample.report()
        report.findings = []
        report.exit = .pass
        report.stability = nil
        report.executions = 1
        report.users = 1
        let text = FuzzSummary(report, phases: [], reports: []).text(Style())
        #expect(!text.contains("findings  ") && !text.contains("replay with"))
        #expect(text.contains("\nfuzz  1 execution, 1 user, 0 violations, stability –, 9:41  "))
        #expect(text.hasSuffix("exit 0 (pass)\n"))
    }

    @Test func flakyOnesStandAboveAndAreNotViolations() {
        var report = Sample.report()
        report.findings[0].finding.attribution = .flaky(failed: 2, of: 5)
        let text = FuzzSummary(report, phases: [], reports: []).text(Style())
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("  ? I2-7c1e44") && $0.hasSuffix("flaky 2 of 5") })
        #expect(text.contains(", 1 violation, "))
        #expect(text.firstRange(of: "? I2")?.lowerBound ?? text.endIndex < text.firstRange(of: "✗ E3")?.lowerBound ?? text.startIndex)
        // The replay line is that of a finding that fails the run.
        #expect(text.contains("replay with: miswire replay findings/E3-09d2b1.plan"))
    }

    @Test func longSentencesGoOnBelowAndNoLineIsWiderThanTheMockUp() {
        var report = Sample.report()
        report.findings[0].finding.sentence = Array(repeating: "words", count: 30).joined(separator: " ") + "\u{1b}[2J"
        report.findings[0].finding.attribution = .faultExposed(["f1"], failed: 4, of: 5, without: 5)
        let text = FindingsTable(report.findings).text(Style())
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(text.contains("fault-exposed 4 of 5") && !text.contains("\u{1b}"))
    }

    @Test func asciiAndColour() {
        let plain = FuzzSummary(Sample.report(), phases: Self.phases, reports: ["junit.xml"]).text(Style(ascii: true))
        #expect(plain.allSatisfy { $0.isASCII })
        let painted = FuzzSummary(Sample.report(), phases: Self.phases, reports: ["junit.xml"]).text(Style(colour: true))
        #expect(painted.contains("\u{1b}[36mmiswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws\u{1b}[0m"))
    }
}
