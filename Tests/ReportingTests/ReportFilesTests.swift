import Foundation
import Oracles
import Testing
import Wire

@testable import Reporting

private let time = "2026-09-21T14:02:16.014Z"

/// Every form on every sample. With MISWIRE_REPORTS=DIR the files stay there, and .ci/report-schemas.py holds them
/// against the published schemas.
@Suite struct ReportFilesTests {
    static let samples: [(name: String, report: RunReport)] = {
        var clean = Sample.report()
        clean.findings = []
        clean.exit = .pass
        clean.judgement.properties = clean.judgement.properties.map {
            var summary = $0
            summary.failed = 0
            return summary
        }
        var broken = clean
        broken.exit = .selfCheckFailed
        broken.warnings = ["nothing was exercised"]
        var flaky = Sample.report()
        flaky.findings[0].finding.attribution = .flaky(failed: 2, of: 5)
        flaky.findings.append(flaky.findings[1])
        flaky.findings[2].finding.fingerprint = "0000aa"
        flaky.findings[2].plan = nil
        flaky.findings[2].file = nil
        return [
            ("found", Sample.report()), ("clean", clean), ("broken", broken), ("flaky", flaky),
            ("hostile", Sample.hostileReport()), ("long", Sample.hostileReport(long: true)), ("many", many),
        ]
    }()

    static let many: RunReport = {
        var report = Sample.report()
        report.findings = (0..<6_000).map { number in
            var item = report.findings[number % 2]
            item.finding.fingerprint = String(number, radix: 16)
            return item
        }
        return report
    }()

    @Test(arguments: samples.map(\.name)) func whatIsWrittenReadsBack(name: String) throws {
        let report = try #require(Self.samples.first { $0.name == name }?.report)
        for kind in ReportKind.all {
            // Six thousand blocks make a long JUnit file and show nothing new.
            if name == "many", kind.name != "sarif" { continue }
            let text = kind.write(report, time)
            #expect(kind.verify(text), "\(kind.name) of \(name)")
            #expect(!kind.verify(String(text.dropLast(text.count / 2))))
            if let directory = ProcessInfo.processInfo.environment["MISWIRE_REPORTS"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name).\(kind.name)"))
            }
        }
    }

    @Test(arguments: ["hostile", "long"]) func noFormLetsForeignBytesThrough(name: String) throws {
        let report = try #require(Self.samples.first { $0.name == name }?.report)
        let texts = ReportKind.all.map { $0.write(report, time) } + [JobSummary(report).text, GitHubReport(report).annotations]
        for text in texts {
            let bad = text.unicodeScalars.first { $0 != "\n" && ($0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || (0x202a...0x202e).contains($0.value) || (0x2066...0x2069).contains($0.value) || (0x2028...0x2029).contains($0.value)) }
            #expect(bad == nil)
            #expect(text.utf8.count < SARIFReport.mostBytes)
        }
    }
}

@Suite struct ReportKindTests {
    @Test func ordersNameKindsAndFiles() throws {
        let orders = try ReportKind.orders("junit=junit.xml,sarif=a=b.sarif,ndjson=out/x")
        #expect(orders.map(\.kind.name) == ["junit", "sarif", "ndjson"])
        #expect(orders.map(\.file) == ["junit.xml", "a=b.sarif", "out/x"])
    }

    @Test(arguments: ["", "junit", "junit=", "pdf=x", "junit=x,", "junit=x,sarif=x", "\u{1b}[2J=x"]) func wrongOrdersAreUsage(option: String) {
        #expect { try ReportKind.orders(option) } throws: { error in
            guard let complaint = error as? Complaint else { return false }
            return complaint.exit == .usage && !complaint.sentence.contains("\u{1b}")
        }
    }
}

@Suite struct JUnitReportTests {
    private func text(_ report: RunReport) -> String { JUnitReport(report, time: time).text }

