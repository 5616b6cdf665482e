import Foundation
import Testing
import Wire

@testable import Captures
@testable import Commands

/// `import` reads in a child that can do nothing else, and what happens to the child is told (trust.md T29, T53).
@Suite struct ImportSandboxTests {
    private static let captures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../corpus/captures").standardizedFileURL.path

    private static func isWhole(_ told: Program.Outcome) -> Bool { !told.err.contains("warning: this kernel has no ") }

    @Test(arguments: [
        "plain", "deflate", "deflate-fragments", "out-of-order", "tls12", "tls13", "pcapng-secrets", "har-chromium", "flow-mitmproxy",
    ]) func theRecordingIsTheSame(name: String) async throws {
        try await Program.inDirectory { path in
            let folder = Self.captures + "/" + name
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            let file = try #require(files.first { !["truth.ndjson", "keys.log"].contains($0) })
            let keys = files.contains("keys.log") ? ["--keylog", folder + "/keys.log"] : []
            // Tags of redacted secrets are others in each run; raw recordings have none.
            let arguments = ["import", folder + "/" + file, "--contract", "agent-chat", "--record-mode", "raw", "--yes"] + keys
            let inside = try await Program.run(arguments + ["--out", "inside", "--verbose"], in: path)
            let outside = try await Program.run(arguments + ["--out", "outside", "--no-sandbox"], in: path)
            #expect(inside.code == 0 && outside.code == 0, "\(inside.err)\(outside.err)")
            if Self.isWhole(inside) {
                #expect(inside.err.contains("and seccomp: open, socket, connect and exec were tried and are refused"), "\(inside.err)")
            }
            #expect(outside.err.contains("warning: --no-sandbox: what reads the captures may open every file that you may"), "\(outside.err)")
            for folder in ["inside", "outside"] {
                #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder) == ["0001.ndjson"])
            }
            let recordings = try ["inside", "outside"].map { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)/0001.ndjson")) }
            #expect(recordings[0] == recordings[1] && recordings[0].count > 1_000)
        }
    }

    /// A HAR names a file beside it; with `sort` a scratch file is needed; a filter asks for the number of a port.
    @Test func everythingThatAnImportNeedsIsThere() async throws {
        try await Program.inDirectory { path in
            let har = #"{"log":{"entries":[{"_resourceType":"websocket","request":{"url":"ws://h/x","headers":[]},"response":{"status":101,"headers":[],"content":{"_file":"0a1b.jsonl"}}}]}}"#
            try har.write(toFile: path + "/x.har", atomically: true, encoding: .utf8)
            try #"{"type":"send","time":1789999336,"opcode":1,"data":"hello"}"#.write(toFile: path + "/0a1b.jsonl", atomically: true, encoding: .utf8)
            let told = try await Program.run(["import", "x.har", "--out", "a/b/rec", "--gzip"], in: path)
            #expect(told.code == 0 && told.out.contains("1 ▸   0 ◂"), "\(told.err)")
            #expect(FileManager.default.fileExists(atPath: path + "/a/b/rec/0001.ndjson.gz"))
            let filtered = try await Program.run(
                ["import", Self.captures + "/plain/capture.pcap", "x.har", "--filter", "tcp port 9 or tcp port discard or host localhost", "--record-mode", "none"],
                in: path)
            #expect(filtered.code == 0 && filtered.err.isEmpty == Self.isWhole(filtered), "\(filtered.err)")
        }
    }

