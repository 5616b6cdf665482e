import Captures
import Journaling
import Reporting
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// How `import` reads: what could not be read as warnings, a row a source, what was found, one summary line.
struct ImportForm {
    var console: Console
    /// Nil: nothing is written, only told.
    var out: String?
    var verbose: Bool
    /// What holds the process that reads; nil: nothing does.
    var sandbox: String?
    private static let shownNotes = 8

    /// A recording of which a part is missing because a file broke off is no ground for a pass (trust.md T53).
    /// - Parameter isWritten: false when a recording was not asked for.
    static func reason(_ result: ImportRun.Result, isWritten: Bool = true) -> ExitReason {
        if isWritten ? result.hasRecording : result.counts.sessions > 0 { return result.failures.isEmpty ? .pass : .inconclusive }
        return result.failures.isEmpty ? .nothingExercised : .usage
    }

    static func complaint(_ error: ImportError) -> Complaint {
        Complaint(SafeText.show(error.sentence), details: details(error), exit: .usage)
    }

    /// When the process that read them could not say anything any more. By some signals it was ended from outside, or by a
    /// limit that somebody set; by any other it ended itself, which no capture may make it do.
    static func died(_ signal: Int32, _ files: [String], into out: String?) -> Complaint {
        let names = [
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL", SIGINT: "SIGINT", SIGKILL: "SIGKILL",
            SIGQUIT: "SIGQUIT", SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU",
            SIGXFSZ: "SIGXFSZ",
        ]
        let isOurs = ![0, SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU, SIGXFSZ].contains(signal)
        // What refuses another recording there is a recording that was begun.
        let begun = out.flatMap { out in (try? RecordingWriter.check(out)) == nil ? out : nil }
        let again = begun.map { "remove \($0) and " } ?? ""
        return Complaint(
            "the process that reads the captures ended before they did" + (isOurs ? ". This is a defect of miswire" : ""),
            details: [
                ("place", SafeText.show(files.joined(separator: ", "))), ("expected", "a recording of all of it"),
                ("found", "signal \(signal)" + (names[signal].map { " (\($0))" } ?? "") + ", " + (begun.map { "and a recording cut short in \(SafeText.show($0))" } ?? "and no recording")),
                ("remedy", SafeText.show(again) + (isOurs ? "report it with the capture" : signal == SIGKILL ? "import again; the kernel's log says if memory ran out" : "import again")),
            ], exit: isOurs ? .selfCheckFailed : .inconclusive)
    }

    /// How well the process that reads is held, where that is not what everyone expects.
    func tell(_ standing: EarlyImport.Standing, json: Bool) {
        for sentence in standing.warnings {
            if json {
                console.emit(JSONLine("warning", time: Console.utc()).adding("sentence", sentence))
            } else {
                console.talk(console.err.paint("warning:", .fault) + " \(sentence)\n")
            }
        }
        if verbose, !json, let sandbox { console.talk("sandbox  \(sandbox): open, socket, connect and exec were tried and are refused\n") }
    }

    private static func details(_ error: ImportError) -> [(label: String, text: String)] {
        let all = [("place", error.place), ("expected", error.expected), ("found", error.found), ("remedy", error.remedy)]
        return all.compactMap { label, text in text.map { (label, SafeText.show($0)) } }
    }

    func print(_ result: ImportRun.Result, took: Duration, reason: ExitReason, json: Bool) {
        if json { return printJSON(result, took, reason) }
        for line in talk(result) { console.talk(line + "\n") }
        console.answer(text(result, took: took, reason: reason))
    }

    /// Warnings and errors.
    func talk(_ result: ImportRun.Result) -> [String] {
        let notes = result.counts.notes
        let shown = verbose ? notes.count : min(notes.count, Self.shownNotes)
        var lines = notes.prefix(shown).map { console.err.paint("warning:", .fault) + " " + SafeText.show($0) }
        let rest = notes.count - shown + result.counts.unlisted
        if rest > 0 {
            let remedy = verbose || result.counts.unlisted >= rest ? "" : " (--verbose lists them)"
            lines.append(console.err.paint("warning:", .fault) + " \(Figures.count(rest)) more of these\(remedy)")
        }
        for failure in result.failures {
            lines.append(console.err.paint("error:", .fail) + " " + SafeText.show(failure.sentence))
            lines += Self.details(failure).map { "  " + $0.label.left(10) + $0.text }
        }
        return lines
    }