    @Test func oneCaseAPropertyAndTheFormOfTheMockUp() {
        let text = text(Sample.report())
        for property in PropertyRegistry.all {
            let name = #"classname="miswire.fuzz.\#(property.id.prefix { !$0.isNumber })" name="\#(property.id) "#
            #expect(text.contains(name))
        }
        #expect(text.contains(#"<testsuite name="miswire.fuzz""#))
        #expect(text.contains(#"<failure message="I2-7c1e44 alice's error is delivered to bob" type="I2">"#))
        #expect(text.contains(#"<skipped message="6 of 8 checkpoints"/>"#))
        #expect(text.contains(#"<skipped message="needs contract key resume"/>"#))
        #expect(text.contains(#"<property name="excused.E1" value="4: runs open when f1 reset_peer cut the connection"/>"#))
        #expect(text.contains("not asked in this run"))
    }

    @Test func namesAreTheSameWhateverARunFinds() {
        func names(_ report: RunReport) -> [String] {
            text(report).split(separator: "\n").filter { $0.contains("<testcase") }
                .map { String($0.prefix { $0 != ">" && $0 != "/" }) }
        }
        let found = names(Sample.report())
        #expect(found.count == Set(found).count)
        #expect(names(Sample.hostileReport()) == found)
    }

    @Test func severalFindingsOfOnePropertyAreOneFailureWithAllBlocks() {
        var report = Sample.report()
        var other = report.findings[0]
        other.finding.fingerprint = "aaaaaa"
        report.findings.append(other)
        let text = text(report)
        #expect(text.contains("delivered to bob; and I2-aaaaaa\""))
        #expect(text.contains("finding I2-7c1e44") && text.contains("finding I2-aaaaaa"))
        #expect(text.components(separatedBy: "<failure").count == 3)
    }

    @Test func flakyFindingsDoNotFail() {
        var report = Sample.report()
        report.findings = [report.findings[0]]
        report.findings[0].finding.attribution = .flaky(failed: 2, of: 5)
        report.judgement.properties = report.judgement.properties.filter { $0.id != "E3" }
        let text = text(report)
        #expect(text.contains(#"failures="0""#) && text.contains("<system-out>I2-7c1e44 is flaky"))
    }

    @Test func aFailureWithoutAFindingIsNoPass() {
        var report = Sample.report()
        report.findings = []
        #expect(text(report).contains("29 of 2,412 fail, and no finding was kept"))
    }

    @Test(arguments: [ExitReason.selfCheckFailed, .nothingExercised, .targetUnreachable]) func aWorthlessRunIsAnError(exit: ExitReason) {
        var report = Sample.report()
        report.exit = exit
        #expect(text(report).contains(#"<error message="\#(exit.words)" type="\#(exit.reason)">"#))
    }

    @Test func illegalCharactersAreReplaced() {
        #expect(XMLText.content("a\u{0}b\u{ffff}c]]>\u{fffe}") == "a\u{fffd}b\u{fffd}c]]&gt;\u{fffd}")
        #expect(XMLText.attribute("n", "a\"<\n\r\t&") == " n=\"a&quot;&lt;&#10;&#13;&#9;&amp;\"")
    }

    @Test(arguments: [
        "<a/>", "<!DOCTYPE a><a/>", "<a><b></a></b>", "<a>&e;</a>", "<a>&#0;</a>", "<a b=\"1\" b=\"2\"/>", "<a b='1'/>",
        "<a>]]></a>", "<a/><a/>", "<a>\u{1}</a>", "<a", "<a><!-- x --></a>", "<a b=\"<\"/>", "", "<a>x", "<a b=\"x\"c=\"y\"/>",
    ]) func theReaderIsStrict(body: String) {
        let isFine = body == "<a/>"
        #expect((XMLCheck(#"<?xml version="1.0" encoding="UTF-8"?>"# + body) != nil) == isFine)
        #expect(XMLCheck(body) == nil)
    }
}

@Suite struct SARIFReportTests {
    private func run(_ report: RunReport) throws -> JSON {
        let log = try JSON.parse(SARIFReport(report).text)
        guard case .array(let runs)? = log["runs"] else { throw Missing() }
        return try #require(runs.first)
    }
    private struct Missing: Error {}
    private func results(_ run: JSON) -> [JSON] { if case .array(let all)? = run["results"] { all } else { [] } }