    @Test func itIsSaidInJSON() async throws {
        try await Program.inDirectory { path in
            let file = Self.captures + "/plain/capture.pcap"
            let inside = try await Program.run(["import", file, "--out", "a", "--json"], in: path)
            let last = try JSON.parse(try #require(inside.outLines.last))
            if Self.isWhole(inside) { #expect(last["sandbox"]?.text.contains("seccomp") == true, "\(last.text)") }
            let outside = try await Program.run(["import", file, "--out", "b", "--json", "--no-sandbox"], in: path)
            #expect(outside.err.isEmpty && outside.outLines.count == 3)
            #expect(try JSON.parse(outside.outLines[0])["kind"] == .string("warning"))
            #expect(try JSON.parse(try #require(outside.outLines.last))["sandbox"] == .null)
        }
    }

    // MARK: The child's end

    private static func children(of pid: Int32) -> [Int32] {
        let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return (text ?? "").split(separator: " ").compactMap { Int32($0) }
    }

    /// An import whose child is in its sandbox and waits for an answer at the terminal, and what is done to it.
    private static func held(_ path: String, _ body: (_ parent: Int32, _ child: Int32) async throws -> Void) async throws -> Program.Outcome {
        let file = captures + "/plain/capture.pcap"
        return try await Terminal().run(["import", file, "--out", "rec", "--record-mode", "raw"], in: path) { parent in
            var child: Int32 = 0
            for _ in 0..<2_000 {
                child = children(of: parent).first ?? 0
                if child > 0, status(child)["Name"] == "miswire-import", status(child)["State"]?.hasPrefix("S") == true { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            try #require(child > 0)
            try await body(parent, child)
            // Nobody answers the question, so what was done has to end it.
            for _ in 0..<2_000 where isRunning(child) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(!isRunning(child))
            kill(child, SIGKILL)
        }
    }

    private static func isRunning(_ pid: Int32) -> Bool { status(pid)["State"].map { !$0.hasPrefix("Z") } ?? false }

    /// What the kernel says of a process.
    private static func status(_ pid: Int32) -> [String: String] {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return [:] }
        let rows = text.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
        return Dictionary(rows.filter { $0.count == 2 }.map { ($0[0], $0[1].trimmingCharacters(in: .whitespaces)) }) { first, _ in first }
    }

    @Test(arguments: [(SIGKILL, "signal 9 (SIGKILL)", Int32(2)), (SIGABRT, "signal 6 (SIGABRT)", 5), (SIGSEGV, "signal 11 (SIGSEGV)", 5)])
    func aReaderThatDiesIsAnError(signal: Int32, words: String, code: Int32) async throws {
        try await Program.inDirectory { path in
            let told = try await Self.held(path) { _, child in kill(child, signal) }
            #expect(told.code == code && told.err.contains("error: the process that reads the captures ended before they did"), "\(told.err)")
            #expect(told.err.contains("found     \(words), and no recording"), "\(told.err)")
            #expect(told.err.contains("This is a defect of miswire") == (code == 5))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func aRecordingThatIsCutShortIsNoPass() async throws {
        try await Program.inDirectory { path in
            try FileManager.default.createDirectory(atPath: path + "/raw", withIntermediateDirectories: true)
            let line = #"{"type":"message","text":""# + String(repeating: "x", count: 80) + "\"}\n"
            for name in ["a", "b"] {
                try String(repeating: line, count: 60_000).write(toFile: path + "/raw/" + name, atomically: false, encoding: .utf8)
            }
            let run = try Program.start(["import", "raw", "--format", "raw", "--out", "rec", "--json"], in: path)
            // On a thread that no other test keeps busy: the first of many megabytes is there, and the reader is killed.
            Thread.detachNewThread {
                var info = stat()
                for _ in 0..<20_000 where unsafe stat(path + "/rec/0001.ndjson", &info) != 0 || info.st_size < 500_000 { usleep(2_000) }
                for child in Self.children(of: run.pid) { kill(child, SIGKILL) }
            }
            let told = await run.end()
            #expect(told.code == 2 && told.err.contains("found     signal 9 (SIGKILL), and a recording cut short in rec"), "\(told.err)")
            let last = try JSON.parse(try #require(told.outLines.last))
            #expect(last["kind"] == .string("summary") && last["exit"] == .number("2"))
            // What is there tells that it is not all.
            let judged = try await Program.run(["check", "rec"], in: path)
            let isTold = ["the recording has no end line", "the last line is cut off"].contains { judged.err.contains($0) }
            #expect(judged.code == 2 && isTold, "\(judged.err)")
        }
    }

    @Test(arguments: [SIGINT, SIGTERM]) func aSignalStopsBoth(signal: Int32) async throws {
        try await Program.inDirectory { path in
            var reader: Int32 = 0
            let told = try await Self.held(path) { parent, child in
                reader = child
                kill(parent, signal)
            }
            #expect(told.code == 130 && told.err.contains("import  stopped by a signal"), "\(told.err)")
            #expect(kill(reader, 0) != 0 && errno == ESRCH)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func theReaderDoesNotOutliveWhoWaitsForIt() async throws {
        try await Program.inDirectory { path in
            var reader: Int32 = 0
            _ = try await Self.held(path) { parent, child in
                reader = child
                kill(parent, SIGKILL)
            }
            #expect(reader > 0 && !Self.isRunning(reader))
        }
    }

    /// As the kernel sees it.
    @Test func theReaderIsHeld() async throws {
        try await Program.inDirectory { path in
            var (status, limits, open) = ([String: String](), "", 0)
            let told = try await Self.held(path) { parent, child in
                // It may still be on its way to the question.
                for _ in 0..<1_000 where Self.status(child)["Seccomp"] != "2" { try await Task.sleep(for: .milliseconds(10)) }
                status = Self.status(child)
                limits = try String(contentsOfFile: "/proc/\(child)/limits", encoding: .utf8)
                open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child)/fd").count
                kill(parent, SIGTERM)
            }
            #expect(status["NoNewPrivs"] == "1" && status["Threads"] == "1", "\(status)")
            if Self.isWhole(told) { #expect(status["Seccomp"] == "2", "\(status)") }
            let bounds = limits.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(bounds.contains { $0.starts(with: ["Max", "core", "file", "size", "0", "0"]) })
            #expect(bounds.contains { $0.starts(with: ["Max", "data", "size"]) && $0.count > 4 && UInt64($0[4]) != nil }, "\(limits)")
            #expect(open == 3)
        }
    }

    /// Only who waits for it can be its parent; nobody makes it read without one.
    @Test func anOrderOfSomebodyElseIsNone() async throws {
        try await Program.inDirectory { path in
            let told = try await Program.run(
                ["import", Self.captures + "/plain/capture.pcap", "--out", "rec"], environment: ["MISWIRE_IMPORT_CHILD": "1"], in: path)
            #expect(told.code == 4 && told.err.contains("which is not there"), "\(told.err)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func nothingIsLeftWhenNothingCame() async throws {
        try await Program.inDirectory { path in
            let told = try await Program.run(["import", "nothere", "--out", "a/b/rec"], in: path)
            #expect(told.code == 4 && told.err.hasPrefix("error: there is no file here\n"), "\(told.err)")
            try "not a capture".write(toFile: path + "/x", atomically: true, encoding: .utf8)
            let other = try await Program.run(["import", "x", "--out", "a/b/rec"], in: path)
            #expect(other.code == 4 && other.err.contains("no importer knows this file"), "\(other.err)")
            let under = try await Program.run(["import", "x", "--out", "x/rec"], in: path)
            #expect(under.code == 4 && under.err.contains("the directory cannot be made"), "\(under.err)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["x"])
        }
    }
}
