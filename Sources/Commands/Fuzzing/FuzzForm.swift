import ArgumentParser
import Fuzzing
import Journaling
import Oracles
import Reporting
import Synchronization

/// Everything a fuzzing run says while it runs: what is derived before anything is sent, what happens, and where it
/// stands (looks.md section 3). Talk goes to standard error, `--json` lines to standard output.
final class FuzzForm: Sendable {
    enum Mode: String, ExpressibleByArgument, CaseIterable, Sendable { case board, line, plain }

    let console: Console
    let json: Bool
    let mode: Mode
    private let area: LiveArea
    private let order: FuzzOrder
    /// A runner of GitHub reads commands from what is written; nothing that a payload brought may be one (trust.md T42).
    private let guards: Bool
    private let isOpen = Mutex(false)

    /// Rows of the screen that the board needs.
    static let leastRows = 20

    init(console: Console, json: Bool, mode asked: Mode?, order: FuzzOrder, guards: Bool = false) {
        self.guards = guards
        self.console = console
        self.json = json
        self.order = order
        // A pipe is never redrawn, whatever is asked for.
        let own: Mode = console.err.live ? ((console.rows ?? 0) >= Self.leastRows ? .board : .line) : .plain
        mode = console.err.live && !json ? asked ?? own : .plain
        area = LiveArea(console, isLive: mode != .plain)
    }

    /// How often `tick` is due.
    var pace: Duration { mode == .plain ? .seconds(10) : .milliseconds(500) }

    func warn(_ sentence: String) {
        if json { emit(JSONLine("warning", time: Console.utc()).adding("sentence", sentence)) }
        area.log(safe(console.err.paint("warning:", .fault) + " " + SafeText.show(sentence)))
    }

    func tick(_ progress: Fuzzing.Progress) {
        let figures = FuzzFigures.board(progress)
        let board = Board(figures)
        switch mode {
        case .board: area.show([""] + board.rows(console.err))
        case .line: area.show([board.line(console.err)])
        case .plain:
            if json {
                emit(RunLines(time: Console.utc()).progress(figures))
            } else {
                area.log(board.plain(console.err))
            }
        }
    }

    /// - Parameter settled: the finding with its file, for `CampaignEvent.settled`.
    func event(_ event: CampaignEvent, settled: ReportedFinding? = nil) {
        if case .seeds(let count) = event { return open(seeds: count) }
        open(seeds: order.options.seeds.count)
        if json, let line = FuzzMachine.line(event, settled: settled, time: Console.utc()) { emit(line) }
        switch event {
        case .warning(let sentence): if !json { warn(sentence) }
        default: if let text = text(event, settled) { say(text) }
        }
    }

    private func say(_ text: String) {
        if !json { area.log(safe(text)) }
    }

    private func open(seeds: Int) {
        let isFirst = isOpen.withLock { isOpen in
            defer { isOpen = true }
            return !isOpen
        }
        guard isFirst else { return }
        let options = order.options
        if json { emit(FuzzMachine.start(order, seeds: seeds, time: Console.utc())) }
        say(
            FuzzLines.banner(
                version: Miswire.number, seed: options.seed, contract: options.contract.name, hash: options.contract.hash,
                workers: options.workers, users: options.users, seeds: seeds, style: console.err))
        for sentence in order.warnings { warn(sentence) }
    }

    private func text(_ event: CampaignEvent, _ settled: ReportedFinding?) -> String? {
        let style = console.err
        switch event {
        case .selfCheck(let caught, let of): return FuzzLines.selfCheck(caught: caught, of: of, style: style)
        case .calibrated(let runs, let p999, let deadline):
            return FuzzLines.calibration(runs: runs, p999: p999, deadline: deadline, style: style)
        case .found(let finding, let executions, let at):
            return FuzzLines.found(finding, executions: executions, at: at, style: style)
        case .settled(_, let at): return settled.map { FuzzLines.settled($0, at: at, style: style) }
        case .targetDown(let why, let at):
            return style.paint(FuzzLines.note("the target does not answer: \(why)", at: at, style: style), .fail)
        case .targetBack(let restarts, let at):
            let times = restarts > 0 ? " after \(Figures.plural(restarts, "restart"))" : ""
            return FuzzLines.note("the target answers again\(times)", at: at, style: style)
        case .flooded(let flood, let at):
            let sent =
                "\(Figures.bytes(UInt64(clamping: flood.bytes))) in \(Figures.duration(flood.took)) on "
                + Figures.plural(flood.connections, "connection") + " for \(Figures.bytes(UInt64(clamping: flood.asked)))"
            return style.paint(
                FuzzLines.note("the target sends without end: \(sent); such cases are stopped", at: at, style: style), .fault)
        case .seeds, .unbalanced, .phaseEnded, .warning: return nil
        }
    }

    func stopping() { say("  stopping; findings and reports are written, Ctrl-C again ends at once") }

    /// Gives the terminal back.
    func end() { area.close() }

    /// The answer: tables, findings, how to repeat it, the last line.
    func close(_ report: RunReport, phases: [PhaseRow], reports: [String], verbose: Bool) {
        end()
        if json {
            return RunLines(time: Console.utc()).closing(report, reports: reports).forEach(emit)
        }
        if mode != .plain { console.talk("\n") }
        var text = report.warnings.map {
            Columns.wrapped(SafeText.show($0), label: "warning: ", width: console.out.width) + "\n"
        }.joined()
        for error in report.judgement.toolErrors.prefix(8) {
            text += console.out.paint("‼ tool error: \(SafeText.show(error.sentence))", .excused) + "\n"
        }
        if verbose {
            text += PropertyTable(report.judgement.properties).text(console.out, verbose: true) + "\n"
            for item in report.findings.reversed() {
                text += FindingBlock(item.finding, stage: item.file ?? "fuzz", replay: item.replay).text(console.out) + "\n"
            }
        }
        console.answer(safe(text + FuzzSummary(report, phases: phases, reports: reports).text(console.out)))
    }

    /// For the runner; beside NDJSON they go where no machine reads them as such.
    func annotate(_ lines: String) {
        end()
        if json { console.talk(lines) } else { console.answer(lines) }
    }

    private func emit(_ line: JSONLine) {
        guard guards, line.text.contains("##[") else { return console.emit(line) }
        console.answer(line.text.replacing("##[", with: "##\\u005b"))
    }

    private func safe(_ text: String) -> String { guards ? GitHubReport.guarded(text) : text }
}
