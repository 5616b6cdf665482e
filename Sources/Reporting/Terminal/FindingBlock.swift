package import Journaling
import NIOCore
package import Oracles
import Wire

/// One finding with its diagram, taps, message, expectation, attribution and replay line (looks.md section 1).
package struct FindingBlock: Sendable {
    package var finding: Finding
    /// The stage or profile under which it was found.
    package var stage: String
    /// When the stage began: times are seconds since.
    package var start: Instant
    /// The whole command, pasteable; nil where nothing can be replayed.
    package var replay: String?

    package init(_ finding: Finding, stage: String, start: Instant = .zero, replay: String?) {
        self.finding = finding
        self.stage = stage
        self.start = start
        self.replay = replay
    }

    package func text(_ style: Style) -> String {
        var blocks = [heading(style), Diagram(Sketch(finding)).text(style, since: start)]
        blocks += [taps(), message()].filter { !$0.isEmpty }.map(style.plainly)
        blocks.append(style.plainly(reasons(style)))
        return blocks.joined(separator: "\n") + "\n"
    }

    private func heading(_ style: Style) -> String {
        let also = finding.also.isEmpty ? "" : "also " + finding.also.joined(separator: " ")
        let title = "✗ fail[\(finding.property)] \(SafeText.show(finding.sentence))"
        let times = "\(Figures.count(finding.repeats))×"
        // As in the two headings of looks.md: without `also` the count stands four columns further right.
        let line = also.isEmpty ? title.left(73) : (title.left(48) + "  " + also).left(69)
        let gap = line.count > (also.isEmpty ? 73 : 69) ? "  " : ""
        let full = line + gap + times.right(4) + "   finding \(finding.id)"
        let sessions = finding.sessions.map(\.description).joined(separator: " and ")
        let word = finding.sessions.count == 1 ? "session" : "sessions"
        var place = "  --> \(stage), \(word) \(sessions)"
        if finding.contractLine > 0 { place += ", contract \(finding.contractFile):\(finding.contractLine)" }
        return style.paint(style.plainly(full), .failName) + "\n" + style.plainly(SafeText.show(place)) + "\n"
    }

    private func taps() -> String {
        var lines = ["  taps          Cin         Sout        Sin         Cout"]
        for entry in named() {
            guard let (passage, word) = described(entry), let session = entry.session else { continue }
            var line = "  " + "#\(entry.number) \(word)".left(14)
            for tap in Tap.allCases {
                let cell = passage.instant(at: tap).map { "\(Figures.time($0, since: start)) \(session)" } ?? "–"
                line += cell.left(12)
            }
            let user = userName(of: session)
            let way = passage.direction == .toServer ? "\(user) ▸ server" : "server ▸ \(user)"
            lines.append((line + way.left(17) + label(entry)).trimmed)
        }
        return lines.count > 1 ? lines.joined(separator: "\n") + "\n" : ""
    }

    /// Only what the sentence names: the offending entry and what caused it, messages before upgrades.
    func named() -> [Entry] {
        let messages = finding.witness.filter { if case .frame = $0.body { true } else { false } }
        return messages.isEmpty ? finding.witness : messages
    }

    func userName(of session: SessionID) -> String {
        guard let index = finding.sessions.firstIndex(of: session), index < finding.users.count else {
            return session.description
        }
        return SafeText.show(finding.users[index])
    }

    func described(_ entry: Entry) -> (Passage, String)? {
        switch entry.body {
        case .frame(let record):
            let request = record.passage.direction == .toServer
            return (record.passage, request ? "request" : label(entry) == "error" ? "error" : "event")
        case .head(let head): return (head.passage, head.passage.direction == .toServer ? "upgrade" : "answer")
        default: return nil
        }
    }

    func label(_ entry: Entry) -> String {
        if case .frame(let record) = entry.body { return Sketch.frameLabel(record) }
        return ""
    }

    /// The offending message in full, with a caret under the value that is the point.
    private func message() -> String {
        guard let entry = shownEntry(), case .frame(let record) = entry.body, let session = entry.session,
            let payload = record.message?.payload ?? Optional(record.frame.payload)
        else { return "" }
        let tap = record.passage.direction == .toServer ? "Sout" : "Sin"
        let kind = record.message?.opcode == .binary ? "binary" : "text"
        var lines = ["  #\(entry.number) at \(tap) on \(session), \(kind), \(Figures.count(payload.readableBytes)) bytes"]
        let text = SafeText.show(bytes: payload.readableBytesView.prefix(2_048))
        var carets = entry.ref == finding.offending ? Carets(finding, payload: payload).all[...] : []
        for line in wrapped(text, width: 92) {
            lines.append("    " + line)
            while let caret = carets.first, let column = caret.column(in: line) {
                let label = SafeText.show(caret.label).shortened(to: 40)
                lines.append("    " + String(repeating: " ", count: column) + caret.mark + " " + label)
                carets = carets.dropFirst()
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    func shownEntry() -> Entry? {
        if let offending = finding.offending { return finding.witness.first { $0.ref == offending } }
        return finding.witness.last {
            if case .frame = $0.body { true } else { false }
        }
    }

    /// Broken at commas so that a member stays whole where it can.
    private func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for piece in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            let next = line.isEmpty ? piece : line + "," + piece
            if next.count > width, !line.isEmpty {
                lines.append(line + ",")
                line = " " + piece
            } else {
                line = next
            }
        }
        return (lines + [line]).map { SafeText.cut($0, to: width) }
    }

    private func reasons(_ style: Style) -> String {
        let faults = FaultLines(finding).lines
        let rows =
            [("requirement", SafeText.show(finding.requirement)), ("expected", SafeText.show(finding.expected)),
                ("found", SafeText.show(finding.found))]
            + (faults.isEmpty ? ["none"] : faults).enumerated().map { ($0 == 0 ? "faults" : "", $1) }
            + [("attribution", Self.words(finding.attribution))]
        var lines = rows.map { Columns.wrapped($1, label: "  " + $0.left(13), width: max(60, style.width)) }
        if let replay { lines.append("  replay with: " + style.paint(replay, .paste)) }
        return lines.joined(separator: "\n") + "\n"
    }

    package static func words(_ attribution: Attribution) -> String {
        switch attribution {
        case .unattributed: "unattributed: no rerun decided it"
        case .intrinsic(let failed, let of): "intrinsic: \(failed) of \(of) with no fault"
        case .faultExposed(let ids, let failed, let of, let without):
            "fault-exposed: needs \(ids.joined(separator: " and ")), \(failed) of \(of) with, 0 of \(without) without"
        case .flaky(let failed, let of): "flaky: \(failed) of \(of)"
        }
    }
}

extension FindingBlock {
    /// For a plan's head: `intrinsic, 5 of 5`.
    package static func short(_ attribution: Attribution) -> String {
        switch attribution {
        case .unattributed: "unattributed"
        case .intrinsic(let failed, let of): "intrinsic, \(failed) of \(of)"
        case .faultExposed(_, let failed, let of, _): "fault-exposed, \(failed) of \(of)"
        case .flaky(let failed, let of): "flaky, \(failed) of \(of)"
        }
    }
}

extension Influence.Excuse {
    package var words: String {
        switch self {
        case .greetingDeadline: "the greeting deadline"
        case .success: "a missing success"
        case .routing: "routing as the sender sees it"
        case .completion: "completion of that run"
        case .delivery: "delivery on the client ledger"
        case .deadline: "deadlines by what was held"
        case .ending: "runs open when it acted"
        }
    }
}
