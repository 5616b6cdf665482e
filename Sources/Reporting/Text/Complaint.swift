/// One error as people read it: what is wrong in one sentence, then labelled lines (looks.md section 4).
package struct Complaint: Error, Sendable, Equatable {
    package var sentence: String
    /// `tried`, `by`, `remedy` ... and their texts, in order.
    package var details: [(label: String, text: String)]
    package var exit: ExitReason

    package init(_ sentence: String, details: [(label: String, text: String)] = [], exit: ExitReason) {
        self.sentence = sentence
        self.details = details
        self.exit = exit
    }

    package static func == (lhs: Complaint, rhs: Complaint) -> Bool {
        lhs.sentence == rhs.sentence && lhs.exit == rhs.exit
            && lhs.details.elementsEqual(rhs.details) { $0.label == $1.label && $0.text == $1.text }
    }

    /// The exit words stand at the end of the last line, as in looks.md; what is long goes on below its label.
    package func text(_ style: Style) -> String {
        var lines = ["error: " + sentence]
        for detail in details {
            for (index, part) in Columns.broken(detail.text, to: max(40, style.width - 14)).enumerated() {
                lines.append("  " + (index == 0 ? detail.label : "").left(10) + part)
            }
        }
        lines.append(exit.ending(lines.removeLast()))
        lines[0] = style.paint("error:", .fail) + lines[0].dropFirst("error:".count)
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }
}

/// Exit codes of fuzzing.md with the words of looks.md section 0.
package enum ExitReason: Sendable, Hashable, CaseIterable {
    case pass, violations, inconclusive, nothingExercised, targetUnreachable, usage, selfCheckFailed, interrupted

    package var code: Int32 {
        switch self {
        case .pass: 0
        case .violations: 1
        case .inconclusive: 2
        case .nothingExercised, .targetUnreachable: 3
        case .usage: 4
        case .selfCheckFailed: 5
        case .interrupted: 130
        }
    }
    package var reason: String {
        switch self {
        case .pass: "pass"
        case .violations: "violations"
        case .inconclusive: "inconclusive"
        case .nothingExercised: "nothing exercised"
        case .targetUnreachable: "target unreachable"
        case .usage: "usage"
        case .selfCheckFailed: "self-check failed"
        case .interrupted: "interrupted"
        }
    }
    package var words: String { "exit \(code) (\(reason))" }

    /// A last line with `exit N (reason)` behind it, in the column in which looks.md has these words.
    package func ending(_ line: String) -> String {
        let column =
            switch self {
            case .pass: 85
            case .violations: 80
            case .inconclusive: 77
            case .nothingExercised: 66
            case .targetUnreachable: 64
            case .usage: 84
            case .selfCheckFailed: 72
            case .interrupted: 76
            }
        return line.left(column - 2) + "  " + words
    }
}
