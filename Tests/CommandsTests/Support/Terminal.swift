import Foundation
import Testing

/// A pseudo-terminal at the program's standard input and error.
final class Terminal {
    private let controller: FileHandle
    private let slave: String

    init() throws {
        // What posix_openpt, unlockpt and ptsname do: they are not imported.
        let number = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(number >= 0)
        controller = FileHandle(fileDescriptor: number, closeOnDealloc: true)
        var (lock, index) = (Int32(0), UInt32(0))
        let (unlock, name): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        try #require(unsafe ioctl(number, unlock, &lock) == 0 && ioctl(number, name, &index) == 0)
        slave = "/dev/pts/\(index)"
    }

    func write(_ text: String) { try? controller.write(contentsOf: Data(text.utf8)) }

    /// - Parameter meanwhile: what happens while it runs, given its process number.
    func run(
        _ arguments: [String], in directory: String? = nil, meanwhile: (Int32) async throws -> Void = { _ in }
    ) async throws -> Program.Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["MISWIRE_ALLOW_ROOT": "1"]) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let end = try #require(FileHandle(forUpdatingAtPath: slave))
        let out = Pipe()
        process.standardInput = end
        process.standardError = end
        process.standardOutput = out
        try process.run()
        do { try await meanwhile(process.processIdentifier) } catch {
            process.terminate()
            throw error
        }
        let answer = out.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        // What was said is still in the terminal as long as our own end of it is open.
        var said = Data()
        let number = controller.fileDescriptor
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = unsafe read(number, &chunk, chunk.count), count > 0 { said += chunk[..<count] }
        try? end.close()
        return Program.Outcome(
            out: String(decoding: answer, as: UTF8.self), err: String(decoding: said, as: UTF8.self), code: process.terminationStatus)
    }
}
