import Foundation
import Journaling
import NIOCore
import Testing

@testable import Oracles

/// Journals that are kept as files, with what every property says of them: a passing, a failing, an inconclusive and an
/// excused one of each. Where nothing excuses, the fourth shows that a fault on that very connection moves nothing.
/// `MISWIRE_GOLDEN=write swift test --filter GoldenTests` writes what is missing from the stories of `PropertyStories`;
/// what is there is never written again: to change it, delete it.
@Suite struct GoldenTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    private static let isWriting = ProcessInfo.processInfo.environment["MISWIRE_GOLDEN"] == "write"

    private enum Kind: String, CaseIterable {
        case pass, fail, inconclusive, excused, unmoved

        var verdict: Verdict {
            switch self {
            case .pass: .pass
            case .fail, .unmoved: .fail
            case .inconclusive: .inconclusive
            case .excused: .excused
            }
        }

        func story(_ stories: PropertyStories) -> PropertyStories.Story? {
            switch self {
            case .pass: stories.kept
            case .fail: stories.violated
            case .inconclusive: stories.undecided
            case .excused: stories.excused
            case .unmoved: stories.excused == nil ? stories.unmoved : nil
            }
        }
    }

    @Test(arguments: PropertyRegistry.all.map { $0.id })
    func everyVerdictHasItsJournal(id: String) throws {
        let stories = try #require(PropertyStories.all[id])
        let folder = Self.folder.appending(path: id)
        for kind in Kind.allCases {
            guard let story = kind.story(stories) else { continue }
            let journal = folder.appending(path: "\(kind.rawValue).ndjson")
            let expected = folder.appending(path: "\(kind.rawValue).txt")
            if Self.isWriting, !FileManager.default.fileExists(atPath: journal.path()) {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Self.encoded(story, until: kind == .inconclusive ? 500 : 100_000).write(to: journal)
                try Data(Self.text(try Self.judged(journal), id).utf8).write(to: expected)
            }
            let judgement = try Self.judged(journal)
            #expect(judgement.summary(id).verdict == kind.verdict, "\(id) \(kind)")
            let text = try String(contentsOf: expected, encoding: .utf8)
            #expect(Self.text(judgement, id) == text, "\(id) \(kind)")
        }
    }

    /// Behind its last entry stands a tick: until then the journal was kept.
    private static func encoded(_ story: PropertyStories.Story, until end: Double) -> Data {
        var transcript = Transcript()
        story(&transcript)
        var entries = inOrder(transcript.entries)
        let last = UInt64(entries.count) + 1
        entries.append(
            Entry(number: last, instant: Transcript.instant(end), loop: 0, sequence: last, ref: nil, body: .tick(crowded: 0)))
        var buffer = ByteBuffer()
        for (index, entry) in entries.enumerated() {
            var entry = entry
            entry.number = UInt64(index) + 1
            EntryCodec.encode(entry, into: &buffer)
        }
        return Data(buffer.readableBytesView)
    }

    private static func judged(_ journal: URL) throws -> Judgement {
        var judge = Judge(contract: AgentChat.contract)
        var end = Instant.zero
        let lines = try Data(contentsOf: journal).split(separator: 0x0a)
        try #require(!lines.isEmpty)
        for (index, line) in lines.enumerated() {
            let decoded = try EntryCodec.decode(ByteBuffer(bytes: line), place: LinePlace(journal.path(), line: index + 1))
            guard case .entry(let entry) = decoded else { continue }
            judge.observe(entry)
            end = max(end, entry.instant)
        }
        // Stories leave out what makes a ledger whole.
        return withoutToolErrors(judge.conclude(at: end))
    }

    /// What people would read, and nothing that a refactoring may change.
    private static func text(_ judgement: Judgement, _ id: String) -> String {
        var lines: [String] = []
        for summary in judgement.properties where summary.checked > 0 {
            let counts =
                "checked \(summary.checked)  pass \(summary.passed)  excused \(summary.excused)  "
                + "inconclusive \(summary.inconclusive)  fail \(summary.failed)"
            lines.append("\(summary.id)  \(counts)")
            lines += summary.excuses.map { "    excused: \($0)" } + summary.reasons.map { "    inconclusive: \($0)" }
        }
        for finding in judgement.findings {
            lines.append("")
            lines.append("\(finding.id)" + (finding.also.isEmpty ? "" : "  also \(finding.also.joined(separator: " "))") + "  \(finding.repeats)×")
            lines.append("    \(finding.sentence)")
            lines.append("    requirement: \(finding.requirement)")
            lines.append("    expected: \(finding.expected)")
            lines.append("    found: \(finding.found)")
            lines.append("    witness: \(finding.witness.map { "#\($0.number)" }.joined(separator: " "))")
            lines.append("    faults: \(finding.faults.isEmpty ? "none" : finding.faults.map(\.id).joined(separator: " "))")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
