/// The live board of `miswire fuzz`, eight rows, and its two shorter forms (looks.md section 3).
package struct Board: Sendable {
    package var figures: BoardFigures
    package init(_ figures: BoardFigures) { self.figures = figures }

    /// Below this stability results are shown with a warning colour; below the second, feedback is off.
    private static let shaky = 85.0
    private static let useless = 60.0
    private static let stale = Duration.seconds(120)

    /// Exactly eight lines, each at most min(width, 100) columns, without line ends; the last is the one-line form.
    package func rows(_ style: Style) -> [String] {
        [time(style), speed, coverage, stability, mutators, mustReject, findings, short].map { $0.text(style) }
    }

    /// `fuzz 04:12/10:00 stateful  537/s  2,914 features  97.1 % stable  2 findings  5:48 left`
    package func line(_ style: Style) -> String { short.text(style) }

    /// One line every 10 s for logs:
    /// `fuzz t=252 phase=stateful execs=73575 rate=537 features=2914 stability=97.1 findings=2 left=348`
    package func plain(_ style: Style) -> String {
        let stability = figures.stability.map { Figures.fixed($0, digits: 1) } ?? "–"
        let rate = Figures.rate(figures.executionsPerSecond).filter { $0 != "," }
        let phase = figures.phase.map { $0 == " " ? "-" : String($0) }.joined()
        var words = [
            "fuzz", "t=\(figures.elapsed.components.seconds)", "phase=\(phase)", "execs=\(figures.executions)",
            "rate=\(rate)", "features=\(figures.features)", "stability=\(stability)",
            "findings=\(figures.findings.count)", "left=\(figures.left.map { String($0.components.seconds) } ?? "–")",
        ]
        if let down = figures.downSince { words.append("down=\(down.components.seconds)") }
        return style.plainly(SafeText.show(words.joined(separator: " ")))
    }

    private func time(_ style: Style) -> Row {
        let total = figures.total.map(Clock.full) ?? "–"
        let head = " \(Clock.full(figures.elapsed)) of \(total)   phase \(figures.phaseNumber) of \(figures.phaseCount) \(figures.phase)   "
        let since = figures.sinceNewFeature.map { Clock.words($0) + " ago" } ?? "–"
        let tail = "last new feature \(since)"
        // The bar gives way to a long name or a narrow terminal.
        let room = Row.width(style) - head.count - 3 - tail.count
        var row = Row(head)
        if room >= 5 { row.add(bar(min(25, room)) + "   ") }
        row.add(tail, (figures.sinceNewFeature ?? .zero) >= Self.stale ? .time : nil)
        return row
    }

    private func bar(_ cells: Int) -> String {
        var share = figures.done ?? 0
        if figures.done == nil, let total = figures.total, total > .zero { share = figures.elapsed / total }
        let bounded = share.isFinite ? min(1, max(0, share)) : 0
        let halves = Int((bounded * Double(cells * 2)).rounded(.down))
        let full = String(repeating: "█", count: halves / 2) + (halves.isMultiple(of: 2) ? "" : "▌")
        return full + String(repeating: "░", count: cells - full.count)
    }

    private var speed: Row {
        var row = Row(label: "speed")
        row.add("\(Figures.rate(figures.executionsPerSecond)) executions/s   \(Figures.rate(figures.messagesPerSecond)) messages/s   ")
        if let down = figures.downSince {
            row.add("target down for \(Clock.words(down))", .fail)
        } else {
            row.add("target p99 \(figures.targetP99.map(Figures.duration) ?? "–")")
        }
        let cpu = figures.proxyCPU == nil ? "–" : Figures.rate(figures.proxyCPU) + " %"
        row.add("   proxy cpu \(cpu)")
        return row
    }

    private var coverage: Row {
        Row(
            label: "coverage",
            "\(Figures.plural(figures.features, "feature")) (+\(Figures.count(figures.featuresPerMinute))/min)   "
                + "\(Figures.plural(figures.edges, "state edge"))   "
                + "corpus \(Figures.count(figures.corpus)), \(Figures.count(figures.favoured)) favoured")
    }

    private var stability: Row {
        var row = Row(label: "stability")
        let (role, note) = grade
        row.add(Figures.share(figures.stability) + note, role)
        row.add(
            "   flaky \(Figures.count(figures.flaky))   reconnects \(Figures.count(figures.reconnects))   "
                + "target restarts \(Figures.count(figures.restarts))")
        return row
    }

    private var grade: (Style.Role?, String) {
        guard let stability = figures.stability, stability < Self.shaky else { return (nil, "") }
        return stability < Self.useless ? (.fail, ", feedback off") : (.fault, "")
    }

    private var mutators: Row {
        let shares = figures.energies.map { "\($0.name) \($0.share)" }
        return Row(label: "mutators", shares.isEmpty ? "–" : shares.joined(separator: "   ") + "  (% of energy)")
    }

    private var mustReject: Row {
        let counts = figures.mustReject
        let text =
            " must-reject \(Figures.count(counts.sent)) sent   \(Figures.count(counts.answered)) answered   "
            + "\(Figures.count(counts.missed)) missed"
        let kinds = figures.errorKinds == 0 ? "–" : "\(figures.errorsDelivered)/\(figures.errorKinds)"
        return Row(text.left(59) + "   errors delivered \(kinds)")
    }

    private var findings: Row {
        var groups: [(property: String, count: Int, seen: Int)] = []
        for finding in figures.findings {
            if let index = groups.firstIndex(where: { $0.property == finding.property }) {
                groups[index].count += 1
                groups[index].seen += finding.seen
            } else {
                groups.append((finding.property, 1, finding.seen))
            }
        }
        var row = Row(label: "findings")
        let shown = groups.map { "\($0.property) \(Figures.count($0.count)) (\(Figures.count($0.seen))×)" }
        let list = shown.isEmpty ? "" : ": " + shown.joined(separator: "   ")
        row.add(Figures.count(figures.findings.count) + list, groups.isEmpty ? nil : .fail)
        var tail = "   confirming \(Figures.count(figures.confirming))   shrinking "
        if let shrinking = figures.shrinking {
            tail += "\(shrinking.number) of \(shrinking.of) (\(shrinking.from) → \(Figures.plural(shrinking.to, "step")))"
        } else {
            tail += "0"
        }
        row.add(tail)
        return row
    }

    private var short: Row {
        let total = figures.total.map(Clock.full) ?? "–"
        var row = Row("fuzz \(Clock.full(figures.elapsed))/\(total) \(figures.phase)  \(Figures.rate(figures.executionsPerSecond))/s  ")
        if let down = figures.downSince { row.add("target down for \(Clock.words(down))  ", .fail) }
        row.add("\(Figures.plural(figures.features, "feature"))  ")
        let (role, note) = grade
        row.add("\(Figures.share(figures.stability)) stable\(note)", role)
        row.add("  ")
        let count = figures.findings.count
        row.add(Figures.plural(count, "finding"), count > 0 ? .fail : nil)
        row.add("  \(figures.left.map(Clock.short) ?? "–") left")
        return row
    }
}

/// Pieces of one line, some painted, cut as a whole.
private struct Row {
    private var pieces: [(text: String, role: Style.Role?)] = []

    static func width(_ style: Style) -> Int { max(1, min(style.width, 100)) }

    init(_ text: String) { add(text) }
    init(label: String, _ text: String = "") {
        add((" " + label).left(12))
        add(text)
    }

    mutating func add(_ text: String, _ role: Style.Role? = nil) { pieces.append((text, role)) }

    func text(_ style: Style) -> String {
        let plain = pieces.map { (text: style.plainly(SafeText.show($0.text)), role: $0.role) }
        let cut = style.plainly("…").prefix(Self.width(style))
        let all = plain.reduce(0) { $0 + $1.text.count }
        var room = Self.width(style)
        let isCut = all > room
        if isCut { room = max(0, room - cut.count) }
        var shown = ""
        for piece in plain {
            let part = String(piece.text.prefix(room))
            room -= part.count
            shown += piece.role.map { style.paint(part, $0) } ?? part
        }
        return isCut ? shown + cut : shown
    }
}
