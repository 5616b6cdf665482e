import Captures
import Foundation
import Testing
import Wire

@testable import Commands

/// `miswire export` as users run it, on a recording of the corpus.
@Suite struct ExportTests {
    private static let recording = CorpusTests.directory.appendingPathComponent("three-users").path

    private func text(_ path: String) throws -> String { String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self) }

    /// Session, direction, opcode and payload of each message, without its time.
    private func messages(_ lines: String) throws -> [String: [String]] {
        var messages: [String: [String]] = [:]
        for line in lines.split(separator: "\n") {
            let json = try JSON.parse(String(line))
            let text = [json["direction"], json["opcode"], json["data"], json["data64"]].map { $0?.text ?? "-" }.joined(separator: " ")
            messages[json["session"]?.string ?? "", default: []].append(text)
        }
        return messages
    }

    @Test(arguments: ["har", "ndjson", "html"]) func everyFormIsWritten(_ form: String) async throws {
        try await Program.inDirectory { directory in
            let out = directory + "/x." + form
            let told = try await Program.run(["export", Self.recording, "--format", form, "--out", out])
            #expect(told.code == 0 && told.out.hasPrefix("export  ") && told.out.contains(" sessions, ") && told.out.hasSuffix("exit 0 (pass)\n"), "\(told)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x." + form])
            // On standard output there is the export and nothing else.
            let streamed = try await Program.run(["export", Self.recording, "--format", form])
            #expect(try streamed.out == text(out) && streamed.err.contains("exit 0 (pass)"))
        }
    }

    /// Recording to HAR to recording to lines: the messages of the recording, per session.
    @Test func aHARComesBack() async throws {
        try await Program.inDirectory { directory in
            let har = directory + "/x.har", again = directory + "/again"
            #expect(try await Program.run(["export", Self.recording, "--format", "har", "--out", har]).code == 0)
            let imported = try await Program.run(["import", har, "--out", again, "--contract", "agent-chat"])
            #expect(imported.code == 0, "\(imported.err)")
            let before = try messages(try await Program.run(["export", Self.recording, "--format", "ndjson"]).out)
            let after = try messages(try await Program.run(["export", again, "--format", "ndjson"]).out)
            #expect(Set(before.values) == Set(after.values) && !before.isEmpty)
        }
    }

    @Test func plansAreWrittenOneAFile() async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(["export", Self.recording, "--format", "plan", "--out", directory + "/plans/"])
            #expect(told.code == 0, "\(told.err)")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory + "/plans")
            #expect(!names.isEmpty)
            for name in names { #expect(try text(directory + "/plans/" + name).hasPrefix("miswire plan 1\n") && name.hasSuffix(".plan")) }
        }
    }

    @Test func aPageHoldsTheRecording() async throws {
        let page = try await Program.run(["export", Self.recording, "--format", "html"]).out
        #expect(page.hasPrefix("<!doctype html>") && page.contains("<section id=\"timeline\">") && page.contains("alice"))
        #expect(!page.contains("http://") && !page.contains("https://"))
    }

    @Test(arguments: [
        (["rec", "--format", "nope"], "no form is called `nope`", 4), (["rec", "--format", "har"], "there is no recording here", 4),
        (["rec", "--format", "har", "--session", "31"], "`31` is no session", 4), (["rec"], "--format", 4),
    ] as [([String], String, Int32)])
    func errorsSayWhatIsWrong(_ arguments: [String], _ sentence: String, _ code: Int32) async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(["export"] + arguments, in: directory)
            #expect(told.code == code && told.err.contains(sentence) && told.out.isEmpty, "\(told)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func aSessionThatIsNotThereIsNothing() async throws {
        let told = try await Program.run(["export", Self.recording, "--format", "ndjson", "--session", "s999"])
        #expect(told.code == 3 && told.out.isEmpty && told.err.contains("exit 3 (nothing exercised)"))
    }
}
