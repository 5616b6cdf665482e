import Oracles

/// JUnit XML as the schemas of Jenkins (junit-10) and Surefire take it: the root is `testsuite`, and a case has at most
/// one of `failure`, `error` and `skipped`, because readers of Ant's form drop what comes behind the first. All findings
/// of one property therefore stand in one `failure`.
package struct JUnitReport: Sendable {
    private let report: RunReport
    private let time: String

    package init(_ report: RunReport, time: String) {
        self.report = report
        self.time = time
    }

    private enum Outcome {
        case passed
        case failed(message: String, type: String, text: String)
        case broken(message: String, type: String, text: String)
        case skipped(String)
    }

    private struct Case {
        var group: String
        var name: String
        var outcome: Outcome
        var output = ""
    }

    private var suite: String { "miswire.\(report.verb)" }

    package var text: String {
        let cases = report.lines.map(property) + [run]
        var failures = 0
        var errors = 0
        var skipped = 0
        for item in cases {
            switch item.outcome {
            case .passed: break
            case .failed: failures += 1
            case .broken: errors += 1
            case .skipped: skipped += 1
            }
        }
        let seconds = Figures.fixed(Double(report.took.components.seconds) + Double(report.took.components.attoseconds) / 1e18, digits: 3)
        var out = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n<testsuite"
        for (key, value) in [
            ("name", suite), ("tests", String(cases.count)), ("failures", String(failures)), ("errors", String(errors)),
            ("skipped", String(skipped)), ("time", seconds), ("timestamp", String(time.prefix(19))),
        ] { out += XMLText.attribute(key, value) }
        out += ">\n" + properties
        for item in cases { out += xml(item) }
        return out + "</testsuite>\n"
    }

    /// Excuses stand here: the schema of Jenkins knows no properties of a case.
    private var properties: String {
        var pairs = [
            ("seed", String(report.seed)), ("version", report.version),
            ("contract", "\(report.contractName) \(report.contractHash)"), ("target", report.target),
            ("executions", String(report.executions)), ("again", report.again),
        ]
        for summary in report.judgement.properties where summary.excused > 0 {
            let why = summary.excuses.isEmpty ? "" : ": " + summary.excuses.joined(separator: "; ")
            pairs.append(("excused.\(summary.id)", "\(Figures.count(summary.excused))\(why)"))
        }
        for warning in report.warnings { pairs.append(("warning", warning)) }
        let lines = pairs.map { name, value in
            "    <property" + XMLText.attribute("name", shown(name)) + XMLText.attribute("value", ReportedFinding.short(value)) + "/>\n"
        }
        return "  <properties>\n" + lines.joined() + "  </properties>\n"
    }

    private func property(_ line: RunReport.Line) -> Case {
        let group = "\(suite).\(shown(String(line.id.prefix { !$0.isNumber })))"
        var item = Case(group: group, name: "\(shown(line.id)) \(shown(line.name))", outcome: outcome(line))
        let flaky = report.findings(of: line.id).filter(\.isFlaky)
        item.output = flaky.map { "\($0.finding.id) is flaky and does not fail the run\n" + $0.block(stage: report.verb) }
            .joined(separator: "\n")
        return item
    }

    private func outcome(_ line: RunReport.Line) -> Outcome {
        let all = report.findings(of: line.id)
        let firm = all.filter { !$0.isFlaky }
        if let worst = firm.first {
            let more = firm.dropFirst().map(\.finding.id)
            let tail = more.isEmpty ? "" : "; and \(more.prefix(10).joined(separator: ", "))" + (more.count > 10 ? ", …" : "")
            return .failed(
                message: "\(worst.finding.id) \(worst.headline)\(tail)", type: line.id,
                text: firm.map { $0.block(stage: report.verb) }.joined(separator: "\n"))
        }
        let collateral = report.collateral(line.id)
        let firmElsewhere = collateral.filter { !$0.isFlaky }
        if !firmElsewhere.isEmpty {
            let words = "shown by " + firmElsewhere.prefix(10).map(\.finding.id).joined(separator: ", ")
            return .failed(message: words, type: line.id, text: words + "; its block stands there\n")
        }
        guard let summary = line.summary else { return .skipped("not asked in this run") }
        // A failure that no finding accounts for is never a pass (trust.md T53).
        if summary.failed > 0, all.isEmpty, collateral.isEmpty {
            let words = "\(Figures.count(summary.failed)) of \(Figures.count(summary.checked)) fail, and no finding was kept"
            return .failed(message: words, type: line.id, text: line.requirement + "\n")
        }
        if let key = summary.notApplicable { return .skipped("needs contract key \(key)") }
        if summary.inconclusive > 0 { return .skipped(summary.reasons.first ?? "inconclusive") }
        return summary.checked == 0 ? .skipped("not exercised") : .passed
    }

    /// The run as a whole has a case of its own, so that a report without one tested property is not green.
    private var run: Case {
        let errors = report.judgement.toolErrors.map(\.sentence)
        let outcome: Outcome =
            switch report.exit {
            case _ where !errors.isEmpty:
                .broken(
                    message: "\(Figures.plural(errors.count, "tool error")): \(errors.first ?? "")", type: "tool error",
                    text: errors.prefix(100).map { ReportedFinding.short($0) + "\n" }.joined())
            case .selfCheckFailed, .nothingExercised, .targetUnreachable, .usage:
                .broken(message: report.exit.words, type: report.exit.reason, text: report.warnings.map { shown($0) + "\n" }.joined())
            case .interrupted: .skipped("interrupted")
            case .pass, .violations, .inconclusive: .passed
            }
        return Case(group: suite, name: "the run itself", outcome: outcome)
    }

    private func xml(_ item: Case) -> String {
        // Surefire demands a time; that of one property is not known.
        let head =
            "  <testcase" + XMLText.attribute("classname", item.group) + XMLText.attribute("name", item.name)
            + XMLText.attribute("time", "0")
        var inner = ""
        switch item.outcome {
        case .passed: break
        case .failed(let message, let type, let text): inner = element("failure", message, type, text)
        case .broken(let message, let type, let text): inner = element("error", message, type, text)
        case .skipped(let message): inner = "    <skipped" + XMLText.attribute("message", ReportedFinding.short(message)) + "/>\n"
        }
        if !item.output.isEmpty { inner += "    <system-out>" + XMLText.content(item.output) + "</system-out>\n" }
        return inner.isEmpty ? head + "/>\n" : head + ">\n" + inner + "  </testcase>\n"
    }

    private func element(_ name: String, _ message: String, _ type: String, _ text: String) -> String {
        "    <\(name)" + XMLText.attribute("message", ReportedFinding.short(message)) + XMLText.attribute("type", shown(type)) + ">"
            + XMLText.content(text) + "</\(name)>\n"
    }

    private func shown(_ text: String) -> String { ReportedFinding.short(text) }

    /// Reads the file again: well-formed, without a DTD, and with as many cases and failures as its head says.
    package static func verify(_ text: String) -> Bool {
        guard let check = XMLCheck(text), check.elements.first?.name == "testsuite" else { return false }
        return [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
            .allSatisfy { check.attribute($0) == String(check.count($1)) }
    }
}
