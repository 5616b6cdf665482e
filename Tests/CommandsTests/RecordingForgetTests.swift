import Foundation
import Testing

@testable import Commands

/// `miswire recording forget` and `expire`, as users call them.
@Suite struct RecordingForgetTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/corpus/recordings/"

    private static func copy(_ name: String, _ body: (String) async throws -> Void) async throws {
        try await Program.inDirectory { path in
            try FileManager.default.copyItem(atPath: corpus + name, toPath: path + "/rec")
            try await body(path + "/rec")
        }
    }

    private static func text(_ rec: String) throws -> String {
        try FileManager.default.contentsOfDirectory(atPath: rec).map { try String(contentsOfFile: rec + "/" + $0, encoding: .utf8) }.joined()
    }

    @Test(arguments: ["three-users", "crossed-pair", "error-to-the-wrong-user"]) func oneUserIsGone(name: String) async throws {
        try await Self.copy(name) { rec in
            #expect(try Self.text(rec).contains("bob"))
            let told = try await Program.run(["recording", "forget", "--user", "bob", rec])
            #expect(told.code == 0, "\(told.err)")
            #expect(told.out.contains("removed     ") && told.out.contains("none found"), "\(told.out)")
            let left = try Self.text(rec)
            #expect(left.firstRange(of: #/[^a-z0-9]bob[^a-z0-9]/#) == nil)
            #expect(left.contains("alice"))
            let shown = try await Program.run(["recording", "show", rec])
            #expect(shown.out.contains("forgotten 1 user") && !shown.out.contains("bob"), "\(shown.out)")
            let judged = try await Program.run(["check", rec])
            #expect(judged.code == 2 || judged.code == 1, "\(judged.err)")
            #expect(judged.err.contains("a user was removed from the recording"))
        }
    }

    @Test func nobodyIsNothingExercised() async throws {
        try await Self.copy("crossed-pair") { rec in
            let told = try await Program.run(["recording", "forget", "--user", "zoe", rec, "--json"])
            #expect(told.code == 3 && told.outLines.last?.contains(#""removed":0"#) == true, "\(told.out)")
            let wrong = try await Program.run(["recording", "forget", "--user", "zoe", rec + "/none"])
            #expect(wrong.code == 4 && wrong.err.contains("remedy"))
        }
    }

    @Test func expiryTellsEachFile() async throws {
        try await Self.copy("crossed-pair") { rec in
            let silent = try await Program.run(["recording", "expire", rec])
            #expect(silent.code == 0 && silent.err.contains("its header names no retention"), "\(silent.err)")
            let old = Date(timeIntervalSinceNow: -7_200)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: rec + "/0001.ndjson")
            let trial = try await Program.run(["recording", "expire", "--dry-run", "--retain", "1h", rec])
            let lines = try await Program.run(["recording", "expire", "--dry-run", "--retain", "1h", rec, "--json"])
            #expect(lines.out.contains("would go") && !lines.out.contains("is deleted"), "\(lines.out)")
            #expect(trial.code == 0 && trial.out.contains("0001.ndjson would go: the recording is kept for 1 h"), "\(trial.out)")
            let kept = try await Program.run(["recording", "expire", "--retain", "3h", rec])
            #expect(kept.out.contains("0 segments deleted"))
            let told = try await Program.run(["recording", "expire", "--retain", "1h", rec])
            #expect(told.code == 0 && told.out.contains("0001.ndjson is deleted") && told.out.contains("1 segment deleted"), "\(told.out)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: rec).isEmpty)
        }
    }

    /// From cron a recording that cannot be read, or of which nothing is left, keeps none of the others.
    @Test func oneOfManyIsInNobodysWay() async throws {
        try await Self.copy("crossed-pair") { rec in
            let old = Date(timeIntervalSinceNow: -7_200)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: rec + "/0001.ndjson")
            try FileManager.default.createDirectory(atPath: rec + "-empty", withIntermediateDirectories: false)
            let told = try await Program.run(["recording", "expire", "--retain", "1h", rec + "-none", rec + "-empty", rec])
            #expect(told.code == 4 && told.err.contains("-none") && !told.err.contains("-empty"), "\(told.err)")
            #expect(told.out.contains("0001.ndjson is deleted"), "\(told.out)")
            let again = try await Program.run(["recording", "expire", rec + "-empty", rec])
            #expect(again.code == 0 && again.err.isEmpty && again.out.contains("0 segments deleted"), "\(again.err)")
        }
    }
}
