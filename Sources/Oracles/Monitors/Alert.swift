package import Journaling

/// A live monitor says that something goes wrong, from one instant to another. It accuses nobody and changes no exit code;
/// what is broken for certain is a violation (`Finding`).
package struct Alert: Sendable, Equatable {
    /// How much it matters, worst first (incidents.md I5).
    package enum Severity: String, Sendable, Hashable, CaseIterable { case critical, high, warning }

    /// The monitor's id, as in the contract: `event-rate`.
    package var monitor: String
    /// `event rate`
    package var name: String
    package var severity: Severity
    /// Whom it concerns, when it is one connection.
    package var session: SessionID?
    package var user: String?
    package var began: Instant
    /// `7/min with 4 runs active, needs 10`
    package var words: String
    /// Nil while it fires.
    package var cleared: Instant?
    /// Why it does not any more: `24/min`.
    package var clearing: String?
}

/// An alert opened, or cleared (`alert.cleared`).
package struct AlertChange: Sendable, Equatable {
    package var alert: Alert
    package init(alert: Alert) { self.alert = alert }
    package var isClear: Bool { alert.cleared != nil }
    package var instant: Instant { alert.cleared ?? alert.began }
}

/// Where one monitor stands.
package struct MonitorStatus: Sendable, Equatable {
    package var id: String
    package var name: String
    package var severity: Alert.Severity
    /// False: the contract turns it off, or says nothing that it could watch.
    package var isOn: Bool
    /// Alerts that are open, and all that ever were.
    package var firing = 0
    package var alerts = 0
    /// What would be alerts, were not as many open as are told at a time.
    package var untold = 0

    package init(id: String, name: String, severity: Alert.Severity, isOn: Bool, firing: Int = 0, alerts: Int = 0) {
        self.id = id
        self.name = name
        self.severity = severity
        self.isOn = isOn
        self.firing = firing
        self.alerts = alerts
    }
}

/// Opens and clears alerts; knows each one's subject by a number of its monitor's own (0 = the whole proxy).
struct AlertBook: Sendable {
    /// Alerts of one monitor at a time; what is beyond is counted.
    static let mostOpen = 16
    /// Alerts that are remembered for the end of the run.
    static let mostKept = 1_000

    private struct Key: Hashable {
        var monitor: Int
        var subject: UInt64
    }
    /// Whose turn it is, by its place among `statuses`.
    var speaker = 0
    /// What the monitors' clock is behind the journal's, for the time in which nobody looked.
    var shift: Duration = .zero
    private(set) var statuses: [MonitorStatus] = []
    /// In the order in which they began; an open one is changed in place.
    private(set) var alerts: [Alert] = []
    /// Counted from the first alert ever: numbers of the open ones, and of those that are remembered, in their order.
    private var open: [Key: Int] = [:]
    private var numbers: [Int] = []
    private var count = 0
    private var news: [AlertChange] = []

    mutating func enrol(_ status: MonitorStatus) { statuses.append(status) }

    func isOpen(_ subject: UInt64 = 0) -> Bool { isFiring && open[Key(monitor: speaker, subject: subject)] != nil }

    /// Looked at first: most of the time none of a monitor's is open.
    private var isFiring: Bool { !open.isEmpty && statuses.indices.contains(speaker) && statuses[speaker].firing > 0 }

    /// - Parameter counts: false: it was counted as untold before.
    /// - Returns: false when it was not told, because too many are open: whoever has more to say asks again.
    @discardableResult
    mutating func open(
        _ words: String, subject: UInt64 = 0, of card: ConnectionCard? = nil, at now: Instant, counts: Bool = true
    ) -> Bool {
        guard !isOpen(subject), statuses.indices.contains(speaker) else { return true }
        guard statuses[speaker].firing < Self.mostOpen else {
            if counts { statuses[speaker].untold += 1 }
            return false
        }
        if !counts { statuses[speaker].untold -= 1 }
        statuses[speaker].firing += 1
        statuses[speaker].alerts += 1
        let status = statuses[speaker]
        let alert = Alert(
            monitor: status.id, name: status.name, severity: status.severity, session: card?.session, user: card?.user,
            began: now.advanced(by: shift), words: words)
        count += 1
        open[Key(monitor: speaker, subject: subject)] = count
        numbers.append(count)
        alerts.append(alert)
        news.append(AlertChange(alert: alert))
        forget()
        return true
    }

    /// - Parameter words: put together only for an alert that is open.
    mutating func clear(_ words: @autoclosure () -> String, subject: UInt64 = 0, at now: Instant) {
        guard isFiring, let number = open.removeValue(forKey: Key(monitor: speaker, subject: subject)) else { return }
        statuses[speaker].firing -= 1
        guard let place = place(of: number) else { return }
        alerts[place].cleared = now.advanced(by: shift)
        alerts[place].clearing = words()
        news.append(AlertChange(alert: alerts[place]))
    }

    private func place(of number: Int) -> Int? {
        var (low, high) = (0, numbers.count)
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < numbers.count && numbers[low] == number ? low : nil
    }

    /// The oldest go, but no open one: there are few of those.
    private mutating func forget() {
        while alerts.count > Self.mostKept, let place = alerts.firstIndex(where: { $0.cleared != nil }) {
            alerts.remove(at: place)
            numbers.remove(at: place)
        }
    }

    mutating func takeNews() -> [AlertChange] {
        if news.isEmpty { return [] }
        defer { news.removeAll() }
        return news
    }
}
