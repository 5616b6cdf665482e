import Glibc
import Journaling
import NIOCore

/// A process that reads what strangers wrote, and can do nothing else from then on: no other files, no sockets, no programs
/// (trust.md T29). Nothing of it can be taken back.
package struct Sandbox: Sendable, Equatable {
    /// The version of the kernel's Landlock; nil: it has none.
    package var landlock: Int32?
    /// False: the kernel knows no filters of system calls.
    package var hasFilter = false

    /// `Landlock 7 and seccomp`
    package var words: String {
        let parts = [landlock.map { "Landlock \($0)" }, hasFilter ? "seccomp" : nil].compactMap { $0 }
        return parts.isEmpty ? "nothing" : parts.joined(separator: " and ")
    }

    /// What this kernel cannot do, for whoever runs it.
    package var warnings: [String] {
        var lacking: [String] = []
        if landlock == nil { lacking.append("has no Landlock: what reads the captures may open every file that you may") }
        if !hasFilter { lacking.append("has no seccomp: what reads the captures may open sockets and start programs") }
        return lacking.isEmpty ? [] : ["this kernel " + lacking.joined(separator: ", and ")]
    }

    /// What the process may still allocate (trust.md L12), beside what it has.
    private static let memory = UInt64(clamping: Limits.standard.memoryBytes)

    /// To be called while there is one thread. No work may be given to the concurrent queues of libdispatch from then on, nor
    /// to Swift's tasks, which stand on them: it watches their threads in `/proc` and ends a process that may not look there.
    /// Serial queues are not watched. Throws when anything is left open that the kernel could close: then nothing may be
    /// parsed.
    package static func enter(_ grants: SandboxGrants) throws(ImportError) -> Sandbox {
        SandboxCalls.name("miswire-import")
        guard try numbers("/proc/self/task").count == 1 else { throw failure("there are other threads already") }
        // Whatever else the caller had open is none of ours.
        for number in try numbers("/proc/self/fd") where number > STDERR_FILENO && !grants.kept.contains(number) { _ = close(number) }
        do throws(Refusal) {
            try SandboxCalls.limit(RLIMIT_CORE, to: 0)
            try SandboxCalls.limit(RLIMIT_DATA, to: try held() + memory)
        } catch { throw failure("its limits cannot be set: \(error.text)") }
        let sandbox = try restrict(grants)
        try sandbox.prove()
        return sandbox
    }

    /// The calling thread, and those that it starts; filters are for all.
    static func restrict(_ grants: SandboxGrants) throws(ImportError) -> Sandbox {
        var sandbox = Sandbox()
        do throws(Refusal) { try SandboxCalls.refuseNewPrivileges() } catch {
            throw failure("new privileges cannot be refused: \(error.text)")
        }
        do throws(Refusal) {
            sandbox.landlock = try SandboxCalls.landlockVersion()
        } catch {
            guard error.isUnknownCall else { throw failure("Landlock cannot be asked for: \(error.text)") }
        }
        if let version = sandbox.landlock { try Landlock(version: version).enforce(grants) }
        do throws(Refusal) {
            try SandboxCalls.hasFilters()
            sandbox.hasFilter = SystemCallFilter.architecture != nil
        } catch {
            guard error.isUnknownCall else { throw failure("filters of system calls cannot be asked for: \(error.text)") }
        }
        guard sandbox.hasFilter else { return sandbox }
        do throws(Refusal) { try SandboxCalls.enforce(SystemCallFilter(own: UInt32(bitPattern: getpid()))) } catch {
            throw failure("the filter of system calls is refused: \(error.text)")
        }
        return sandbox
    }

    /// Tries what must be refused.
    func prove() throws(ImportError) {
        for attempt in SandboxCalls.Attempt.allCases {
            let expected: Int32? = attempt == .open ? landlock.map { _ in EACCES } : hasFilter ? EPERM : nil
            if let expected, attempt.code != expected { throw Sandbox.failure("`\(attempt.rawValue)` is not refused") }
        }
    }

    // MARK: Before

    private static func numbers(_ directory: String) throws(ImportError) -> [Int32] {
        do throws(RecordingError) { return try Directory.names(in: directory).compactMap { Int32($0) } } catch {
            throw failure("\(error.place): \(error.found)")
        }
    }

    /// Bytes of data that the process has now: under a sanitizer these are terabytes.
    private static func held() throws(Refusal) -> UInt64 {
        guard let text = try? Directory.contents("/proc/self/statm", most: 4_096, chunk: 4_096),
            let pages = String(buffer: text).split(separator: " ").dropFirst(5).first.flatMap({ UInt64($0) })
        else { throw Refusal(code: ENOENT) }
        return pages.multipliedReportingOverflow(by: UInt64(clamping: sysconf(Int32(_SC_PAGESIZE)))).partialValue
    }

    static func failure(_ found: String) -> ImportError {
        ImportError(
            place: "import", sentence: "the sandbox for reading captures cannot be made", expected: "Landlock and seccomp, as far as the kernel has them",
            found: found, remedy: "let the container or the service allow them, or add --no-sandbox: then what reads has all your rights")
    }
}
