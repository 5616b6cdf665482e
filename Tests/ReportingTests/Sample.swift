import Journaling
import NIOCore
import Oracles
import Plans
import Wire

@testable import Reporting

/// The run of looks.md sections 3 and 5, and the same run after a hostile peer had its say (trust.md F15).
enum Sample {
    static func report() -> RunReport {
        RunReport(
            verb: "fuzz", version: "0.1.0", seed: 42, contractName: "agent-chat", contractHash: "3f9c21",
            contractFile: "agent-chat.yaml", target: "ws://127.0.0.1:8080/ws", judgement: judgement(),
            findings: [reported(Example.finding(), repeats: 29, plan: crossed()), reported(silent(), repeats: 3, plan: malformed())],
            executions: 209_806, users: 50, stability: 97.1, took: .milliseconds(581_400), exit: .violations,
            again: "miswire fuzz ws://127.0.0.1:8080/ws corpus/ --contract agent-chat --seed 42 …")
    }

    static func reported(_ finding: Finding, repeats: Int, plan: Plan) -> ReportedFinding {
        var finding = finding
        finding.repeats = repeats
        finding.attribution = .intrinsic(failed: 5, of: 5)
        let file = "findings/\(finding.id).plan"
        let marked = PlanText.print(plan).split(separator: "\n", omittingEmptySubsequences: false)
            .firstIndex { $0.contains("# fails here") }
        return ReportedFinding(
            finding: finding, plan: plan, file: file, line: marked.map { $0 + 1 },
            replay: "miswire replay \(file) ws://127.0.0.1:8080/ws")
    }

    static func silent() -> Finding {
        let request = Example.frame(3, 4, .toServer, at: 1_250, "{\"type\":")
        return Finding(
            property: "E3", fingerprint: "09d2b1", sentence: "malformed JSON gets no answer within 1 s",
            requirement: "a must-reject request gets an error in time (contract reject)",
            expected: "an error on s4 (erin) by 2.250", found: "nothing on s4 until 2.250", offending: nil,
            witness: [request], sessions: [SessionID(4)], users: ["erin"],
            instant: Instant(nanoseconds: 2_250_000_000), faults: [], contractFile: "agent-chat.yaml", contractLine: 61)
    }

    static func crossed() -> Plan {
        plan([
            ("alice", .connect(path: "/ws", as: nil, headers: []), nil), ("alice", .until(["open"], within: .seconds(2)), nil),
            ("bob", .connect(path: "/ws", as: nil, headers: []), nil), ("bob", .until(["open"], within: .seconds(2)), nil),
            ("alice", .send(#"{"type":"agent_started","agent_name":"non_existent_agent","user_id":$alice.id}"#), nil),
            ("alice", .until(["error"], within: .seconds(1)), "fails here: the error goes to bob"),
        ])
    }

    static func malformed() -> Plan {
        plan([
            ("erin", .connect(path: "/ws", as: nil, headers: []), nil), ("erin", .sendText("{\"type\":"), nil),
            ("erin", .until(["error"], within: .seconds(1)), "fails here"),
        ])
    }

    static func plan(_ steps: [(String, Plan.Verb, String?)]) -> Plan {
        var plan = Plan()
        for (name, _, _) in steps where !plan.users.contains(where: { $0.name == name }) {
            plan.users.append(.init(name: name, credential: "header"))
        }
        plan.steps = steps.enumerated().map { index, step in
            Plan.Step(number: index + 1, user: step.0, verb: step.1, comment: step.2)
        }
        return plan
    }

    static func summary(
        _ id: String, _ name: String, pass: Int = 0, excused: Int = 0, open: Int = 0, fail: Int = 0, reason: String? = nil
    ) -> PropertySummary {
        var summary = PropertySummary(id: id, name: name)
        summary.checked = pass + excused + open + fail
        summary.passed = pass
        summary.excused = excused
        summary.inconclusive = open
        summary.failed = fail
        if let reason, excused > 0 { summary.excuses = [reason] } else if let reason { summary.reasons = [reason] }
        return summary
    }

    static func judgement() -> Judgement {
        var judgement = Judgement()
        var resume = PropertySummary(id: "D2", name: "resume complete")
        resume.notApplicable = "resume"
        judgement.properties = [
            summary("H1", "accept first, first frame kept", pass: 86),
            summary("E1", "a run ends once", pass: 340, excused: 4, reason: "runs open when f1 reset_peer cut the connection"),
            summary("E3", "errors reach the requester", pass: 30, fail: 32),
            summary("I2", "routing by ownership", pass: 2_383, fail: 29),
            summary("A1", "authentication fails closed"),
            summary("R1", "bounded resources", open: 1, reason: "6 of 8 checkpoints"),
            resume,
        ]
        judgement.errorKinds = ["a", "b", "c", "d", "e"]
        judgement.findings = [Example.finding(), silent()]
        return judgement
    }

    /// Text that a peer may bring into any field: NUL, C0 and C1, ESC, bidi, separators, `]]>`, markup, commands of a
    /// runner, Markdown, noncharacters, and what is left of a lone surrogate and of broken UTF-8.
    static let hostile: String = {
        let broken = String(decoding: [0x61, 0xff, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0x62] as [UInt8], as: UTF8.self)
        return "\u{0}\u{1}\u{8}\u{b}\u{1b}]0;owned\u{7}\u{1b}[2J\u{7f}\u{85}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{2029}\u{fffe}\u{ffff}"
            + "\u{1fffe}\u{10ffff}\u{feff}]]><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;&#0;<script>alert('1')</script>"
            + "\r\n::error file=x,line=1,title=y::owned%0A%25\n##[error]owned\r::add-mask::x\n::set-output name=a::b\n"
            + "```\n~~~\n# head\n![i](http://evil.test/i.png) [l](http://evil.test) <http://evil.test> http://evil.test www.evil.test"
            + " @someone #1 | a | b |\n---\n<img src=x onerror=y></details>\\" + broken
    }()

    /// The same run with `hostile` wherever a peer's, a file's or a user's text can stand.
    static func hostileReport(long: Bool = false) -> RunReport {
        let text = long ? hostile + String(repeating: "x\u{1b}", count: 20_000) : hostile
        var report = report()
        report.contractName = text
        report.contractFile = "../" + text
        report.target = "ws://" + text
        report.again = "miswire fuzz " + text
        report.warnings = [text]
        for index in report.judgement.properties.indices {
            report.judgement.properties[index].excuses = [text]
            report.judgement.properties[index].reasons = [text]
            if report.judgement.properties[index].notApplicable != nil { report.judgement.properties[index].notApplicable = text }
        }
        for index in report.findings.indices { poison(&report.findings[index], text) }
        return report
    }

    private static func poison(_ item: inout ReportedFinding, _ text: String) {
        item.finding.sentence = text
        item.finding.requirement = text
        item.finding.expected = text
        item.finding.found = text
        item.finding.users = item.finding.users.map { _ in text }
        item.finding.contractFile = text
        item.finding.caret = .init(text: text, label: text)
        item.finding.witness.append(Example.frame(9, 2, .toClient, at: 500, text))
        item.replay = "miswire replay " + text
        item.exit = text
        item.stderr = [text, text]
        item.file = "/etc/../" + text
        item.plan?.steps.append(.init(number: 99, user: text, verb: .sendText(text), comment: text))
    }
}
