/// Sums judgements of several runs of one session of work, so that one table and one list of findings stand at the end.
package struct Tally: Sendable {
    package private(set) var judgement = Judgement()
    private var kinds: Set<String> = []

    package init() {}

    package mutating func add(_ other: Judgement) {
        for summary in other.properties { add(summary) }
        for finding in other.findings { add(finding) }
        judgement.toolErrors += other.toolErrors.prefix(max(0, 1_000 - judgement.toolErrors.count))
        judgement.errorKinds = other.errorKinds.isEmpty ? judgement.errorKinds : other.errorKinds
        kinds.formUnion(other.errorsDelivered)
        judgement.errorsDelivered = judgement.errorKinds.filter(kinds.contains)
        judgement.sessions += other.sessions
        judgement.runs += other.runs
        judgement.entries += other.entries
        judgement.pending += other.pending
        judgement.faultsActed += other.faultsActed
        for note in other.notes where judgement.notes.count < 100 && !judgement.notes.contains(note) {
            judgement.notes.append(note)
        }
    }

    private mutating func add(_ summary: PropertySummary) {
        guard let index = judgement.properties.firstIndex(where: { $0.id == summary.id }) else {
            judgement.properties.append(summary)
            return
        }
        judgement.properties[index].checked += summary.checked
        judgement.properties[index].passed += summary.passed
        judgement.properties[index].excused += summary.excused
        judgement.properties[index].inconclusive += summary.inconclusive
        judgement.properties[index].failed += summary.failed
        judgement.properties[index].excuses += summary.excuses.prefix(max(0, 8 - judgement.properties[index].excuses.count))
        judgement.properties[index].reasons += summary.reasons.prefix(max(0, 8 - judgement.properties[index].reasons.count))
        if summary.notApplicable == nil { judgement.properties[index].notApplicable = nil }
    }

    /// The same cause seen again is the same finding, seen once more.
    private mutating func add(_ finding: Finding) {
        if let index = judgement.findings.firstIndex(where: { $0.id == finding.id }) {
            judgement.findings[index].repeats += finding.repeats
        } else {
            judgement.findings.append(finding)
        }
    }
}
