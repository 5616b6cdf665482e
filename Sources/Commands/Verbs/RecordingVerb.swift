package import ArgumentParser
import Captures
import Journaling
import Reporting
import Wire

/// `miswire recording`: what a recording holds, and what it shall hold no longer.
package struct RecordingVerb: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "recording", abstract: "Show what a recording holds, remove a user from it, delete what is too old.",
        discussion: """
            miswire recording show rec/
            miswire recording show rec/s31 --json
            miswire recording forget --user bob rec/
            miswire recording expire rec-*/
            """,
        subcommands: [RecordingShow.self, RecordingForget.self, RecordingExpire.self])
    package init() {}
}

/// `miswire recording show REC`
package struct RecordingShow: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Where it came from, and its sessions: who, when, how much, how each ended.")
    @Argument(help: "A recording's directory, one .ndjson or .ndjson.gz file, or RECORDING/SESSION.")
    var recording: String
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        do {
            var reader = try RecordingReader(recording)
            var tally = RecordingShowTally()
            var progress = Ticker(console: console, verb: "recording")
            while let entry = try reader.next() {
                tally.take(entry, reader.header.mode)
                if reader.entries.isMultiple(of: 50_000) { progress.tell("recording entries=\(reader.entries)") }
            }
            progress.end()
            for warning in reader.warnings { console.talk("warning: \(SafeText.show(warning))\n") }
            let reason: ExitReason = reader.isComplete ? .pass : .inconclusive
            let form = RecordingShowForm(header: reader.header, tally: tally, entries: reader.entries, reason: reason)
            if looks.json { form.lines().forEach { console.emit($0) } } else {
                console.answer(form.text(console.out, verbose: looks.verbose))
            }
            throw Finished(reason)
        } catch let error as RecordingError { throw RecordingComplaint.of(error) }
    }
}

/// What is counted of a recording's sessions.
struct RecordingShowTally {
    struct Session {
        var user: String?
        var path = ""
        var peer = ""
        var from = Instant.zero
        var until = Instant.zero
        var state = "–"
        var toServer = 0
        var toClient = 0
        var faults = 0
        /// Bytes are missing, or messages were not held.
        var isTorn = false
    }
    private(set) var sessions: [SessionID: Session] = [:]
    private(set) var last = Instant.zero

    /// - Parameter mode: of the recording; in `meta` no message is held, and nothing is torn for that.
    mutating func take(_ entry: Entry, _ mode: RecordingHeader.Mode = .redacted) {
        last = max(last, entry.instant)
        guard let id = entry.session else { return }
        var session = sessions[id] ?? Session(from: entry.instant)
        session.until = max(session.until, entry.instant)
        switch entry.body {
        case .opened(let opened): session.peer = opened.peer
        case .head(let head) where head.passage.direction == .toServer && session.path.isEmpty:
            if let request = try? RequestHead(head.bytes) { session.path = request.path }
        case .facts(let facts): session.user = session.user ?? facts.user
        case .became(.accepted): session.state = "open"
        case .became(.refused(let status)): session.state = "refused \(status)"
        case .became(.opaque): session.state = "opaque"
        case .frame(let frame): take(frame, mode, &session)
        case .bytes(let bytes): if bytes.kind == .missing { session.isTorn = true }
        case .fault: session.faults += 1
        case .ended(let end): if session.state == "open" { session.state = end.style == .reset ? "reset" : "ended" }
        default: break
        }
        sessions[id] = session
    }

    private func take(_ frame: FrameRecord, _ mode: RecordingHeader.Mode, _ session: inout Session) {
        if frame.frame.opcode == .close, session.state == "open" {
            let code = CloseBody(frame.frame.payload).code.map { String($0) } ?? "without code"
            session.state = "close \(code) by \(frame.passage.direction.source.rawValue)"
        }
        guard let message = frame.message, !message.opcode.isControl else { return }
        if frame.passage.direction == .toServer { session.toServer += 1 } else { session.toClient += 1 }
        if message.payload == nil, mode != .meta { session.isTorn = true }
    }
}

/// How `recording show` reads.
struct RecordingShowForm {
    let header: RecordingHeader
    let tally: RecordingShowTally
    let entries: UInt64
    let reason: ExitReason
    private static let most = 50

    private var sessions: [(SessionID, RecordingShowTally.Session)] {
        tally.sessions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func text(_ style: Style, verbose: Bool) -> String {
        func named(_ source: RecordingHeader.Source?) -> String { source.map { "\($0.name) \($0.hash)" } ?? "none" }
        let rows = [
            ("started", header.started), ("made by", "miswire \(header.program), \(header.mode.rawValue)"),
            ("purpose", header.purpose), ("holds", header.users.isEmpty ? "" : UsersScope.words(header.users)),
            ("kept for", header.retention?.words ?? ""),
            ("forgotten", header.forgotten == 0 ? "" : Figures.plural(header.forgotten, "user")), ("upstream", header.upstream), ("profile", named(header.profile)),
            ("contract", named(header.contract)), ("length", Figures.seconds(.nanoseconds(tally.last.nanoseconds))),
        ]
        var text = ""
        for (label, value) in rows where !value.isEmpty { text += "  " + label.left(10) + SafeText.show(value) + "\n" }
        var table = Columns([.init(7), .init(9, most: 24), .init(9), .init(9), .init(6), .init(6), .init(8), .init(24, most: 30)])
        table.add("session", "user", "from", "to", "▸", "◂", "faults", "end", "path")
        let shown = verbose ? sessions : Array(sessions.prefix(Self.most))
        for (id, session) in shown {
            table.add(
                "\(id)", SafeText.show(session.user ?? "–"), Figures.time(session.from, since: .zero),
                Figures.time(session.until, since: .zero), Figures.cell(session.toServer), Figures.cell(session.toClient),
                Figures.cell(session.faults), session.state + (session.isTorn ? ", torn" : ""), SafeText.show(session.path))
        }
        if !shown.isEmpty { text += "\n" + table.text(style) }
        let rest = sessions.count - shown.count
        if rest > 0 { text += "  \(Figures.plural(rest, "session")) more (--verbose lists them)\n" }
        let count = Figures.plural(sessions.count, "session")
        return text + "\n" + reason.ending("recording  \(count), \(CheckForm.entries(entries))") + "\n"
    }

    func lines() -> [JSONLine] {
        let time = Console.utc()
        var lines = sessions.map { id, session in
            JSONLine("session", time: time).adding("session", "\(id)").adding("user", session.user.map { .string($0) } ?? .null)
                .adding("path", session.path).adding("peer", session.peer).adding("from", session.from.nanoseconds)
                .adding("to", session.until.nanoseconds).adding("toServer", session.toServer)
                .adding("toClient", session.toClient).adding("faults", session.faults).adding("end", session.state)
                .adding("torn", .bool(session.isTorn))
        }
        lines.append(
            JSONLine.summary("recording", reason, time: time).adding("started", header.started).adding("mode", header.mode.rawValue)
                .adding("program", header.program).adding("purpose", header.purpose)
                .adding("retentionSeconds", header.retention?.seconds.map { .number("\($0)") } ?? .null)
                .adding("retentionBytes", header.retention?.bytes.map { .number("\($0)") } ?? .null)
                .adding("users", header.users).adding("imported", .bool(header.isImported)).adding("forgotten", header.forgotten)
                .adding("profile", header.profile.map { .string($0.name) } ?? .null)
                .adding("contract", header.contract.map { .string($0.name) } ?? .null)
                .adding("sessions", sessions.count).adding("entries", entries))
        return lines
    }
}
