import Foundation
import Oracles
import Reporting
import Testing

@testable import Commands

/// Each recording of the corpus is judged by the code of `miswire check`, and there is none of which nobody says what it
/// must show. Counts are left out: they change when a recording is made anew.
@Suite struct CorpusTests {
    struct Expectation: Sendable {
        var exit: ExitReason
        /// Every property that is exercised.
        var verdicts: [String: Verdict]
        /// Fingerprints hold no payload bytes, so that a finding keeps its id.
        var findings: [String] = []
        var errorsDelivered = 0
        var sessions: Int
        var faultsActed: ClosedRange<Int> = 0...0
        /// How the summary line reads between its numbers and `exit N (reason)`; nil = so many properties hold.
        var summary: String?
    }

    static let expectations: [String: Expectation] = [
        // The sessions of users, and two of the player's looks whether anything listens.
        "three-users": Expectation(
            exit: .pass,
            verdicts: ["H1": .pass, "E1": .pass, "E2": .pass, "I1": .pass, "I2": .pass, "I3": .pass, "C1": .pass, "C2": .pass],
            sessions: 5),
        "five-errors": Expectation(
            exit: .pass,
            verdicts: [
                "H1": .pass, "E1": .pass, "E2": .pass, "E3": .pass, "E4": .pass, "E5": .pass, "I2": .pass, "I3": .pass,
                "A1": .pass, "C1": .pass, "C2": .pass,
            ], errorsDelivered: 5, sessions: 4),
        "delayed-accept": Expectation(
            exit: .pass,
            verdicts: ["H1": .pass, "E1": .pass, "E2": .pass, "I1": .pass, "I2": .pass, "I3": .pass, "C1": .pass, "C2": .pass],
            sessions: 6, faultsActed: 4...8),
        "crossed-pair": Expectation(
            exit: .pass,
            verdicts: [
                "H1": .pass, "E1": .pass, "E2": .pass, "E3": .pass, "E4": .pass, "E5": .pass, "I1": .pass, "I2": .pass,
                "I3": .pass, "C1": .pass, "C2": .pass,
            ], errorsDelivered: 2, sessions: 4, faultsActed: 2...40),
        "error-to-the-wrong-user": Expectation(
            exit: .violations,
            verdicts: [
                "H1": .pass, "E1": .pass, "E2": .pass, "E3": .inconclusive, "E4": .inconclusive, "E5": .pass, "I1": .pass,
                "I2": .fail, "I3": .pass, "C1": .pass, "C2": .pass,
            ], findings: ["I2-014635"], sessions: 4,
            summary: "I2 1, E3 1 inconclusive, E4 1 inconclusive"),
        "silent-error": Expectation(
            exit: .violations,
            verdicts: ["H1": .pass, "E1": .pass, "E2": .pass, "E3": .fail, "E4": .pass, "I1": .pass, "I2": .pass, "I3": .pass, "C1": .pass, "C2": .pass],
            findings: ["E3-61732e"], sessions: 4, summary: "E3 1"),
    ]

    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../corpus/recordings").standardizedFileURL

    static func recordings() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { !$0.hasPrefix(".") && !$0.hasSuffix(".plan") }
            .sorted()
    }

    @Test func everyRecordingHasAnExpectationAPlanAndAPurpose() throws {
        let names = try Self.recordings()
        #expect(names == Self.expectations.keys.sorted())
        let purposes = try String(
            contentsOf: Self.directory.appendingPathComponent("../README.md"), encoding: .utf8)
        for name in names {
            #expect(purposes.contains("| `\(name)` |"))
            #expect(FileManager.default.fileExists(atPath: Self.directory.appendingPathComponent(name + ".plan").path))
        }
    }

    @Test(arguments: expectations.keys.sorted()) func isJudgedAsItMust(_ name: String) throws {
        let expected = try #require(Self.expectations[name])
        let path = Self.directory.appendingPathComponent(name).path
        let read = try OfflineJudge(path, contract: nil).run { _ in }
        let judgement = read.judgement

        #expect(read.isComplete)
        #expect(read.warnings.isEmpty)
        #expect(judgement.toolErrors.isEmpty)
        #expect(read.reason == expected.exit)
        var verdicts: [String: Verdict] = [:]
        for property in judgement.properties { verdicts[property.id] = property.verdict }
        for (id, verdict) in expected.verdicts { #expect(verdicts[id] == verdict, "\(id)") }
        // What is not named may hold, if it was asked.
        #expect(verdicts.allSatisfy { expected.verdicts[$0.key] != nil || $0.value == .pass })
        let holding = judgement.properties.count { $0.verdict == .pass }
        #expect(judgement.findings.map(\.id) == expected.findings)
        #expect(judgement.errorsDelivered.count == expected.errorsDelivered)
        #expect(judgement.sessions == expected.sessions)
        #expect(expected.faultsActed.contains(judgement.faultsActed))

        // Judged again it says the same, and the last line is the one of looks.md section 4.
        #expect(try OfflineJudge(path, contract: nil).run { _ in }.judgement == judgement)
        let console = Console(colour: .never, ascii: false, environment: [:])
        let text = CheckForm(console: console, recording: "corpus/" + name, verbose: false)
            .text(read, took: .milliseconds(100), reason: read.reason)
        let entries = Figures.plural(Int(clamping: judgement.entries), "entry", "entries")
        #expect(
            text.split(separator: "\n").last.map(String.init)
                == expected.exit.ending(
                    "check  \(expected.sessions) sessions, \(entries), 0.1 s".left(46) + "  "
                        + (expected.summary ?? "\(holding) properties hold")))
        for id in expected.findings {
            #expect(text.contains("✗ fail[\(id.prefix { $0 != "-" })]") && text.contains("finding \(id)"))
            #expect(text.contains("--> corpus/\(name), session"))
        }
        if expected.findings.isEmpty { #expect(text.split(separator: "\n").count == 1) }
    }

    @Test(arguments: expectations.keys.sorted()) func holdsNoSecretAndNoPlaceOfThisMachine(_ name: String) throws {
        let folder = Self.directory.appendingPathComponent(name)
        var size = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            size += text.utf8.count
            for line in text.split(separator: "\n") {
                for part in [String(line)] + Self.decoded(line) {
                    #expect(!part.contains("eyJ") && !part.contains("/tmp/") && !part.contains("/home/") && !part.contains("/root/"))
                }
            }
        }
        #expect((1..<200_000).contains(size))
    }

    /// Bytes that stand in a line as base64.
    private static func decoded(_ line: Substring) -> [String] {
        line.components(separatedBy: "\"b64\":\"").dropFirst().compactMap { rest in
            Data(base64Encoded: String(rest.prefix { $0 != "\"" })).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
