import Journaling
package import Plans
import Wire

/// A comparison as NDJSON: one line a session, one a difference; the summary is the verb's own.
package enum ComparisonLines {
    package static func lines(_ sessions: [SessionComparison], time: String) -> [JSONLine] {
        var lines: [JSONLine] = []
        for session in sessions {
            lines.append(line(session, time))
            lines += session.differences.map { line($0, of: session, time) }
        }
        return lines
    }

    /// Times in microseconds.
    private static func line(_ session: SessionComparison, _ time: String) -> JSONLine {
        JSONLine("session", time: time).adding("session", "\(session.session)").adding("user", session.user ?? "")
            .adding("messages", session.messages).adding("same", session.same).adding("changed", session.changed)
            .adding("missing", session.missing).adding("extra", session.extra)
            .adding("recorded", session.recordedLength.nanoseconds / 1_000)
            .adding("took", session.nowLength.nanoseconds / 1_000)
    }

    private static func line(_ difference: Difference, of session: SessionComparison, _ time: String) -> JSONLine {
        var line = JSONLine("difference", time: time).adding("session", "\(session.session)")
            .adding("user", session.user ?? "").adding("what", difference.kind.rawValue)
            .adding("message", difference.number).adding("name", difference.title)
            .adding("sentence", difference.sentence).adding("text", ComparisonBlock.head(difference))
        if let property = difference.property { line = line.adding("property", property) }
        if let took = difference.took { line = line.adding("took", took.nanoseconds / 1_000) }
        if let recorded = difference.recordedTook { line = line.adding("recorded", recorded.nanoseconds / 1_000) }
        if let diff = difference.diff {
            line = line.adding(
                "diff",
                .array(
                    diff.lines.map { part in
                        let mark = part.mark == .both ? " " : part.mark == .now ? "+" : "-"
                        return .object([
                            .init(key: "mark", value: .string(mark)), .init(key: "text", value: .string(part.text)),
                        ])
                    }))
        }
        return line
    }
}
