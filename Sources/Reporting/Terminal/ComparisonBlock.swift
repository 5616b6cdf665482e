package import Journaling
package import Plans

/// Sessions of a recording beside what came of them now (looks.md section 4): a row each, and what differs below it.
package struct ComparisonBlock {
    private let sessions: [SessionComparison]
    /// Lines about a session that no difference tells, such as a property that fails elsewhere.
    private let notes: [SessionID: [String]]
    package static let mostDifferences = 50
    /// Where sentences about a message stand.
    private static let sentenceColumn = 50

    package init(_ sessions: [SessionComparison], notes: [SessionID: [String]] = [:]) {
        self.sessions = sessions
        self.notes = notes
    }

    package func text(_ style: Style) -> String {
        let names = sessions.map { "\($0.session)".count }.max() ?? 0
        let users = sessions.map { user($0).count }.max() ?? 0
        func width(_ value: (SessionComparison) -> Int) -> Int {
            sessions.map { Figures.count(value($0)).count }.max() ?? 1
        }
        let widths = (
            width(\.messages), width(\.same), width(\.changed), width(\.missing), width(\.extra)
        )
        // `1 message` stands among `14 messages`.
        let noun = sessions.contains { $0.messages != 1 } ? "messages".count : "message".count
        var text = ""
        for session in sessions {
            let counted =
                Figures.count(session.messages).right(widths.0) + " " + (session.messages == 1 ? "message" : "messages").left(noun)
            text += "  " + "\(session.session)".left(names) + " " + style.paint(user(session).left(users), .name)
            text += "   " + counted
            text += "   SAME " + Figures.count(session.same).left(widths.1)
            text += "   " + figure("CHANGED", session.changed, widths.2, style)
            text += "   " + figure("MISSING", session.missing, widths.3, style)
            text += "   " + figure("EXTRA", session.extra, widths.4, style)
            text += "     \(Figures.seconds(session.recordedLength)) recorded, \(Figures.seconds(session.nowLength)) now\n"
            for difference in session.differences.prefix(Self.mostDifferences) { text += lines(difference, style) }
            let more = session.differences.count - Self.mostDifferences
            if more > 0 { text += "  … and \(Figures.plural(more, "more difference"))\n" }
            for note in notes[session.session] ?? [] { text += "  " + style.paint("FAILS", .failName) + "    " + note + "\n" }
        }
        return text
    }

    private func user(_ session: SessionComparison) -> String { SafeText.brief(session.user ?? "–", to: 32) }

    private func figure(_ word: String, _ value: Int, _ width: Int, _ style: Style) -> String {
        let text = word + " " + Figures.count(value).left(width)
        return value > 0 ? style.paint(text, .fail) : text
    }

    private func lines(_ difference: Difference, _ style: Style) -> String {
        let word = style.paint(difference.kind.rawValue.left("CHANGED".count), .failName)
        let fails = difference.property.map { "   " + style.paint("\($0) fails", .fail) } ?? ""
        var text = "  " + word + "  " + Self.head(difference) + fails + "\n"
        guard let diff = difference.diff else { return text }
        let room = max(20, style.width - 7)
        let sentence = difference.kind == .changed ? SafeText.show(difference.sentence) + "; ids and times are not compared" : ""
        for (index, line) in diff.lines.enumerated() {
            var shown = SafeText.brief(line.text, to: room)
            var prefix = index == 0 ? "      " : "       "
            if line.mark != .both {
                prefix = "    " + (line.mark == .now ? "+" : "-") + "  "
                shown = style.paint(shown, line.mark == .now ? .pass : .fail)
            }
            let plain = prefix.count + SafeText.brief(line.text, to: room).count
            text += prefix + shown
            if index == diff.lines.count - 1, !sentence.isEmpty {
                let start = max(Self.sentenceColumn, plain + 2)
                text +=
                    start + sentence.count <= max(style.width, 100)
                    ? String(repeating: " ", count: start - plain) + sentence : "\n       " + sentence
            }
            text += "\n"
        }
        return text
    }

    /// `#9 tool_completed, 0.612 s after the same request (recorded 0.598)`
    package static func head(_ difference: Difference) -> String {
        let title = SafeText.brief(difference.title, to: 64)
        let sentence = SafeText.brief(difference.sentence, to: 160)
        guard difference.subject == .message else {
            let isCredential = difference.status == 401 || difference.status == 403
            return "\(title): \(sentence)" + (isCredential ? " (credential?)" : "")
        }
        let name = "#\(difference.number) \(title)"
        switch difference.kind {
        case .changed:
            guard let took = difference.took, let recorded = difference.recordedTook else { return name }
            return "\(name), \(thousandths(took)) s after the same request (recorded \(thousandths(recorded)))"
        case .missing:
            guard let bound = difference.bound else { return "\(name), \(sentence)" }
            let from = difference.after.map { "#\($0)" } ?? "its request"
            let recorded = difference.recordedTook.map { " (recorded after \(short($0)))" } ?? ""
            return "\(name), expected by \(short(bound)) after \(from)\(recorded)"
        case .extra:
            let behind = difference.number > 0 ? " after #\(difference.number)" : ""
            let took = difference.took.map { ", \(thousandths($0)) s after its request" } ?? ""
            return title + behind + took
        }
    }

    private static func thousandths(_ duration: Duration) -> String {
        Figures.fixed(Double(duration.nanoseconds) / 1e9, digits: 3)
    }

    /// `3.1 s`, and `0.004 s` for what a tenth does not show.
    private static func short(_ duration: Duration) -> String {
        duration < .milliseconds(50) ? thousandths(duration) + " s" : Figures.seconds(duration)
    }
}
