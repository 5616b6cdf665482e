import Journaling
import Oracles
import ProxyRuntime
import Reporting

/// One event as columns: time 12, session 4, user 8, event 8, what, detail from column 70.
struct ProxyRow {
    var session: String
    var user: String
    var word: String
    var what: String
    var detail: String
    var role: Style.Role?
    /// These are never folded.
    var isLoud: Bool { isTold || word == "clear" }
    /// These are shown whatever is left out.
    var isTold: Bool { ["FAIL", "TOOL", "ALERT", "deleted"].contains(word) }

    init(_ event: RuntimeEvent) {
        session = event.session?.description ?? "–"
        user = SafeText.show(event.user ?? "–")
        (word, what, detail, role) = Self.words(event.kind)
    }

    /// The line of the kill switch.
    static func faultsStopped() -> ProxyRow { ProxyRow(word: "faults", what: "off: stopped by a signal", role: .fault) }

    /// A line that concerns the whole proxy.
    init(_ word: String, _ what: String, detail: String = "") {
        self.init(word: word, what: what, detail: detail, role: .fault)
    }

    private init(word: String, what: String, detail: String = "", role: Style.Role?) {
        (session, user, self.word, self.what, self.detail, self.role) = ("–", "–", word, what, detail, role)
    }

    private static func words(_ kind: RuntimeEvent.Kind) -> (String, String, String, Style.Role?) {
        func place(_ peer: String, _ path: String?) -> String { peer + (path.map { " " + SafeText.show($0) } ?? "") }
        switch kind {
        case .open(let total, let server, let peer, let path):
            let own = server.map { ", server \(Figures.duration($0))" } ?? ""
            return ("open", "101 in \(Figures.duration(total))\(own)", place(peer, path), nil)
        case .opaque(let why, let peer): return ("opaque", SafeText.show(why), peer, nil)
        case .refused(let status, let total, let faults, let path, let isExpected):
            let by = faults.isEmpty
                ? SafeText.show(path ?? "") : faults.joined(separator: " ") + (isExpected ? ", as expected ✓" : "")
            return ("refused", "\(status) in \(Figures.duration(total))", by, nil)
        case .failed(let why, let peer, let path): return ("failed", SafeText.show(why), place(peer, path), .fail)
        case .fault(let fault):
            let note = fault.applied ? "" : "not applied: "
            return ("fault", "\(fault.id) \(fault.kind)", note + SafeText.show(fault.detail), .fault)
        case .close(let closing): return close(closing)
        case .limit(let limit): return ("limit", limit.id, SafeText.show(limit.detail), .excused)
        case .violation(let finding):
            return ("FAIL", "\(finding.property) \(SafeText.show(finding.sentence))", cause(finding), .failName)
        case .toolError(let difference): return ("TOOL", SafeText.show(difference.sentence), "", .excused)
        case .alert(let change):
            return (change.isClear ? "clear" : "ALERT", AlertLines.words(change), "", change.isClear ? .pass : .fail)
        case .profileStopped(let acted): return ("faults", "off: \(Figures.count(acted)) acted", "", .fault)
        case .segmentDeleted(let what): return ("deleted", SafeText.show(what), "", .excused)
        case .recordingFailed(let why): return ("ALERT", "the recording failed", SafeText.show(why), .fail)
        }
    }

    /// `#4414, cause #4413 s31`: the offending entry, and what of whom caused it.
    private static func cause(_ finding: Finding) -> String {
        let messages = finding.witness.filter { if case .frame = $0.body { true } else { false } }
        let offending = finding.witness.first { $0.ref != nil && $0.ref == finding.offending }
        let cause = messages.last { $0.number != offending?.number && $0.session == finding.sessions.first }
        let words = [
            offending.map { "#\($0.number)" },
            cause.map { "cause #\($0.number)" + ($0.session.map { " \($0)" } ?? "") },
        ].compactMap { $0 }
        return words.isEmpty ? finding.id : words.joined(separator: ", ")
    }

    private static func close(_ closing: RuntimeEvent.Closing) -> (String, String, String, Style.Role?) {
        // Whether there was a Close knows only who reads the frames.
        let code = closing.code.map(String.init) ?? (closing.messagesToServer == nil ? "ended" : "no Close")
        let by = closing.by.map { " by \($0.rawValue)" } ?? ""
        var detail = ""
        if let up = closing.messagesToServer, let down = closing.messagesToClient { detail = "\(up) ▸ \(down) ◂, " }
        return ("close", "\(code)\(by) after \(Figures.duration(closing.lasted))", detail + Figures.bytes(closing.bytes), nil)
    }

    func text(_ style: Style, clock: String) -> String {
        let name = user.count > 8 ? user.prefix(7) + "…" : user
        let head = "\(style.paint(clock, .time))  \(session.left(4)) \(String(name).left(8)) "
        let event = role.map { style.paint(word.left(8), $0) } ?? word.left(8)
        // The detail stands in a column of its own, or three spaces behind what is longer than that.
        let gap = what.count < 30 ? what.left(31) : detail.isEmpty ? what : what + "   "
        return style.plainly("\(head)\(event) \(gap)\(detail)").trimmed + "\n"
    }
}
