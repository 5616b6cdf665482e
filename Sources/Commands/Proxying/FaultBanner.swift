import Faults
import Foundation
import Journaling
import ProxyRuntime
import Reporting

/// What a running proxy says about the faults it carries: how many, on whom, until when, and how to stop them all.
struct FaultBanner {
    private let text: String

    /// Nil when no fault can act.
    init?(_ profile: Profile?, started: Date, pid: Int32) {
        guard let profile, !profile.faults.isEmpty else { return nil }
        let scope = profile.scope
        let until = scope.expires.map { started.addingTimeInterval(Double($0.nanoseconds) / 1e9) }
        let announcing = profile.faults.contains { $0.kind == Announce.name }
        let count = profile.faults.filter { $0.kind != Announce.name }.count
        var words = "\(Figures.plural(count, "fault")) on \(Self.share(scope.share)) of connections"
        if !scope.paths.isEmpty { words += " under " + scope.paths.map { SafeText.show($0.text) }.joined(separator: ", ") }
        if !scope.users.isEmpty { words += " of " + scope.users.map { SafeText.show($0.text) }.joined(separator: ", ") }
        if let total = scope.total { words += ", no more than \(Figures.plural(total, "time"))" }
        words += until.map { ", off at \(Self.time($0))" } ?? ", until stopped"
        if announcing { words += ", announced to clients" }
        let head = "  ◆ FAULTS ON  "
        text = Columns.wrapped(
            "\(profile.name) \(profile.hash): \(words). Stop all: kill -USR1 \(pid)", label: head, width: 96)
    }

    func text(_ style: Style) -> String {
        text.split(separator: "\n").map { style.paint(String($0), .fault) }.joined(separator: "\n")
    }

    private static func share(_ share: Double) -> String {
        let percent = share * 100
        return Figures.fixed(percent, digits: percent < 1 ? 2 : percent == percent.rounded() ? 0 : 1) + " %"
    }

    private static func time(_ date: Date) -> String {
        let parts = Calendar.current.dateComponents([.hour, .minute, .second], from: date)
        return [parts.hour, parts.minute, parts.second].map { part in
            let value = part ?? 0
            return value < 10 ? "0\(value)" : "\(value)"
        }.joined(separator: ":")
    }
}
