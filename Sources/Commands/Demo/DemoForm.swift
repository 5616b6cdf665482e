import Contracts
import Findings
import Journaling
import Oracles
import ReferenceBackend
import Reporting
import Wire

/// Everything the demo says, on a terminal, plain, or as NDJSON (looks.md section 1).
struct DemoForm: Sendable {
    var console: Console
    var json: Bool
    var verbose: Bool

    func open(seed: UInt64, contract: Contract, port: Int, bugs: [BackendBug]) {
        let on = bugs.isEmpty ? "no bugs on" : "bugs " + bugs.map(\.rawValue).joined(separator: " ")
        if json {
            let line = JSONLine("start", time: Console.utc()).adding("verb", "demo").adding("seed", seed)
                .adding("contract", contract.hash).adding("backend", "127.0.0.1:\(port)")
                .adding("bugs", bugs.map(\.rawValue))
            console.emit(line)
            return
        }
        console.answer(
            "miswire \(Miswire.number) demo    seed \(seed)    contract \(contract.name) \(contract.hash)    "
                + "backend 127.0.0.1:\(port), \(on)\n")
        if bugs.isEmpty {
            console.answer(
                "Users talk to a small agent-chat server through the proxy while faults act. One profile a line.\n")
        }
        console.answer("\n")
    }

    func begin(_ stage: DemoStage, users: Int) {
        live("  ⠼ \(stage.name.left(18))\(Figures.count(users).right(3)) \(users == 1 ? "user" : "users")")
    }

    func stage(_ result: StageResult) {
        if json {
            let line = JSONLine("stage", time: Console.utc()).adding("name", result.stage.name)
                .adding("users", result.users).adding("runs", result.judgement.runs)
                .adding("faults", result.judgement.faultsActed).adding("misses", result.misses)
                .adding("passed", .bool(result.passed))
                .adding("errorsDelivered", result.judgement.errorsDelivered)
                .adding("ms", result.took.nanoseconds / 1_000_000)
                .adding("properties", .array(result.judgement.properties.map(Self.property)))
                .adding("findings", result.judgement.findings.map(\.id))
            console.emit(line)
            return
        }
        clear()
        console.answer(console.out.plainly(result.line(console.out)))
        for step in result.steps.prefix(verbose ? 1_000 : 3) where !step.isOK && result.passed {
            console.answer("      step \(step.number) of \(result.stage.name).plan: \(SafeText.show("\(step.outcome)"))\n")
        }
    }

    private static func property(_ summary: PropertySummary) -> JSON {
        .object([
            .init(key: "id", value: .string(summary.id)),
            .init(key: "checked", value: .number(String(summary.checked))),
            .init(key: "pass", value: .number(String(summary.passed))),
            .init(key: "excused", value: .number(String(summary.excused))),
            .init(key: "inconclusive", value: .number(String(summary.inconclusive))),
            .init(key: "fail", value: .number(String(summary.failed))),
        ])
    }

    func confirming(_ findings: Int) { live("  ⠼ confirm and shrink  \(Figures.plural(findings, "finding"))") }

    func confirmed(findings: Int, reruns: Int, took: Duration) {
        guard !json else { return }
        clear()
        let what = Figures.plural(findings, "finding").left(22) + Figures.plural(reruns, "rerun").left(12)
        let wrote = Figures.plural(findings, "plan") + " written"
        let mark = console.out.paint(console.out.glyph(.pass), .pass)
        console.answer("  \(mark) " + "confirm and shrink  ".left(20) + what + wrote.left(30) + Figures.seconds(took).right(8) + "\n")
    }

    func close(
        _ judgement: Judgement, seen: [DemoRun.Seen], bugs: [BackendBug], took: Duration, reason: ExitReason
    ) {
        if json { return closeJSON(judgement, seen, bugs, took, reason) }
        console.answer("\n" + PropertyTable(judgement.properties).text(console.out, verbose: verbose))
        for error in judgement.toolErrors.prefix(8) {
            console.answer(console.out.paint("‼ tool error: \(SafeText.show(error.sentence))", .excused) + "\n")
        }
        // A clean run has said so in its stage line.
        if judgement.errorsDelivered.count < judgement.errorKinds.count { console.answer("  " + DemoStage.delivered(judgement) + "\n") }
        // A block ends with an empty line of its own.
        if !seen.isEmpty { console.answer("\n") }
        for item in seen {
            let block = FindingBlock(item.finding, stage: item.stage.name, replay: replay(item, bugs))
            console.answer(block.text(console.out))
        }
        if seen.isEmpty {
            console.answer("  next       \(OwnName.command) demo --bugs B08,B10         plant two bugs and see them found\n")
            console.answer("             \(OwnName.command) proxy ws://HOST:PORT        put it in front of your own server\n")
        }
        console.answer((seen.isEmpty ? "\n" : "") + summary(judgement, took, reason) + "\n")
    }

    private func replay(_ item: DemoRun.Seen, _ bugs: [BackendBug]) -> String? {
        guard let file = item.file else { return nil }
        let planted = bugs.isEmpty ? "" : " --bugs " + bugs.map(\.rawValue).joined(separator: ",")
        return "\(OwnName.command) replay \(file) --exec '\(OwnName.command) backend\(planted) --port {port}'"
    }

    private func summary(_ judgement: Judgement, _ took: Duration, _ reason: ExitReason) -> String {
        var violations = Figures.plural(judgement.findings.count, "violation")
        if !judgement.findings.isEmpty {
            let counts = Dictionary(grouping: judgement.findings, by: \.property).mapValues(\.count)
            let words = counts.keys.sorted { Severity.rank($0) < Severity.rank($1) }.map { "\($0) \(counts[$0] ?? 0)" }
            violations += " (\(words.joined(separator: ", ")))"
        }
        let line =
            "demo  \(Figures.plural(judgement.runs, "run")), \(Figures.plural(judgement.sessions, "session")), "
            + "\(violations), \(Figures.plural(judgement.toolErrors.count, "tool error")), \(Figures.seconds(took))"
        return reason.ending(line)
    }

    private func closeJSON(
        _ judgement: Judgement, _ seen: [DemoRun.Seen], _ bugs: [BackendBug], _ took: Duration, _ reason: ExitReason
    ) {
        let time = Console.utc()
        for line in JudgementLines.properties(judgement, time: time) { console.emit(line) }
        for item in seen {
            console.emit(JudgementLines.finding(item.finding, replay: replay(item, bugs), time: time))
        }
        for line in JudgementLines.toolErrors(judgement, time: time) { console.emit(line) }
        let line = JSONLine("summary", time: time).adding("verb", "demo").adding("runs", judgement.runs)
            .adding("sessions", judgement.sessions).adding("violations", judgement.findings.count)
            .adding("toolErrors", judgement.toolErrors.count).adding("errorsDelivered", judgement.errorsDelivered)
            .adding("findings", judgement.findings.map(\.id)).adding("ms", took.nanoseconds / 1_000_000)
            .adding("exit", reason.code).adding("reason", reason.reason)
        console.emit(line)
    }

    /// The active stage, redrawn on a terminal only.
    private func live(_ text: String) {
        guard console.out.live, !json else { return }
        console.answer("\r\u{1b}[K" + text)
    }
    private func clear() {
        guard console.out.live, !json else { return }
        console.answer("\r\u{1b}[K")
    }
}
