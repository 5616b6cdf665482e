import Fuzzing
import Journaling
import Reporting

/// What `--merge` and `--minimize` say.
struct CorpusForm: Sendable {
    let console: Console
    let json: Bool
    let tally: CorpusTally
    /// A line that is redrawn, rather than one every 10 s.
    let isLive: Bool
    private let area: LiveArea

    init(console: Console, json: Bool, tally: CorpusTally) {
        self.console = console
        self.json = json
        self.tally = tally
        isLive = console.err.live && !json
        area = LiveArea(console, isLive: isLive)
    }

    func warn(_ sentence: String) {
        if json { console.emit(JSONLine("warning", time: Console.utc()).adding("sentence", sentence)) }
        area.log(console.err.paint("warning:", .fault) + " " + SafeText.show(sentence))
    }

    func tick(after elapsed: Duration) {
        let (played, features) = tally.now
        let seconds = elapsed.components.seconds
        if json {
            console.emit(
                JSONLine("progress", time: Console.utc()).adding("played", played).adding("plans", tally.plans)
                    .adding("features", features))
        } else if isLive {
            let counts = "\(Figures.count(played)) of \(Figures.plural(tally.plans, "plan")) played"
            area.show([
                console.err.plainly("\(tally.task.rawValue) \(Clock.full(elapsed))  \(counts)  \(Figures.plural(features, "feature"))")
            ])
        } else {
            area.log("\(tally.task.rawValue) t=\(seconds) played=\(played) plans=\(tally.plans) features=\(features)")
        }
    }

    func stopping() { if !json { area.log("  stopping; nothing is changed, Ctrl-C again ends at once") } }

    /// Gives the terminal back.
    func end() { area.close() }

    func stopped(_ exit: ExitReason, _ why: String) -> ExitReason {
        end()
        let (played, _) = tally.now
        let sentence =
            "\(why) after \(Figures.count(played)) of \(Figures.plural(tally.plans, "plan")), nothing is changed"
        if json { console.emit(summary(exit).adding("played", played)) } else { console.answer(last(sentence, exit)) }
        return exit
    }

    /// The answer and what it is worth.
    func close(_ report: CorpusReport) -> ExitReason {
        end()
        let exit = Self.exit(report, plans: tally.plans)
        if report.unplayed > 0 {
            let verb = report.unplayed == 1 ? "was" : "were"
            let rest = tally.task == .merge ? "and \(verb) not added" : "and \(report.unplayed == 1 ? "stays" : "stay")"
            warn("\(Figures.plural(report.unplayed, "plan")) could not be played \(rest)")
        }
        if json {
            console.emit(
                summary(exit).adding("before", report.before).adding("offered", report.offered).adding("added", report.added)
                    .adding("deleted", report.deleted).adding("after", report.after)
                    .adding("featuresBefore", report.featuresBefore).adding("featuresAfter", report.featuresAfter)
                    .adding("unplayed", report.unplayed))
        } else {
            console.answer(last(Self.sentence(report, tally.task), exit))
        }
        return exit
    }

    /// Without a plan that was played nothing is known.
    static func exit(_ report: CorpusReport, plans: Int) -> ExitReason {
        if report.unplayed >= plans { return .nothingExercised }
        return report.unplayed > 0 ? .inconclusive : .pass
    }

    static func sentence(_ report: CorpusReport, _ task: CorpusTask) -> String {
        if task == .minimize {
            let kept = "\(Figures.count(report.after)) of \(Figures.plural(report.before, "plan"))"
            let verb = report.after == 1 ? "shows" : "show"
            let all = report.featuresAfter == 1 ? "the one feature" : "all \(Figures.count(report.featuresAfter)) features"
            return "\(kept) \(verb) \(all), \(Figures.plural(report.deleted, "file")) deleted"
        }
        let offered = Figures.plural(report.offered, "plan")
        guard report.added > 0 else { return "none of \(offered) brings anything new" }
        let more = Figures.plural(max(0, report.featuresAfter - report.featuresBefore), "feature")
        return "\(Figures.count(report.added)) of \(offered) \(report.added == 1 ? "brings" : "bring") something new, \(more) more"
    }

    private func summary(_ exit: ExitReason) -> JSONLine {
        JSONLine("summary", time: Console.utc()).adding("verb", "fuzz").adding("task", tally.task.rawValue)
            .adding("plans", tally.plans).adding("exit", exit.code).adding("reason", exit.reason)
    }

    private func last(_ sentence: String, _ exit: ExitReason) -> String {
        let line = "\(tally.task.rawValue)  \(sentence)"
        return console.out.plainly(line.left(max(line.count + 2, 100 - exit.words.count)) + exit.words) + "\n"
    }
}
