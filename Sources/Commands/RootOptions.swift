import ArgumentParser
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// Verbs that parse what others send do it with no more rights than they need (trust.md T46).
struct RootOptions: ParsableArguments {
    @Flag(name: .customLong("allow-root"), help: "Run as root all the same, as in a container (also: MISWIRE_ALLOW_ROOT=1).")
    var allowRoot = false

    static let variable = "MISWIRE_ALLOW_ROOT"

    var isAllowed: Bool {
        if allowRoot { return true }
        guard let value = unsafe getenv(Self.variable) else { return false }
        return unsafe String(cString: value) == "1"
    }

    func check(_ verb: String) throws {
        guard geteuid() == 0, !isAllowed else { return }
        throw Complaint(
            "`miswire \(verb)` does not run as root",
            details: [
                ("expected", "a user who can read and write what is named, and nothing more"), ("found", "uid 0"),
                ("remedy", "run it as another user, or say --allow-root or \(Self.variable)=1"),
            ], exit: .usage)
    }
}
