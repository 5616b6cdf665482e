package import Oracles

/// What one rerun says about a finding.
package enum Rerun: Sendable {
    /// The same property and fingerprint; as the rerun saw it.
    case shown(Finding)
    /// It was looked for and is not there; what else was found.
    case missing(others: [Finding])
    /// It can neither be said to be there nor not to be: the property was left open, the play was cut short, or the
    /// target did not answer. Such a rerun counts for nothing, but what else it found is found.
    case undecided(String, others: [Finding])

    /// - Parameters:
    ///   - isCut: the play was ended before its time.
    ///   - unreachable: connections that the target did not take, one phrase each.
    package init(
        of finding: Finding, _ judgement: Judgement, isCut: Bool = false, unreachable: [String] = []
    ) {
        if let same = judgement.findings.first(where: { Self.same($0, finding) }) {
            self = .shown(same)
            return
        }
        let others = judgement.findings
        if isCut {
            self = .undecided("the play was cut short", others: others)
        } else if let reason = unreachable.first {
            self = .undecided("the target does not answer: \(reason)", others: others)
        } else if let open = judgement.properties.first(where: { $0.id == finding.property && $0.inconclusive > 0 }) {
            self = .undecided(open.reasons.first ?? "\(finding.property) could not be decided", others: others)
        } else {
            self = .missing(others: others)
        }
    }

    package static func same(_ left: Finding, _ right: Finding) -> Bool {
        left.property == right.property && left.fingerprint == right.fingerprint
    }
}
