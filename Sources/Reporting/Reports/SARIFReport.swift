import Oracles
import Plans
import Wire

/// SARIF 2.1.0 for code scanning: plain text, relative URIs, bounded (trust.md T41).
package struct SARIFReport: Sendable {
    /// What hosts take in one run.
    package static let mostResults = 5_000
    package static let mostBytes = 10_000_000
    private static let mostSteps = 1_000

    private let report: RunReport
    private let rules: [RunReport.Line]

    package init(_ report: RunReport) {
        self.report = report
        rules = report.lines
    }

    package var text: String {
        let all = report.findings.map(result) + report.judgement.properties.compactMap(note)
        var results: [JSON] = []
        // The head with its rules and notifications is small; what is left of the file is for results.
        var room = Self.mostBytes - 500_000
        for result in all.prefix(Self.mostResults) {
            room -= result.text.utf8.count + 1
            if room < 0 { break }
            results.append(result)
        }
        let run = object([
            ("tool", object([("driver", driver)])), ("columnKind", .string("unicodeCodePoints")),
            ("invocations", .array([invocation(left: all.count - results.count)])), ("results", .array(results)),
            ("properties", object([
                ("seed", .string(String(report.seed))), ("contract", shown("\(report.contractName) \(report.contractHash)")),
                ("executions", number(report.executions)),
            ])),
        ])
        let log = object([
            ("$schema", .string("https://json.schemastore.org/sarif-2.1.0.json")), ("version", .string("2.1.0")),
            ("runs", .array([run])),
        ])
        return JSONLine.harmless(log.text) + "\n"
    }

    private var driver: JSON {
        let rules = rules.map { rule in
            object([
                ("id", shown(rule.id)), ("shortDescription", message(rule.name)), ("fullDescription", message(rule.requirement)),
                ("help", message(rule.requirement)), ("defaultConfiguration", object([("level", .string("error"))])),
            ])
        }
        return object([
            ("name", .string("miswire")), ("version", shown(report.version)), ("semanticVersion", shown(report.version)),
            ("rules", .array(rules)),
        ])
    }

    private func invocation(left: Int) -> JSON {
        var notes = report.judgement.toolErrors.prefix(100).map { notification("error", "tool error: " + $0.sentence) }
        notes += report.warnings.prefix(100).map { notification("warning", $0) }
        if left > 0 {
            notes.append(
                notification(
                    "warning",
                    "\(Figures.plural(left, "result")) left out: this file holds at most \(Figures.count(Self.mostResults)) results and 10 MB"))
        }
        let succeeded = [.pass, .violations, .inconclusive].contains(report.exit) && report.judgement.toolErrors.isEmpty
        return object([
            ("executionSuccessful", .bool(succeeded)), ("exitCode", .number(String(report.exit.code))),
            ("exitCodeDescription", .string(report.exit.reason)), ("commandLine", shown(report.again)),
            ("toolExecutionNotifications", .array(notes)),
        ])
    }

    private func notification(_ level: String, _ text: String) -> JSON {
        object([("level", .string(level)), ("message", message(text))])
    }

    private func result(_ item: ReportedFinding) -> JSON {
        let finding = item.finding
        let replay = item.replay.map { " Replay: \(SafeText.brief($0, to: 1_000))" } ?? ""
        let text = "\(item.headline). E\(item.contrast.dropFirst()). Attribution \(FindingBlock.short(finding.attribution)).\(replay)"
        var members = rule(finding.property)
        members += [
            ("level", .string(item.isFlaky ? "note" : "error")), ("message", message(text, to: 4_000)),
            ("locations", .array([place(item, line: item.line)])),
            ("partialFingerprints", object([("miswire/v1", shown(finding.fingerprint))])),
            ("occurrenceCount", number(max(1, finding.repeats))),
        ]
        if let flow = flow(item) { members.append(("codeFlows", .array([flow]))) }
        if item.isFlaky {
            members.append(suppression("\(FindingBlock.words(finding.attribution)); quarantined, does not fail the run"))
        }
        var bag: [(String, JSON)] = [("finding", shown(finding.id)), ("also", .array(finding.also.map { shown($0) }))]
        if let replay = item.replay { bag.append(("replay", shown(replay, to: 1_000))) }
        if let exit = item.exit { bag.append(("targetEnded", shown(exit))) }
        members.append(("properties", object(bag)))
        return object(members)
    }

    /// A property that is open, or that holds with excuses.
    private func note(_ summary: PropertySummary) -> JSON? {
        guard let verdict = summary.verdict, verdict == .inconclusive || verdict == .excused else { return nil }
        let open = verdict == .inconclusive
        let count = Figures.count(open ? summary.inconclusive : summary.excused)
        let why = (open ? summary.reasons : summary.excuses).prefix(10).joined(separator: "; ")
        let word = open ? "inconclusive" : "excused"
        var members = rule(summary.id)
        members += [
            ("level", .string("note")),
            ("message", message("\(summary.name): \(count) of \(Figures.count(summary.checked)) \(word)\(why.isEmpty ? "" : ", \(why)").")),
            ("locations", .array([contractPlace(line: nil)])),
            ("partialFingerprints", object([("miswire/v1", shown("\(summary.id)-\(word)"))])),
        ]
        if !open { members.append(suppression(why.isEmpty ? "excused" : why)) }
        return object(members)
    }

    private func rule(_ id: String) -> [(String, JSON)] {
        [("ruleId", shown(id))] + (rules.firstIndex { $0.id == id }.map { [("ruleIndex", number($0))] } ?? [])
    }

    private func suppression(_ why: String) -> (String, JSON) {
        ("suppressions", .array([object([("kind", .string("external")), ("justification", shown(why))])]))
    }

    /// The witness: one location a step of the plan, with the line on which the step stands.
    private func flow(_ item: ReportedFinding) -> JSON? {
        guard let plan = item.plan, !plan.steps.isEmpty else { return nil }
        let lines = PlanLines(plan, marked: item.line)
        let steps = plan.steps.prefix(Self.mostSteps).enumerated().map { index, step in
            var location = place(item, line: lines.line(of: index)).members
            let user = step.user.map { $0 + " " } ?? ""
            let words = "\(step.number) \(user)\(PlanText.words(of: step.verb))"
            location.append(("message", message(words, to: 300)))
            return object([("location", object(location)), ("executionOrder", number(index))])
        }
        return object([("threadFlows", .array([object([("locations", .array(steps))])]))])
    }

    private func place(_ item: ReportedFinding, line: Int?) -> JSON {
        guard let file = item.file, let uri = RelativeURI.make(file) else {
            return contractPlace(line: item.finding.contractLine > 0 ? item.finding.contractLine : nil)
        }
        return physical(uri, line)
    }

    private func contractPlace(line: Int?) -> JSON {
        physical(RelativeURI.make(report.contractFile) ?? RelativeURI.make(report.contractName) ?? "contract", line)
    }

    private func physical(_ uri: String, _ line: Int?) -> JSON {
        object([
            ("physicalLocation", object([
                ("artifactLocation", object([("uri", .string(uri))])), ("region", object([("startLine", number(max(1, line ?? 1)))])),
            ]))
        ])
    }

    private func message(_ text: String, to width: Int = 1_000) -> JSON {
        object([("text", .string(SARIFText.plain(SafeText.brief(text, to: width))))])
    }

    private func shown(_ text: String, to width: Int = 500) -> JSON { .string(SafeText.brief(text, to: width)) }
    private func number(_ value: Int) -> JSON { .number(String(value)) }
    private func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { .init(key: $0.0, value: $0.1) }) }

    /// Reads the file again.
    package static func verify(_ text: String) -> Bool {
        guard text.utf8.count <= mostBytes, case .value(let log, tolerated: false) = JSON.decode(text),
            log["version"] == .string("2.1.0"), case .array(let runs)? = log["runs"], let run = runs.first,
            case .array(let results)? = run["results"]
        else { return false }
        return results.count <= mostResults
    }
}

