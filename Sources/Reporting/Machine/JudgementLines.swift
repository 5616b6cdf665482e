import Findings
import Journaling
import NIOCore
package import Oracles
import Wire

/// A judgement as NDJSON: one line a property, one a finding; the summary is the verb's own.
package enum JudgementLines {
    package static func properties(_ judgement: Judgement, time: String) -> [JSONLine] {
        judgement.properties.map { summary in
            JSONLine("property", time: time).adding("id", summary.id).adding("name", summary.name)
                .adding("checked", summary.checked).adding("pass", summary.passed)
                .adding("excused", summary.excused).adding("inconclusive", summary.inconclusive)
                .adding("fail", summary.failed).adding("verdict", Self.word(summary))
        }
    }

    package static func finding(
        _ finding: Finding, replay: String?, facts: RunFacts? = nil, time: String
    ) -> JSONLine {
        var line = JSONLine("violation", time: time).adding("property", finding.property)
            .adding("finding", finding.id).adding("fingerprint", finding.fingerprint)
            .adding("severity", Severity.word(finding.property)).adding("also", finding.also).adding("sentence", finding.sentence)
            .adding("requirement", finding.requirement).adding("expected", finding.expected)
            .adding("found", finding.found).adding("users", finding.users)
            .adding("sessions", finding.sessions.map(\.description)).adding("repeats", finding.repeats)
            .adding("attribution", FindingBlock.words(finding.attribution))
            .adding("faults", finding.faults.map(\.id))
            .adding("entries", .array(finding.witness.map { .number(String($0.number)) }))
            .adding("witness", .array(finding.witness.map(Self.witness)))
        if let facts { line = line.adding("run", facts.json) }
        if let replay { line = line.adding("replay", replay) }
        return line
    }

    /// One entry of the evidence: where it passed and what it said, redacted as in the recording.
    private static func witness(_ entry: Entry) -> JSON {
        var members = [JSON.Member(key: "entry", value: .number(String(entry.number)))]
        if let session = entry.session { members.append(.init(key: "session", value: .string(session.description))) }
        var payload: ByteBuffer?
        var passage: Passage?
        switch entry.body {
        case .frame(let record):
            passage = record.passage
            members.append(.init(key: "direction", value: .string(record.passage.direction.rawValue)))
            payload = record.message?.payload ?? record.frame.payload
        case .head(let head):
            passage = head.passage
            members.append(.init(key: "direction", value: .string(head.passage.direction.rawValue)))
            payload = head.bytes
        case .fault(let fault): members.append(.init(key: "fault", value: .string(fault.id)))
        default: break
        }
        if let passage {
            let taps = Tap.allCases.compactMap { tap in
                passage.instant(at: tap).map {
                    JSON.Member(key: tap.rawValue, value: .number(Figures.time($0, since: .zero)))
                }
            }
            members.append(.init(key: "taps", value: .object(taps)))
        }
        if let payload {
            let text = SafeText.show(bytes: payload.readableBytesView.prefix(4_096))
            members.append(.init(key: "text", value: .string(text)))
        }
        return .object(members)
    }

    package static func toolErrors(_ judgement: Judgement, time: String) -> [JSONLine] {
        judgement.toolErrors.map { JSONLine("tool-error", time: time).adding("sentence", $0.sentence) }
    }

    private static func word(_ summary: PropertySummary) -> String {
        if summary.notApplicable != nil { return "not applicable" }
        switch summary.verdict {
        case nil: return "not exercised"
        case .pass: return "pass"
        case .excused: return "excused"
        case .inconclusive: return "inconclusive"
        case .fail: return "fail"
        }
    }
}

extension ExitReason {
    /// What a judgement means for the exit code; worst wins, and a defect of ours outranks all (trust.md T53).
    package static func of(_ judgement: Judgement) -> ExitReason {
        if !judgement.toolErrors.isEmpty { return .selfCheckFailed }
        if !judgement.findings.isEmpty || judgement.properties.contains(where: { $0.verdict == .fail }) {
            return .violations
        }
        if judgement.properties.contains(where: { $0.verdict == .inconclusive }) { return .inconclusive }
        return judgement.properties.allSatisfy { $0.verdict == nil } ? .nothingExercised : .pass
    }
}
