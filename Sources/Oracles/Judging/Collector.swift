import Contracts
import Journaling

/// Joins violations of one cause into one finding, headed by the most specific property, and counts repeats.
struct Collector: Sendable {
    private struct Group: Sendable {
        var finding: Finding
        var rank: Int
        var isTold = false
    }
    struct Item: Sendable {
        var property: String
        var requirement: String
        var violation: Violation
    }

    /// More different findings than this are counted, not kept.
    static let limit = 1_000

    private var groups: [Group] = []
    private var byID: [String: Int] = [:]
    private var byCause = Fading<Evidence.Cause, Int>(capacity: 262_144)
    private(set) var dropped = 0
    private let contractFile: String

    init(contractFile: String) { self.contractFile = contractFile }

    var findings: [Finding] { groups.map(\.finding) }

    /// Findings that nobody was told of yet.
    mutating func takeNew() -> [Finding] {
        var new: [Finding] = []
        for index in groups.indices where !groups[index].isTold {
            groups[index].isTold = true
            new.append(groups[index].finding)
        }
        return new
    }

    /// All violations of one entry or one instant.
    mutating func add(_ items: [Item]) {
        let ordered = items.enumerated().sorted { left, right in
            let ranks = (PropertyRegistry.rank(left.element.property), PropertyRegistry.rank(right.element.property))
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : left.offset < right.offset
        }
        for item in ordered { add(item.element) }
    }

    private mutating func add(_ item: Item) {
        let rank = PropertyRegistry.rank(item.property)
        let causes = item.violation.evidence.causes
        guard let cause = causes.first(where: { byCause[$0] != nil }), let index = byCause[cause] else { return found(item, rank, also: []) }
        let head = groups[index].finding
        if rank >= groups[index].rank {
            if item.property != head.property { note(item.property, in: index) }
            return claim(causes, for: index)
        }
        if head.repeats > 1 {
            groups[index].finding.repeats -= 1
            return found(item, rank, also: [head.property])
        }
        byID[head.id] = nil
        let finding = finding(of: item, also: head.also + [head.property])
        if let known = byID[finding.id] {
            // The same cause as another one after all: this group gives up its place to it.
            let heir = known > index ? known - 1 : known
            groups.remove(at: index)
            reindex(without: index, heir)
            return fold(finding, into: heir, causes)
        }
        groups[index] = Group(finding: finding, rank: rank)
        byID[finding.id] = index
        claim(causes, for: index)
    }

    private mutating func found(_ item: Item, _ rank: Int, also: [String]) {
        let finding = finding(of: item, also: also)
        let causes = item.violation.evidence.causes
        if let known = byID[finding.id] { return fold(finding, into: known, causes) }
        guard groups.count < Self.limit else {
            dropped += 1
            return
        }
        byID[finding.id] = groups.count
        claim(causes, for: groups.count)
        groups.append(Group(finding: finding, rank: rank))
    }

    private mutating func fold(_ finding: Finding, into index: Int, _ causes: [Evidence.Cause]) {
        groups[index].finding.repeats += 1
        for property in finding.also { note(property, in: index) }
        claim(causes, for: index)
    }

    private mutating func note(_ property: String, in index: Int) {
        guard !groups[index].finding.also.contains(property), groups[index].finding.property != property else { return }
        groups[index].finding.also.append(property)
        groups[index].finding.also.sort { PropertyRegistry.rank($0) < PropertyRegistry.rank($1) }
    }

    private mutating func claim(_ causes: [Evidence.Cause], for index: Int) {
        for cause in causes { byCause.set(cause, index) }
    }

    /// - Parameter heir: takes its causes, at its place behind the removal.
    private mutating func reindex(without index: Int, _ heir: Int) {
        byID = [:]
        for (position, group) in groups.enumerated() { byID[group.finding.id] = position }
        byCause.transform { $0 == index ? heir : $0 > index ? $0 - 1 : $0 }
    }

    private func finding(of item: Item, also: [String]) -> Finding {
        let violation = item.violation
        let evidence = violation.evidence
        let print = ([item.property, violation.edge] + violation.types).joined(separator: "\n")
        return Finding(
            property: item.property, also: unique(also).filter { $0 != item.property },
            fingerprint: Digest.sha256Hex(print, digits: 6), sentence: violation.sentence,
            requirement: item.requirement, expected: violation.expected, found: violation.found,
            offending: evidence.offending, witness: Witness.cut(evidence.witness), sessions: unique(evidence.sessions),
            users: unique(evidence.users), instant: evidence.instant, caret: violation.caret,
            faults: Array(unique(evidence.faults).prefix(8)),
            contractFile: violation.line.file.isEmpty ? contractFile : violation.line.file,
            contractLine: violation.line.number)
    }
}

/// The first of equal ones, in order.
func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
    var seen: Set<Element> = []
    return elements.filter { seen.insert($0).inserted }
}

/// At most eight entries, the most telling ones, in the order of the journal.
enum Witness {
    static let limit = 8

    private struct Place: Hashable {
        var instant: Instant
        var loop: UInt16
        var sequence: UInt64
        var ref: EntryRef?
    }

    static func cut(_ entries: [Entry]) -> [Entry] {
        var seen: Set<Place> = []
        let kept = entries.filter { entry in
            seen.insert(
                Place(instant: entry.instant, loop: entry.loop, sequence: entry.sequence, ref: entry.ref)).inserted
        }
        return kept.prefix(limit).sorted {
            ($0.instant.nanoseconds, UInt64($0.loop), $0.sequence) < ($1.instant.nanoseconds, UInt64($1.loop), $1.sequence)
        }
    }
}
