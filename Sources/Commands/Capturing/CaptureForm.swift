import Captures
import Reporting

/// What `miswire capture` says.
enum CaptureForm {
    /// Packets cannot be redacted, so the file of them is named as what it is.
    static func opening(_ options: LiveCapture.Options, out: String?, _ mode: RecordMode, as user: String) -> String {
        let what = options.filter.map { SafeText.show($0) } ?? "every packet"
        let targets = [
            options.write.map { "\(SafeText.show($0)) (packets as they are)" },
            out.map { "\(SafeText.show($0)) (\(mode.words))" },
        ].compactMap { $0 }.joined(separator: " and ")
        return "capture  \(SafeText.show(options.interface))    \(what)    into \(targets)    as \(SafeText.show(user))    Ctrl-C ends it\n"
    }

    static func awaits(_ keyLog: String) -> String {
        "capture  \(SafeText.show(keyLog)) is not there yet and is read as soon as it is\n"
    }

    static func trouble(_ sentence: String, as user: String) -> String {
        "warning: \(SafeText.show(sentence))\(sentence.hasSuffix("Permission denied") ? "; the capture belongs to \(user) by now" : "")\n"
    }

    static func progress(_ summary: LiveCapture.Summary) -> String { "capture \(numbers(summary))" }

    static func closing(_ summary: LiveCapture.Summary, took: Duration) -> String {
        "capture  \(numbers(summary)), \(Figures.duration(took))"
    }

    private static func numbers(_ summary: LiveCapture.Summary) -> String {
        let packets = Figures.plural(Int(clamping: summary.packets), "packet")
        let connections = Figures.plural(Int(clamping: summary.connections), "connection")
        return "\(packets), \(connections), \(Figures.count(summary.dropped)) dropped"
    }

    static func warnings(_ told: CaptureJob.Told, _ interface: String) -> [String] {
        var lines: [String] = []
        if told.live.dropped > 0 {
            let many = Figures.plural(Int(clamping: told.live.dropped), "packet")
            lines.append("\(interface): the kernel dropped \(many) because nobody took them in time; narrow the filter")
        }
        lines += told.counts.notes
        if told.counts.unlisted > 0 { lines.append("\(Figures.count(told.counts.unlisted)) more of these") }
        return lines
    }

    /// What was made, for standard output.
    static func files(_ told: CaptureJob.Told, write: String?, out: String?) -> String {
        var text = write.map { "\(SafeText.show($0))\n" } ?? ""
        if let out, told.hasRecording { text += "\(SafeText.show(out))\n" }
        return text
    }

    static func line(_ told: CaptureJob.Told, _ reason: ExitReason) -> JSONLine {
        JSONLine("summary", time: Console.utc()).adding("verb", "capture").adding("exit", reason.code)
            .adding("reason", reason.reason).adding("packets", told.live.packets).adding("bytes", told.live.bytes)
            .adding("dropped", told.live.dropped).adding("connections", told.live.connections)
            .adding("sessions", told.counts.sessions)
            .adding("messages", told.counts.messagesToServer &+ told.counts.messagesToClient)
    }
}
