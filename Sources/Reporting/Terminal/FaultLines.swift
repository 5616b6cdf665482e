import Journaling
import Oracles

/// The faults in a finding's window, each once however often it acted:
/// `f1 accept-delay 400 ms on s1 at Cout: may excuse the greeting deadline, not I2, E3`.
struct FaultLines {
    private struct Group {
        var first: FaultRecord
        var details: [String]
        var sessions: [SessionID]
        var count: Int
    }
    private var groups: [Group] = []
    private let properties: String

    init(_ finding: Finding) {
        properties = ([finding.property] + finding.also).joined(separator: ", ")
        for fault in finding.faults {
            let detail = fault.detail.replacingHead("101 held ", with: "")
            let at = groups.firstIndex {
                ($0.first.id, $0.first.kind, $0.first.tap) == (fault.id, fault.kind, fault.tap)
                    && $0.first.influence.excuses == fault.influence.excuses
            }
            guard let at else {
                let sessions = fault.on.map { [$0.session] } ?? []
                groups.append(Group(first: fault, details: [detail], sessions: sessions, count: 1))
                continue
            }
            groups[at].count += 1
            if !groups[at].details.contains(detail) { groups[at].details.append(detail) }
            if let session = fault.on?.session, !groups[at].sessions.contains(session) { groups[at].sessions.append(session) }
        }
    }

    var lines: [String] {
        groups.prefix(4).map { group in
            let fault = group.first
            let detail = group.details.prefix(2).map { SafeText.show($0) }.joined(separator: ", ")
            let more = group.details.count > 2 ? ", …" : ""
            let on = group.sessions.isEmpty ? "" : " on " + group.sessions.prefix(3).map(\.description).joined(separator: ", ")
            let times = group.count > 1 ? ", \(Figures.count(group.count))×" : ""
            let excuses = fault.influence.excuses.map(\.words).joined(separator: ", ")
            let may = excuses.isEmpty ? "excuses nothing" : "may excuse \(excuses)"
            return "\(fault.id) \(fault.kind) \(detail)\(more)\(on) at \(fault.tap.rawValue)\(times): \(may), not \(properties)"
        }
    }
}
