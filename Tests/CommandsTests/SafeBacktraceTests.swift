import Foundation
import Testing

@testable import Commands

/// What a crash prints holds nothing of the program's memory (trust.md T7).
@Suite(.timeLimit(.minutes(3))) struct SafeBacktraceTests {
    @Test func settings() {
        #expect(SafeBacktrace.settings(nil) == "registers=none")
        #expect(SafeBacktrace.settings("") == "registers=none")
        #expect(SafeBacktrace.settings("enable=yes,registers=all,color=no") == "enable=yes,color=no,registers=none")
        #expect(SafeBacktrace.settings("registers=none,registers=all") == "registers=none")
        #expect(SafeBacktrace.settings("color=no,registers=none") == nil)
        #expect(SafeBacktrace.settings("enable=no") == nil)
        #expect(SafeBacktrace.settings("enable=no,enable=yes") == "enable=no,enable=yes,registers=none")
    }

    @Test func aCrashShowsNoMemory() async throws {
        let program = try Program.start(["backend", "--port", "0"], environment: ["SWIFT_BACKTRACE": "enable=yes,symbolicate=off,color=no"])
        #expect(await program.until("ws://127.0.0.1:"))
        let environment = try String(contentsOfFile: "/proc/\(program.pid)/environ", encoding: .utf8)
        #expect(environment.split(separator: "\0").contains("SWIFT_BACKTRACE=enable=yes,symbolicate=off,color=no,registers=none"))
        program.signal(SIGSEGV)
        // Where the toolchain's handler is not there, nothing is printed at all; the second one ends the program.
        _ = await program.untilError("crashed:")
        for _ in 0..<2 { program.signal(SIGSEGV) }
        program.signal(SIGKILL)
        let outcome = await program.end()
        #expect(outcome.code > 128)
        for word in ["Registers", "rax ", "rsp ", "x0 "] { #expect(!outcome.err.contains(word), "\(outcome.err)") }
    }
}