extension JSON {
    fileprivate var members: [(String, JSON)] {
        if case .object(let members) = self { members.map { ($0.key, $0.value) } } else { [] }
    }
}

/// On which line of its file each step of a plan stands.
private struct PlanLines {
    private var lines: [Int] = []

    /// - Parameter marked: the line of the step marked `fails here` in the file, which may have a longer head.
    init(_ plan: Plan, marked: Int?) {
        var number = 0
        var shift = 0
        for text in PlanText.print(plan).split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            guard lines.count < plan.steps.count else { break }
            let step = plan.steps[lines.count]
            guard text.drop(while: { $0 == " " }).hasPrefix("\(step.number)  ") else { continue }
            lines.append(number)
            if let marked, let comment = step.comment, comment.hasPrefix("fails here") { shift = marked - number }
        }
        lines = lines.map { max(1, $0 + shift) }
    }

    func line(of step: Int) -> Int? { lines.indices.contains(step) ? lines[step] : nil }
}

/// A reference relative to the root of the repository, percent-encoded; nil when nothing is left of it.
enum RelativeURI {
    static func make(_ path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        // What lies elsewhere has no relative name; its own name is all that can be told.
        let isElsewhere = path.hasPrefix("/") || parts.contains("..")
        let kept = parts.filter { $0 != "." && $0 != ".." }
        guard let last = kept.last else { return nil }
        return (isElsewhere ? [last] : kept).map(encoded).joined(separator: "/")
    }

    private static func encoded(_ part: String) -> String {
        var out = ""
        for byte in part.utf8.prefix(255) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return out
    }
}

/// A plain text message of SARIF has two constructs of its own: `[text](place)` is a link and `{0}` a placeholder.
/// Neither may come from a payload; other braces stay as they are, so that commands and JSON can be pasted.
enum SARIFText {
    static func plain(_ text: String) -> String {
        var out = ""
        let characters = Array(text)
        let hasLink = text.contains("](")
        for (index, character) in characters.enumerated() {
            switch character {
            case "[" where hasLink, "]" where hasLink: out += "\\\(character)"
            case "{" where index + 1 < characters.count && characters[index + 1].isWholeNumber: out += "{{"
            case "}" where index > 0 && characters[index - 1].isWholeNumber: out += "}}"
            default: out.append(character)
            }
        }
        return out
    }
}
