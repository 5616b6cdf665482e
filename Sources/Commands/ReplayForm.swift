import Journaling
import Peers
import Plans
import Reporting
import Wire

/// How a replay reads (looks.md section 3).
struct ReplayForm {
    var plan: Plan
    var file: String
    var report: ReplayReport
    /// With `--confirm`.
    var confirmed: [ConfirmedReplay.Item] = []

    func print(to console: Console, json: Bool) -> ExitReason {
        if json {
            let time = Console.utc()
            for line in lines(time) { console.emit(line) }
        } else {
            console.answer(steps(console.out))
            for item in confirmed {
                let stage = plan.faults.isEmpty ? "transparent" : file
                console.answer("\n" + FindingBlock(item.finding, stage: stage, replay: item.replay).text(console.out))
                if let reason = item.reason { console.answer("  \(SafeText.show(reason))\n") }
            }
            console.answer((confirmed.isEmpty ? "" : "\n") + verdict(console.out))
        }
        return reason
    }

    private var reason: ExitReason {
        if report.toolErrors > 0 { return .selfCheckFailed }
        return switch report.outcome {
        case .stillFailing: .violations
        // Of a plan without a finding any is its own.
        case .fixed: report.others.isEmpty ? .pass : .violations
        case .cannotReplay, .flaky: .inconclusive
        }
    }

    private func steps(_ style: Style) -> String {
        let results = Dictionary(report.steps.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        let width = plan.users.map { SafeText.show($0.name).count }.max() ?? 6
        let digits = plan.steps.map { "\($0.number)".count }.max() ?? 1
        var text = ""
        for step in plan.steps {
            guard let result = results[step.number] else { continue }
            let who = "  \("\(step.number)".right(digits)) \(SafeText.show(step.user ?? "").left(width))  "
            let room = max(20, 42 - who.count)
            text += who + SafeText.cut(SafeText.show(PlanText.words(of: step.verb)), to: room).left(room) + " "
            text += outcome(result, style) + (result.number == report.firstDifference ? "   ← first difference" : "") + "\n"
        }
        return text
    }

    private func outcome(_ result: StepResult, _ style: Style) -> String {
        let took = " " + Self.milliseconds(result.took).right(7)
        switch result.outcome {
        case .ok: return style.paint(style.glyph(.pass), .pass) + took
        case .failed(let why): return style.paint(style.glyph(.fail), .fail) + took + "   " + SafeText.show(why)
        case .cannot(let why): return style.glyph(.inconclusive) + took + "   " + SafeText.show(why)
        }
    }

    /// Steps are compared with each other, so all have one unit: `31 ms`, `1,000 ms`.
    private static func milliseconds(_ took: Duration) -> String {
        let nanoseconds = max(0, took.nanoseconds)
        return (nanoseconds < 1_000_000 ? "<1" : Figures.count(nanoseconds / 1_000_000)) + " ms"
    }

    private func verdict(_ style: Style) -> String {
        let id = plan.head.finding ?? file
        let (word, role, tail): (String, Style.Role, String) =
            switch report.outcome {
            case .stillFailing(let failed, let of): ("STILL FAILING", .failName, ", \(failed) of \(of)")
            case .fixed(let of): ("FIXED", .pass, ", \(of) of \(of)")
            case .cannotReplay(let step, let why):
                ("CANNOT REPLAY", .name, (step.map { " step \($0)" } ?? "") + " " + SafeText.show(why))
            case .flaky(let failed, let of): ("FLAKY", .name, " \(failed) of \(of) fail; quarantined, does not fail the run")
            }
        let sentence =
            switch report.outcome {
            case .stillFailing, .fixed: SafeText.show(report.sentence)
            case .cannotReplay, .flaky: ""
            }
        let others = report.others.isEmpty ? "" : "; also found: \(report.others.joined(separator: ", "))"
        let errors = report.toolErrors == 0 ? "" : "; \(Figures.plural(report.toolErrors, "tool error"))"
        let head = style.paint(word.left(15), role)
        let body = id + "  " + sentence + others + errors + tail.trimmingPrefix(while: { sentence.isEmpty && $0 == " " })
        return head + body.left(76) + " exit \(reason.code)\n"
    }

    private func lines(_ time: String) -> [JSONLine] {
        var lines = report.steps.map { step in
            JSONLine("step", time: time).adding("step", step.number).adding("ok", .bool(step.isOK))
                .adding("took", step.took.nanoseconds / 1_000)
        }
        for item in confirmed {
            lines.append(
                JudgementLines.finding(item.finding, replay: item.replay, facts: item.facts, time: time)
                    .adding("reruns", item.reruns).adding("attributed", FindingBlock.short(item.finding.attribution)))
        }
        if !confirmed.isEmpty, let judgement = report.run?.judgement {
            lines += JudgementLines.properties(judgement, time: time) + JudgementLines.toolErrors(judgement, time: time)
        }
        let word =
            switch report.outcome {
            case .stillFailing: "STILL FAILING"
            case .fixed: "FIXED"
            case .cannotReplay: "CANNOT REPLAY"
            case .flaky: "FLAKY"
            }
        lines.append(
            JSONLine("summary", time: time).adding("verb", "replay").adding("outcome", word)
                .adding("finding", plan.head.finding ?? "").adding("sentence", report.sentence)
                .adding("others", report.others).adding("toolErrors", report.toolErrors)
                .adding("exit", reason.code).adding("reason", reason.reason))
        return lines
    }
}
