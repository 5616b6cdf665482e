import Faults
import Journaling
import ProxyRuntime
import Reporting

/// What becomes of the faults of a running proxy with time: how long they may act, and when that is over.
struct FaultClock {
    /// Why no fault can act any more; nil while one can.
    enum End: Equatable {
        case expired(Duration)
        case spent(Int)
    }

    /// - Parameter since: how long the profile has been on.
    static func end(_ profile: Profile?, since: Duration, acted: Int) -> End? {
        let scopes = scopes(profile)
        guard let first = scopes.first else { return nil }
        if scopes.allSatisfy({ scope in scope.expires.map { $0 <= since } ?? false }) {
            return .expired(scopes.compactMap(\.expires).max() ?? first.expires ?? .zero)
        }
        if scopes.count == 1, let total = first.total, acted >= total { return .spent(total) }
        return nil
    }

    /// How long until every fault is over by itself; nil = never.
    static func left(_ profile: Profile?, since: Duration) -> Duration? {
        let ends = scopes(profile).map(\.expires)
        guard !ends.contains(nil), let last = ends.compactMap({ $0 }).max() else { return nil }
        return max(.zero, last - since)
    }

    /// Of what faults act by, without the announcement of them.
    private static func scopes(_ profile: Profile?) -> [Profile.Scope] {
        guard let profile else { return [] }
        var names: Set<String> = []
        return profile.faults.filter { $0.kind != Announce.name }.map { $0.scope ?? profile.scope }
            .filter { names.insert($0.name).inserted }
    }

    static func words(_ end: End, acted: Int) -> String {
        switch end {
        case .expired(let time): "off: \(span(time)) over, \(Figures.count(acted)) acted"
        case .spent(let total): "off: the budget of \(Figures.count(total)) is used up, \(Figures.count(acted)) acted"
        }
    }

    /// `10 min are`, `1 min is`
    private static func span(_ time: Duration) -> String {
        let seconds = time.components.seconds
        if seconds >= 3_600, seconds % 3_600 == 0 { return "\(seconds / 3_600) h \(seconds == 3_600 ? "is" : "are")" }
        if seconds >= 60, seconds % 60 == 0 { return "\(seconds / 60) min \(seconds == 60 ? "is" : "are")" }
        return "\(Figures.duration(time)) \(seconds == 1 ? "is" : "are")"
    }

    /// `8:41`, `1:02:03`
    static func countdown(_ left: Duration) -> String {
        let seconds = left.components.seconds
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
    }

    /// The line of the first that can act, and how many listeners more have such faults; empty when none can.
    static func pinned(_ on: [ListenerFaults], pid: Int32, _ style: Style) -> String {
        guard let first = on.first, let profile = first.profile else { return "" }
        let line = pinned(profile, since: first.age, pid: pid, style)
        return on.count == 1 ? line : line + style.paint(", on \(Figures.plural(on.count, "listener"))", .fault)
    }

    /// `◆ staging-safe, 2 faults, 8:41 left, kill -USR1 48213`
    static func pinned(_ profile: Profile, since: Duration, pid: Int32, _ style: Style) -> String {
        let faults = profile.faults.filter { $0.kind != Announce.name }.count
        let time = left(profile, since: since).map { "\(countdown($0)) left" } ?? "until stopped"
        return style.paint("◆ \(profile.name), \(Figures.plural(faults, "fault")), \(time), kill -USR1 \(pid)", .fault)
    }
}
