import ArgumentParser
import Captures
import Journaling
import Reporting

/// `miswire recording forget --user U REC`
struct RecordingForget: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Remove one user everywhere, and prove it by reading it all again.",
        discussion: """
            miswire recording forget --user bob rec/
            miswire recording forget --user bob --also bob@example.com --also 4711 rec/

            Their sessions go, and those that bore their credential: all of them, where users share one. What names them
            elsewhere, by name, by --also or by the tag of a credential, is emptied; so is what faults moved from their
            sessions to others, and what nobody can search. The contract stays as it is. All is written beside the recording, read back and searched before it takes its place; interrupted,
            it is done by asking again. What is left of the recording is inconclusive at best: `check` says so.
            """)

    @Option(help: "The user's name, as `miswire recording show` tells it.")
    var user: String
    @Option(help: "Something else that names them: an address, an id. Can be given again.")
    var also: [String] = []
    @Argument(help: "A recording's directory.")
    var recording: String
    @OptionGroup var looks: Looks

    func validate() throws {
        for word in [user] + also where word.isEmpty || word.utf8.count > 256 {
            throw ValidationError("`miswire recording forget` needs a name of 1 to 256 bytes")
        }
    }

    func run() throws {
        let console = Console(looks: looks)
        var progress = Ticker(console: console, verb: "recording")
        do {
            let forgetter = Forgetter(user, others: also, in: recording)
            let told = try forgetter.run { progress.tell("recording forget entries=\($0)") }
            progress.end()
            let reason: ExitReason = told.isFound || told.resumed ? .pass : .nothingExercised
            if looks.json { console.emit(line(told, reason)) } else { console.answer(text(told, reason)) }
            throw Finished(reason)
        } catch let error as RecordingError {
            progress.end()
            let isOurs = error.sentence.hasPrefix("the removal cannot be proven")
            throw RecordingComplaint.of(error, exit: isOurs ? .selfCheckFailed : .usage)
        }
    }

    private func text(_ told: Forgetter.Told, _ reason: ExitReason) -> String {
        let name = SafeText.show(user)
        var rows: [String] = []
        if told.resumed { rows.append("finished".left(12) + "a removal that was interrupted before") }
        if told.isFound {
            let sessions = told.sessions.prefix(8).map { "\($0)" }.joined(separator: " ")
            let more = told.sessions.count > 8 ? " and \(told.sessions.count - 8) more" : ""
            rows.append("sessions".left(12) + Figures.plural(told.sessions.count, "session") + (sessions.isEmpty ? "" : ": \(sessions)\(more)"))
            rows.append("removed".left(12) + CheckForm.entries(told.removed))
            rows.append("emptied".left(12) + CheckForm.entries(told.emptied) + " of others that named \(name) or came from there")
            if told.hidden > 0 {
                rows.append("hidden".left(12) + CheckForm.entries(told.hidden) + " of others that cannot be searched are emptied too")
            }
            rows.append("reworded".left(12) + CheckForm.entries(told.reworded))
            let tags = told.tags == 0 ? "" : ", \(Figures.plural(told.tags, "tag"))"
            let words = Figures.plural(1 + also.count, "name")
            rows.append(
                "proof".left(12) + "\(Figures.plural(told.segments, "segment")) read back, \(CheckForm.entries(told.searched)) searched for \(words)\(tags): none found")
            rows.append("not touched".left(12) + "what was made of it before: exports, findings, reports, copies")
        } else if !told.resumed {
            rows.append("nobody".left(12) + "is called \(name) there, and nothing names them; nothing was changed")
        }
        if told.contractNames { rows.append("contract".left(12) + "says \(name) and stays as it is") }
        let summary = "recording  \(SafeText.show(recording))"
        return rows.map { "  " + $0 + "\n" }.joined() + "\n" + reason.ending(summary) + "\n"
    }

    private func line(_ told: Forgetter.Told, _ reason: ExitReason) -> JSONLine {
        JSONLine.summary("recording", reason, time: Console.utc()).adding("sessions", told.sessions.map { "\($0)" })
            .adding("removed", told.removed).adding("emptied", told.emptied).adding("hidden", told.hidden).adding("reworded", told.reworded)
            .adding("tags", told.tags).adding("segments", told.segments).adding("searched", told.searched)
            .adding("resumed", .bool(told.resumed)).adding("contractNames", .bool(told.contractNames))
    }
}

/// Errors of recordings as complaints.
enum RecordingComplaint {
    static func of(_ error: RecordingError, exit: ExitReason = .usage) -> Complaint {
        let all = [("place", error.place), ("expected", error.expected), ("found", error.found), ("remedy", error.remedy)]
        return Complaint(
            SafeText.show(error.sentence), details: all.filter { !$0.1.isEmpty }.map { (label: $0.0, text: SafeText.show($0.1)) }, exit: exit)
    }
}
