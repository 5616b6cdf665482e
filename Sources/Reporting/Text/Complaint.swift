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

    /// The exit words stand at the end of the last line, as in looks.md.
    package func text(_ style: Style) -> String {
        var lines = ["error: " + sentence]
        lines += details.map { "  " + $0.label.left(10) + $0.text }
        let ending = exit.words
        let last = lines.removeLast()
        let gap = max(2, 82 - last.count - ending.count)
        lines.append(last + String(repeating: " ", count: gap) + ending)
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
}
