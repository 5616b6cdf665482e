import Foundation
import Journaling
import Testing

@testable import Captures
@testable import Commands

/// What is kept is what was asked for, raw only with a yes, and each header says which, why and for how long.
@Suite struct RecordModeTests {
    private static let secret = "secret-4711"
    private static let lines = """
        {"session":"s1","user":"alice","direction":"toServer","path":"/ws?token=\(secret)","data":"hello from alice","time":1789999336.0}
        {"session":"s1","direction":"toClient","data":"welcome, alice","time":1789999336.5}

        """

    private static func inFolder(_ body: (_ messages: String, _ rec: String, _ path: String) async throws -> Void) async throws {
        try await Program.inDirectory { path in
            try lines.write(toFile: path + "/m.ndjson", atomically: true, encoding: .utf8)
            try await body(path + "/m.ndjson", path + "/rec", path)
        }
    }

    private static func text(_ rec: String) throws -> String {
        try String(contentsOfFile: rec + "/0001.ndjson", encoding: .utf8)
    }

    @Test func withoutAModeSecretsAreRedacted() async throws {
        try await Self.inFolder { messages, rec, _ in
            let told = try await Program.run(["import", messages, "--out", rec])
            #expect(told.code == 0, "\(told.err)")
            let text = try Self.text(rec)
            #expect(text.contains("hello from alice") && !text.contains(Self.secret))
            let header = try RecordingReader(rec).header
            #expect(header.mode == .redacted && header.retention == .standard)
            #expect(header.purpose.hasPrefix("imported from m.ndjson"))
        }
    }

    @Test func metaHoldsNoContent() async throws {
        try await Self.inFolder { messages, rec, _ in
            let told = try await Program.run(
                ["import", messages, "--out", rec, "--record-mode", "meta", "--purpose", "ticket 311", "--retain", "2d", "--retain-size", "5MiB"])
            #expect(told.code == 0, "\(told.err)")
            let text = try Self.text(rec)
            #expect(!text.contains("hello") && !text.contains("welcome") && !text.contains(Self.secret) && !text.contains("/ws"))
            let header = try RecordingReader(rec).header
            #expect(header.mode == .meta && header.purpose.hasPrefix("ticket 311; imported from"))
            #expect(header.retention == Retention(seconds: 172_800, bytes: 5 << 20))
            let shown = try await Program.run(["recording", "show", rec])
            #expect(shown.code == 0 && shown.out.contains("kept for  2 d and 5 MiB") && shown.out.contains("ticket 311"))
            #expect(!shown.out.contains("torn"), "\(shown.out)")
            // Nobody said anything in it, so nothing can be found to hold.
            let judged = try await Program.run(["check", rec])
            #expect(judged.code == 2 && judged.err.contains("record again without `meta`"), "\(judged.err)")
        }
    }

    @Test func rawNeedsAYes() async throws {
        try await Self.inFolder { messages, rec, _ in
            let told = try await Program.run(["import", messages, "--out", rec, "--record-mode", "raw"])
            #expect(told.code == 4 && told.err.contains("error: a raw recording needs a yes") && told.err.contains("--yes"), "\(told.err)")
            #expect(!FileManager.default.fileExists(atPath: rec))
        }
    }

    @Test func rawWithAYesIsAllOfItAndSaysSo() async throws {
        try await Self.inFolder { messages, rec, _ in
            let told = try await Program.run(["import", messages, "--out", rec, "--record-mode", "raw", "--yes", "--retain", "1d"])
            #expect(told.code == 0, "\(told.err)")
            #expect(told.err.contains("RAW RECORDING into \(rec)") && told.err.contains("Kept for 1 d and 10 GiB"), "\(told.err)")
            #expect(try Self.text(rec).contains(Self.secret))
            #expect(try RecordingReader(rec).header.mode == .raw)
            for (path, mode) in [(rec, 0o700), (rec + "/0001.ndjson", 0o600)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
            }
        }
    }

    @Test(arguments: [("yes\n", true), ("y\n", false), ("\n", false)])
    func aTerminalIsAsked(answer: String, isRecorded: Bool) async throws {
        try await Self.inFolder { messages, rec, _ in
            let terminal = try Terminal()
            terminal.write(answer)
            let told = try await terminal.run(["import", messages, "--out", rec, "--record-mode", "raw"])
            #expect(told.err.contains("write `yes` to record all of it:"), "\(told.err)")
            #expect(told.code == (isRecorded ? 0 : 4), "\(told.err)")
            #expect(FileManager.default.fileExists(atPath: rec) == isRecorded)
        }
    }

    @Test func noneReadsAllAndWritesNothing() async throws {
        try await Self.inFolder { messages, rec, path in
            let told = try await Program.run(["import", messages, "--record-mode", "none"], in: path)
            #expect(told.code == 0 && told.out.contains("recording   none, as --record-mode says"), "\(told.err)")
            #expect(told.out.contains("1 ▸   1 ◂"))
            let both = try await Program.run(["import", messages, "--out", rec, "--record-mode", "none"], in: path)
            #expect(both.code == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["m.ndjson"])
            let nowhere = try await Program.run(["import", messages], in: path)
            #expect(nowhere.code == 4 && nowhere.err.contains("needs --out RECORDING"), "\(nowhere.err)")
        }
    }

    @Test func theProxyTakesTheSameModes() throws {
        func options(_ words: String...) throws -> (record: String?, mode: RecordingHeader.Mode, purpose: String, retention: Retention) {
            let verb = try #require(try Proxy.parse(["ws://127.0.0.1:1"] + words) as Proxy?)
            let made = try verb.options()
            return (made.record, made.recordMode, made.purpose, made.retention)
        }
        #expect(try options("--record", "rec") == ("rec", .redacted, "", .standard))
        #expect(try options("--record", "rec", "--record-mode", "meta", "--purpose", "a b") == ("rec", .meta, "a b", .standard))
        #expect(try options("--record", "rec", "--record-mode", "raw", "--retain", "12h").retention.seconds == 43_200)
        #expect(try options("--record", "rec", "--record-mode", "none").record == nil)
        #expect(try options("--retain", "forever", "--retain-size", "unlimited").retention == Retention(seconds: nil, bytes: nil))
        for wrong in [["--retain", "0"], ["--retain", "soon"], ["--retain-size", "10"], ["--retain-size", "-1GiB"], ["--record-mode", "all"]] {
            #expect(throws: (any Error).self) { try Proxy.parse(["ws://127.0.0.1:1"] + wrong) }
        }
    }

    /// `--record raw` would otherwise make a redacted recording in a directory of that name.
    @Test(arguments: ["none", "meta", "redacted", "raw"]) func aModeIsNoDirectory(word: String) async throws {
        let told = try await Program.run(["proxy", "ws://127.0.0.1:1", "--record", word])
        #expect(told.code == 4 && told.err.contains("write --record rec/ --record-mode \(word)"), "\(told.err)")
    }

    @Test func theProxyAsksBeforeItListens() async throws {
        let told = try await Program.run(["proxy", "ws://127.0.0.1:1", "--record", "/nonexistent/rec", "--record-mode", "raw"])
        #expect(told.code == 4 && told.out.isEmpty && told.err.contains("a raw recording needs a yes"), "\(told.err)")
        let nowhere = try await Program.run(["proxy", "ws://127.0.0.1:1", "--record-mode", "meta"])
        #expect(nowhere.code == 4 && nowhere.err.contains("add --record rec/"), "\(nowhere.err)")
    }
}
