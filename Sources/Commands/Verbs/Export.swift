package import ArgumentParser
import Captures
import Contracts
import Foundation
import Journaling
import Profiles
import Reporting
import Wire

/// `miswire export RECORDING --format har|pcapng|ndjson|plan|html`: a recording in a form that others read.
package struct Export: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a recording in a form that others read.",
        discussion: """
            miswire export rec/ --format har --out trace.har
            miswire export rec/ --format ndjson --frames
            miswire export rec/ --format plan --session s31

            """ + formats.map { "  \($0.name.left(8))\($0.summary)" }.joined(separator: "\n"))

    @Argument(help: "A recording's directory, one .ndjson file, or RECORDING/SESSION.")
    var recording: String
    @Option(help: "The form: \(Export.formats.map { $0.name }.joined(separator: ", ")).")
    var format: String
    @Option(help: "The file to write; for plans also a directory that ends in /. Default: standard output.")
    var out: String?
    @Option(help: "Only this session: s31.")
    var session: String?
    @Flag(help: "Control frames and the bits of frames, where the form can hold them.")
    var frames = false
    @OptionGroup var root: RootOptions
    @OptionGroup var looks: Looks

    package init() {}

    static var formats: [any Exporter.Type] { ExporterRegistry.all + [HTMLExporter.self] }

    package func run() async throws {
        try root.check("export")
        let console = Console(looks: looks)
        guard let exporter = Export.formats.first(where: { $0.name == format }) else {
            throw Complaint(
                "no form is called `\(SafeText.show(format))`",
                details: [("expected", Export.formats.map { $0.name }.joined(separator: ", "))], exit: .usage)
        }
        guard !looks.json || out != nil else {
            throw Complaint(
                "with --json the export goes to a file", details: [("remedy", "name it with --out")], exit: .usage)
        }
        let source = ExportSource(recording, session: try named())
        do {
            let summary = try write(source, exporter)
            throw Finished(report(summary, exporter, console))
        } catch let error as RecordingError {
            throw Export.complaint(error)
        }
    }

    private func named() throws -> SessionID? {
        guard let session else { return nil }
        guard session.hasPrefix("s"), let number = UInt32(session.dropFirst()), "s\(number)" == session else {
            throw Complaint(
                "`\(SafeText.show(session))` is no session", details: [("expected", "a name such as s31")], exit: .usage)
        }
        return SessionID(number)
    }

    private func write(_ source: ExportSource, _ exporter: any Exporter.Type) throws -> ExportSummary {
        let options = ExportOptions(frames: frames)
        if exporter.name == PlanExporter.name { return try plans(source, options) }
        guard let out else {
            guard exporter.isText || isatty(STDOUT_FILENO) == 0 else {
                throw Complaint(
                    "\(exporter.name) is no text for a terminal", details: [("remedy", "write it to a file with --out")], exit: .usage)
            }
            return try exporter.write(source, options: options, to: ExportStream())
        }
        let file = try ExportFile(out)
        let summary = try exporter.write(source, options: options, to: file)
        try file.finish()
        return summary
    }

    /// One plan to a file or to standard output, several into a directory.
    private func plans(_ source: ExportSource, _ options: ExportOptions) throws -> ExportSummary {
        let header = try RecordingReader(source.path).header
        let contract = try header.contract.map { try ContractLoader.parse(text: $0.text, file: $0.name + ".yaml") }
        let lifted = try PlanExporter.lift(source, contract: contract, limits: options.limits)
        guard let out, out.hasSuffix("/") else {
            let text = Array(try PlanExporter.only(lifted, source).text.utf8)
            guard let out else {
                try ExportStream().write(text)
                return lifted.summary
            }
            let file = try ExportFile(out)
            try file.write(text)
            try file.finish()
            return lifted.summary
        }
        try FileManager.default.createDirectory(
            atPath: out, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for plan in lifted.plans {
            let file = try ExportFile(out + plan.name)
            try file.write(Array(plan.text.utf8))
            try file.finish()
        }
        return lifted.summary
    }

    /// What was written is the answer; beside an answer on standard output this is talk.
    private func report(_ summary: ExportSummary, _ exporter: any Exporter.Type, _ console: Console) -> ExitReason {
        for warning in summary.warnings { console.talk("warning: \(SafeText.show(warning))\n") }
        for sentence in summary.left.prefix(20) { console.talk("not in it: \(SafeText.show(sentence))\n") }
        if summary.left.count > 20 { console.talk("not in it: \(Figures.count(summary.left.count - 20)) more\n") }
        let reason: ExitReason = summary.sessions == 0 ? .nothingExercised : .pass
        let nouns = exporter.name == PlanExporter.name ? ("step", "steps") : ("message", "messages")
        let text = "export  \(Figures.plural(summary.sessions, "session")), \(Figures.plural(summary.messages, nouns.0, nouns.1)), "
            + "\(exporter.name)\(out.map { " in \(SafeText.show($0))" } ?? "")"
        let line = reason.ending(text) + "\n"
        if looks.json, out != nil {
            console.emit(
                JSONLine("summary", time: Console.utc()).adding("verb", "export").adding("format", exporter.name)
                    .adding("sessions", summary.sessions).adding("messages", summary.messages).adding("left", summary.left)
                    .adding("complete", .bool(summary.isComplete)).adding("exit", reason.code).adding("reason", reason.reason))
        } else if out != nil {
            console.answer(line)
        } else {
            console.talk(line)
        }
        return reason
    }

    static func complaint(_ error: RecordingError) -> Complaint {
        let details = [("place", error.place), ("expected", error.expected), ("found", error.found), ("remedy", error.remedy)]
        return Complaint(
            SafeText.show(error.sentence), details: details.filter { !$0.1.isEmpty }.map { ($0.0, SafeText.show($0.1)) },
            exit: .usage)
    }
}