    @Test func aResultReadsAsInTheMockUp() throws {
        let run = try run(Sample.report())
        let first = try #require(results(run).first)
        #expect(first["ruleId"] == .string("I2") && first["level"] == .string("error"))
        #expect(
            first["message"]?["text"]
                == .string(
                    "alice's error is delivered to bob. Expected no error for alice in 1 s, found error on s2 (bob) at 0.416. "
                        + "Attribution intrinsic, 5 of 5. Replay: miswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws"))
        #expect(first["partialFingerprints"]?["miswire/v1"] == .string("7c1e44"))
        guard case .array(let flows)? = first["codeFlows"], case .array(let threads)? = flows.first?["threadFlows"],
            case .array(let steps)? = threads.first?["locations"]
        else { throw Missing() }
        #expect(steps.count == 6)
        let place = try #require(steps.last?["location"]?["physicalLocation"])
        #expect(place["artifactLocation"]?["uri"] == .string("findings/I2-7c1e44.plan"))
        // The line of the marked step is that of the finding.
        #expect(place["region"]?["startLine"] == .number(String(try #require(Sample.report().findings[0].line))))
        #expect(steps.first?["location"]?["message"]?["text"] == .string("1 alice connect /ws"))
    }

    @Test func openExcusedAndFlakyAreNotes() throws {
        var report = Sample.report()
        report.findings[1].finding.attribution = .flaky(failed: 2, of: 5)
        let notes = results(try run(report)).filter { $0["level"] == .string("note") }
        #expect(notes.map { $0["ruleId"] } == [.string("E3"), .string("E1"), .string("R1")])
        #expect(notes.map { $0["suppressions"] != nil } == [true, true, false])
    }

    @Test func theRestIsCountedAloud() throws {
        let text = SARIFReport(ReportFilesTests.many).text
        #expect(text.contains("results left out: this file holds at most 5,000 results and 10 MB"))
        #expect(text.utf8.count < SARIFReport.mostBytes)
        #expect(results(try run(ReportFilesTests.many)).count <= SARIFReport.mostResults)
    }

    @Test(arguments: [
        ("findings/I2-7c1e44.plan", "findings/I2-7c1e44.plan"), ("./a b/ü.plan", "a%20b/%C3%BC.plan"), ("/etc/x.plan", "x.plan"),
        ("../../x.plan", "x.plan"), ("http://evil.test/x", "http%3A/evil.test/x"), ("a\u{0}?#%", "a%00%3F%23%25"), ("//", nil), ("..", nil),
    ] as [(String, String?)]) func placesAreRelativeReferences(path: String, uri: String?) { #expect(RelativeURI.make(path) == uri) }

    @Test func noLinkAndNoPlaceholderFromAPayload() {
        #expect(SARIFText.plain("[l](http://evil.test) {0} {\"a\":1}") == "\\[l\\](http://evil.test) {{0}} {\"a\":1}}")
        #expect(SARIFText.plain("a[0] {port}") == "a[0] {port}")
    }
}

@Suite struct NDJSONReportTests {
    @Test func linesHaveKindsAndTheSummaryIsLast() throws {
        let lines = NDJSONReport(Sample.report(), time: time).text.split(separator: "\n").map { try? JSON.parse(String($0)) }
        #expect(lines.allSatisfy { $0?["v"] == .number("1") && $0?["t"] == .string(time) })
        #expect(lines.map { $0?["kind"] } == [.string("violation"), .string("violation")] + Array(repeating: .string("property"), count: 7) + [.string("summary")])
        let finding = try #require(lines.first ?? nil)
        guard case .string(let plan)? = finding["plan"] else { return #expect(Bool(false)) }
        #expect(plan.contains("6  alice  until error within 1s") && finding["steps"] == .number("6"))
        let summary = try #require(lines.last ?? nil)
        #expect(summary["exit"] == .number("1") && summary["violations"] == .number("2") && summary["ms"] == .number("581400"))
        #expect(summary["stability"] == .number("97.1"))
    }

    @Test func escapesKeepTheText() throws {
        let text = NDJSONReport(Sample.hostileReport(), time: time).text
        let first = try JSON.parse(String(try #require(text.split(separator: "\n").first)))
        #expect(first["sentence"] == .string(Sample.hostile))
    }
}
