/// Canonical text of a plan: columns as wide as their widest word, two blanks between them, comments at column 52.
enum PlanPrinter {
    static let commentColumn = 51
    static let dashes = String(repeating: "-", count: 88)

    static func text(of plan: Plan) -> String {
        var lines = ["miswire plan 1"]
        lines += plan.head.comments.map(comment)
        if let finding = plan.head.finding {
            let also = plan.head.also.isEmpty ? "" : "  also " + plan.head.also.joined(separator: ", ")
            lines.append("finding   " + finding + also)
        }
        if let found = plan.head.found { lines.append("found     " + found) }
        if let attribution = plan.head.attribution { lines.append("attrib    " + attribution) }
        lines.append(dashes)

        let nameWidth = plan.users.map(\.name.count).max() ?? 0
        for user in plan.users {
            lines += user.above.map(comment)
            lines.append("user  \(padded(user.name, nameWidth))  credential \(user.credential)")
        }
        let numberWidth = plan.steps.map { String($0.number).count }.max() ?? 0
        let actorWidth = plan.steps.map { actor($0).count }.max() ?? 0
        for step in plan.steps {
            lines += step.above.map(comment)
            let number = String(step.number)
            var line = String(repeating: " ", count: numberWidth - number.count) + number + "  "
            if step.user != nil { line += padded(actor(step), actorWidth) + "  " }
            line += words(step.verb)
            if let text = step.comment {
                line = padded(line, commentColumn - 2) + "  " + comment(text)
            }
            lines.append(line)
        }
        lines.append(plan.faults.isEmpty ? "faults none" : "faults")
        for fault in plan.faults {
            lines += fault.above.map(comment)
            lines.append(([fault.id, fault.kind] + fault.words.map(bare)).joined(separator: " "))
        }
        lines += plan.tail.map(comment)
        return lines.joined(separator: "\n") + "\n"
    }

    static func actor(_ step: Plan.Step) -> String {
        guard let user = step.user else { return "" }
        return step.connection.map { user + "." + $0 } ?? user
    }

    /// A verb with its operands, as in the plan's text; steps in reports read the same.
    static func words(_ verb: Plan.Verb) -> String {
        switch verb {
        case .connect(let path, let name, let headers):
            let name = name.map { " as " + $0 } ?? ""
            return "connect \(path)\(name)" + headers.map { " header \($0.name): \(value($0.value))" }.joined()
        case .send(let json): return "send " + json
        case .sendText(let text): return "send text " + quote(text)
        case .sendBytes(let bytes):
            return "send bytes" + hexWords(bytes)
        case .frames(let frames): return "frames " + frames.map(\.text).joined(separator: " ; ")
        case .until(let events, let bound):
            return "until \(events.joined(separator: " and ")) within \(PlanDuration.print(bound))"
        case .quiet(let length): return "quiet for " + PlanDuration.print(length)
        case .pauseReading: return "pause reading"
        case .cut(let style): return "cut " + style
        case .close(let code, let reason): return "close \(code)" + (reason.isEmpty ? "" : " " + quote(reason))
        case .reconnect(let cursor): return "reconnect" + (cursor.map { " cursor " + $0 } ?? "")
        case .together(let steps): return "together " + steps.map { String($0) }.joined(separator: ",")
        }
    }

    private static func comment(_ text: String) -> String { text.isEmpty ? "#" : "# " + text }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A header's value runs to the end of the line, a comment or the next `header`; what would be misread is quoted.
    private static func value(_ text: String) -> String {
        let plain =
            !text.isEmpty && !text.hasPrefix("\"") && !text.hasPrefix("#") && !text.hasPrefix(" ")
            && !text.hasSuffix(" ") && !mayBreak(text)
            && text.unicodeScalars.allSatisfy { $0.value > 0x1f && $0.value != 0x7f }
        return plain ? text : quote(text)
    }

    /// A word behind a blank that would not be read as part of the value, or a blank that would be lost.
    private static func mayBreak(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.indices.contains { index in
            guard bytes[index] == 0x20 else { return false }
            let rest = bytes[bytes.index(after: index)...]
            return rest.first == 0x20 || rest.first == UInt8(ascii: "#") || rest.starts(with: "header ".utf8)
        }
    }

    /// A word of a fault line; quoted when it would fall apart.
    static func bare(_ text: String) -> String {
        let plain =
            !text.isEmpty && !text.hasPrefix("\"") && !text.hasPrefix("#")
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
        return plain ? text : quote(text)
    }
}
