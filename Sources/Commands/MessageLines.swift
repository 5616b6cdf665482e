import Oracles
import Reporting

/// How each message was read, a line each: time, session, user, direction, name, entry, and what it means to the contract.
struct MessageLines {
    var console: Console
    var json: Bool

    func tell(_ reading: MessageReading) {
        if json { return console.emit(line(reading)) }
        let style = console.out
        var words: [String] = []
        if let label = reading.label { words.append(label) }
        if let answers = reading.answers { words.append("answers #\(answers)") }
        if let run = reading.run { words.append(run) }
        if let problem = reading.problem { words.append(problem) }
        let way = reading.direction == .toServer ? "▸" : "◂"
        let user = SafeText.cut(SafeText.show(reading.user), to: 8)
        let head = "\(Figures.time(reading.at, since: .zero).right(9))  \(reading.session.description.left(5)) \(user.left(8)) \(way) "
        let text = head + SafeText.show(reading.name).left(26) + " " + "#\(reading.number)".left(8) + " "
            + SafeText.show(words.joined(separator: ", "))
        let role: Style.Role? = reading.problem != nil || reading.name.hasPrefix("<") ? .fault : nil
        let plain = style.plainly(text.trimmed)
        console.answer((role.map { style.paint(plain, $0) } ?? plain) + "\n")
    }

    private func line(_ reading: MessageReading) -> JSONLine {
        var line = JSONLine("message", time: Console.utc()).adding("entry", reading.number)
            .adding("ms", .number(Figures.fixed(Double(reading.at.nanoseconds) / 1e6, digits: 3)))
            .adding("session", reading.session.description).adding("user", reading.user)
            .adding("to", reading.direction == .toServer ? "server" : "client").adding("name", reading.name)
        if let label = reading.label { line = line.adding("label", label) }
        if let answers = reading.answers { line = line.adding("answers", answers) }
        if let run = reading.run { line = line.adding("run", run) }
        if let problem = reading.problem { line = line.adding("problem", problem) }
        return line
    }
}
