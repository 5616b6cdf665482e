import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The runtime's crash handler prints registers and the memory that they point to, and a token or a key may lie there
/// (trust.md T7). It reads its settings from the environment before `main`, so the program begins once more with them set.
package enum SafeBacktrace {
    static let variable = "SWIFT_BACKTRACE"

    /// The same settings without registers; nil where they print none already.
    static func settings(_ given: String?) -> String? {
        let parts = (given ?? "").split(separator: ",").filter { !$0.isEmpty }
        let registers = parts.filter { $0.hasPrefix("registers=") }
        if parts.last(where: { $0.hasPrefix("enable=") }) == "enable=no" || registers == ["registers=none"] { return nil }
        return (parts.filter { !$0.hasPrefix("registers=") } + ["registers=none"]).joined(separator: ",")
    }

    /// To be the first thing that the program does. Where it cannot begin again it goes on as it is.
    package static func prepare() {
        // As the runtime reads it: of two entries of that name the one that `setenv` changes.
        let given = unsafe getenv(variable).map { unsafe String(cString: $0) }
        guard let settings = settings(given),
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return }
        guard unsafe setenv(variable, settings, 1) == 0 else { return }
        _ = unsafe execv(program, CommandLine.unsafeArgv)
    }
}
