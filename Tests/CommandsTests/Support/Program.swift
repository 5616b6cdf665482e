import Foundation
import Synchronization

/// The program as users run it: a process with two pipes, never a terminal.
enum Program {
    struct Outcome: Sendable {
        var out: String
        var err: String
        var code: Int32
        var outLines: [String] { out.split(separator: "\n").map(String.init) }
    }

    /// Beside the test bundle, where one build puts both.
    static let path: String = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let places = [bundle.path + "/miswire", root.path + "/.build/debug/miswire"]
        return places.first { FileManager.default.isExecutableFile(atPath: $0) } ?? places[0]
    }()

    /// A directory of its own, removed with everything in it.
    static func inDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
        let path = NSTemporaryDirectory() + "/miswire-commands-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    static func start(
        _ arguments: [String], environment: [String: String] = [:], in directory: String? = nil
    ) throws -> Running {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        for name in ["NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE", "CI", "TERM"] { variables[name] = nil }
        variables["LANG"] = "C.UTF-8"
        variables["TZ"] = "UTC"
        variables["MISWIRE_ALLOW_ROOT"] = "1"
        process.environment = variables.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        return try Running(process)
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], in directory: String? = nil
    ) async throws -> Outcome {
        try await start(arguments, environment: environment, in: directory).end()
    }
}

/// A started process whose output is collected while it runs; it never outlives 60 s.
final class Running: Sendable {
    private struct Said {
        var out = Data()
        var err = Data()
        var open = 2
        var code: Int32?
    }
    private let process: Mutex<Process>
    private let said = Mutex(Said())
    let pid: Int32

    init(_ process: sending Process) throws {
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        try process.run()
        pid = process.processIdentifier
        self.process = Mutex(process)
        Thread.detachNewThread { [self] in
            let data = out.fileHandleForReading
            while case let chunk = data.availableData, !chunk.isEmpty { said.withLock { $0.out += chunk } }
            said.withLock { $0.open -= 1 }
        }
        Thread.detachNewThread { [self] in
            let data = err.fileHandleForReading
            while case let chunk = data.availableData, !chunk.isEmpty { said.withLock { $0.err += chunk } }
            said.withLock { $0.open -= 1 }
        }
    }

    var out: String { said.withLock { String(decoding: $0.out, as: UTF8.self) } }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits until standard output holds this text.
    func until(_ text: String) async -> Bool { await until(text, in: \.out) }

    func untilError(_ text: String) async -> Bool { await until(text, in: \.err) }

    private func until(_ text: String, in place: KeyPath<Said, Data>) async -> Bool {
        func isThere() -> Bool { said.withLock { String(decoding: $0[keyPath: place], as: UTF8.self) }.contains(text) }
        for _ in 0..<1_200 {
            if isThere() { return true }
            if !process.withLock({ $0.isRunning }) { return isThere() }
            try? await Task.sleep(for: .milliseconds(25))
        }
        return false
    }

    func end() async -> Program.Outcome {
        for _ in 0..<2_400 {
            let quiet = said.withLock { $0.open == 0 }
            if quiet, !process.withLock({ $0.isRunning }) { break }
            try? await Task.sleep(for: .milliseconds(25))
        }
        let code: Int32 = process.withLock { process in
            if process.isRunning {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return -1
            }
            return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        }
        return said.withLock { said in
            Program.Outcome(
                out: String(decoding: said.out, as: UTF8.self), err: String(decoding: said.err, as: UTF8.self), code: code)
        }
    }
}