    func text(_ result: ImportRun.Result, took: Duration, reason: ExitReason) -> String {
        let counts = result.counts
        var rows: [String] = []
        for source in result.sources {
            let records = source.source.importer.records
            var row = source.source.importer.name.left(12)
            row += plural(source.summary.records, records.one, records.many) + ", \(Figures.bytes(source.summary.bytes))"
            if source.summary.skipped > 0 { row += ", \(Figures.count(source.summary.skipped)) passed over" }
            if source.summary.unreadable > 0 { row += ", \(Figures.count(source.summary.unreadable)) unreadable" }
            let names = source.source.paths.map { SafeText.show($0) }
            row += "   " + (names.count > 2 ? "\(names[0]) and \(names.count - 1) more" : names.joined(separator: " and "))
            rows.append("  " + row)
        }
        rows.append("  " + "sessions".left(12) + sessions(counts))
        if counts.sessions > 0 {
            var row = "\(Figures.count(counts.messagesToServer)) ▸   \(Figures.count(counts.messagesToClient)) ◂"
            row += "   over \(Figures.seconds(.nanoseconds(counts.span)))"
            rows.append("  " + "messages".left(12) + row)
        }
        if counts.gaps > 0 { rows.append("  " + "gaps".left(12) + gaps(counts)) }
        if let out, result.hasRecording {
            let next = console.out.paint("miswire check \(SafeText.show(out))", .paste)
            rows.append("  " + "recording".left(12) + "\(SafeText.show(out))   \(CheckForm.entries(counts.entries))   judge it with: \(next)")
        } else if out == nil, counts.sessions > 0 {
            rows.append("  " + "recording".left(12) + "none, as --record-mode says")
        } else {
            rows.append("  " + "recording".left(12) + "none: there is no WebSocket session in \(result.sources.count == 1 ? "it" : "them")")
        }
        let messages = plural(counts.messagesToServer &+ counts.messagesToClient, "message", "messages")
        let summary = "import  \(Figures.plural(counts.sessions, "session")), \(messages), \(Figures.seconds(took))"
        return rows.joined(separator: "\n") + "\n\n" + reason.ending(summary) + "\n"
    }

    private func sessions(_ counts: ImportCounts) -> String {
        var parts = ["\(Figures.count(counts.sessions)) on \(Figures.plural(counts.connections, "connection"))"]
        if counts.refused > 0 { parts.append("\(Figures.count(counts.refused)) refused") }
        if counts.begunBefore > 0 { parts.append("\(Figures.plural(counts.begunBefore, "connection")) had begun before the capture") }
        if counts.unfinished > 0 { parts.append("\(Figures.count(counts.unfinished)) without an end in it") }
        return parts.joined(separator: ", ")
    }

    private func gaps(_ counts: ImportCounts) -> String {
        var text = Figures.count(counts.gaps)
        if counts.missingBytes > 0 { text += ", at least \(Figures.bytes(counts.missingBytes)) missing" }
        if counts.torn > 0 { text += "; behind them \(Figures.plural(counts.torn, "session")) cannot be judged" }
        return text
    }

    private func plural(_ count: UInt64, _ one: String, _ many: String) -> String { "\(Figures.count(count)) \(count == 1 ? one : many)" }

    private func printJSON(_ result: ImportRun.Result, _ took: Duration, _ reason: ExitReason) {
        let time = Console.utc()
        for note in result.counts.notes { console.emit(JSONLine("warning", time: time).adding("sentence", note)) }
        for source in result.sources {
            var line = JSONLine("source", time: time).adding("format", source.source.importer.name)
                .adding("files", source.source.paths).adding("records", source.summary.records)
                .adding("bytes", source.summary.bytes).adding("skipped", source.summary.skipped)
                .adding("unreadable", source.summary.unreadable)
            if let failure = source.failure {
                line = line.adding("error", failure.sentence).adding("place", failure.place)
            }
            console.emit(line)
        }
        let counts = result.counts
        let line = JSONLine("summary", time: time).adding("verb", "import").adding("connections", counts.connections)
            .adding("begunBefore", counts.begunBefore).adding("sessions", counts.sessions)
            .adding("accepted", counts.accepted).adding("refused", counts.refused).adding("unfinished", counts.unfinished)
            .adding("toServer", counts.messagesToServer).adding("toClient", counts.messagesToClient)
            .adding("gaps", counts.gaps).adding("missingBytes", counts.missingBytes).adding("torn", counts.torn)
            .adding("entries", counts.entries).adding("warnings", counts.notes.count + counts.unlisted)
            .adding("recording", result.hasRecording ? out.map { .string($0) } ?? .null : .null)
            .adding("sandbox", sandbox.map { .string($0) } ?? .null)
            .adding("milliseconds", took.nanoseconds / 1_000_000).adding("exit", reason.code).adding("reason", reason.reason)
        console.emit(line)
    }
}

/// A ticker that readers may tell from wherever they read.
final class ImportTicker: Sendable {
    private let ticker: Mutex<Ticker>

    init(_ ticker: consuming sending Ticker) { self.ticker = Mutex(ticker) }

    func tell(_ read: ImportSummary) {
        ticker.withLock { $0.tell("import records=\(read.records) bytes=\(read.bytes)") }
    }

    func end() { ticker.withLock { $0.end() } }
}
