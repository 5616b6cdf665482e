import Foundation
import Journaling
import Testing

@testable import Captures
@testable import Commands

/// What is kept is what was asked for, raw only with a yes, and each header says which, why and for how long.
@Suite(.timeLimit(.minutes(5))) struct RecordModeTests {
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

    /// Packets know no mode but raw: no file of them without a yes, whatever becomes of the recording beside it.
    @Test(.enabled(if: geteuid() == 0, "only root may capture"), arguments: [[], ["--out", "rec"], ["--out", "rec", "--record-mode", "none"]])
    func packetsNeedAYes(others: [String]) async throws {
        try await Self.inOpenFolder { path in
            let words = ["capture", "-i", "lo", "udp", "port", "9", "--write", "a.pcapng", "--duration", "1s"] + others
            let told = try await Program.run(words, in: path)
            #expect(told.code == 4 && told.err.contains("RAW PACKETS into a.pcapng") && told.err.contains("Packets cannot be redacted"), "\(told.err)")
            #expect(told.err.contains("error: packets as they are need a yes") && told.err.contains("--yes") && !told.err.contains("RAW RECORDING"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
            let kept = try await Program.run(words + ["--yes"], in: path)
            #expect(kept.code == 3 && kept.err.contains("RAW PACKETS into a.pcapng"), "\(kept.err)")
            let attributes = try FileManager.default.attributesOfItem(atPath: path + "/a.pcapng")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/a.pcapng")).firstRange(of: Data("raw: packets as they are".utf8)) != nil)
            let twice = try await Program.run(words + ["--yes"], in: path)
            #expect(twice.code == 4 && twice.err.contains("name a file that is not there yet"), "\(twice.err)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root may capture"), arguments: [("yes\n", true), ("no\n", false)])
    func aTerminalIsAskedOnceForBoth(answer: String, isWritten: Bool) async throws {
        try await Self.inOpenFolder { path in
            let terminal = try Terminal()
            terminal.write(answer)
            let told = try await terminal.run(
                ["capture", "-i", "lo", "udp", "port", "9", "--write", "a.pcapng", "--out", "rec", "--record-mode", "raw", "--duration", "1s"], in: path)
            #expect(told.err.contains("RAW PACKETS into a.pcapng") && told.err.contains("RAW RECORDING into rec"), "\(told.err)")
            #expect(told.err.components(separatedBy: "write `yes` to keep all of it:").count == 2, "\(told.err)")
            #expect(told.code == (isWritten ? 3 : 4), "\(told.err)")
            #expect(FileManager.default.fileExists(atPath: path + "/a.pcapng") == isWritten)
        }
    }

    /// Packets came, and no session: nothing was made, and the exit says so; a file of packets would have been something.
    @Test(.enabled(if: geteuid() == 0, "only root may capture"), arguments: [false, true])
    func aRecordingOfNothingIsNoSuccess(isWritten: Bool) async throws {
        try await Self.inOpenFolder { path in
            let port = try Ports.free()
            let more = isWritten ? ["--write", "a.pcapng", "--yes"] : []
            let words = ["capture", "-i", "lo", "udp", "port", "\(port)", "--out", "rec", "--count", "1", "--duration", "30s"]
            let capture = try Program.start(words + more, in: path)
            let sender = Task {
                while !Task.isCancelled {
                    Ports.send("hello", to: port)
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            let told = await capture.end()
            sender.cancel()
            #expect(told.code == (isWritten ? 0 : 3) && told.err.contains("capture  1 packet, "), "\(told.err)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == (isWritten ? ["a.pcapng"] : []))
        }
    }

    /// A link in its place is not followed.
    @Test(.enabled(if: geteuid() == 0, "only root may capture")) func packetsFollowNoLink() async throws {
        try await Self.inOpenFolder { path in
            try FileManager.default.createSymbolicLink(atPath: path + "/a.pcapng", withDestinationPath: path + "/elsewhere")
            let told = try await Program.run(["capture", "-i", "lo", "udp", "port", "9", "--write", "a.pcapng", "--yes", "--duration", "1s"], in: path)
            #expect(told.code == 4 && told.err.contains("the capture cannot be written"), "\(told.err)")
            #expect(!FileManager.default.fileExists(atPath: path + "/elsewhere"))
        }
    }

    @Test func keysAreForRecordings() async throws {
        for more in [[], ["--out", "rec", "--record-mode", "none"]] {
            let told = try await Program.run(["capture", "-i", "lo", "--write", "a.pcapng", "--keylog", "k"] + more)
            #expect(told.code == 4 && told.err.contains("`--keylog` needs --out RECORDING"), "\(told.err)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root may capture")) func aKeyLogMayComeLaterButNotFromNowhere() async throws {
        try await Self.inOpenFolder { path in
            let words = ["capture", "-i", "lo", "udp", "port", "9", "--out", "rec", "--duration", "1s", "--keylog"]
            let later = try await Program.run(words + ["keys.log"], in: path)
            #expect(later.code == 3 && later.err.contains("capture  keys.log is not there yet and is read as soon as it is\n"), "\(later.err)")
            let nowhere = try await Program.run(words + ["none/keys.log"], in: path)
            #expect(nowhere.code == 4 && nowhere.err.contains("error: the key log cannot be read") && nowhere.err.contains("no directory none"), "\(nowhere.err)")
            try "".write(toFile: path + "/mine", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "/mine")
            let mine = try await Program.run(words + ["mine"], in: path)
            #expect(mine.code == 4 && mine.err.contains("the capture belongs to nobody by now: let that user read it"), "\(mine.err)")
        }
    }

    /// Where anybody may write: a capture does not stay root.
    private static func inOpenFolder(_ body: (_ path: String) async throws -> Void) async throws {
        try await Program.inDirectory { path in
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
            try await body(path)
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
