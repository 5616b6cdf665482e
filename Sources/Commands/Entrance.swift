import ArgumentParser
import Contracts
package import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// What a verb throws when it is done: the exit code is not always an error.
package struct Finished: Error {
    package var reason: ExitReason
    package init(_ reason: ExitReason) { self.reason = reason }
}

/// Parses, runs, and turns everything that can go wrong into one error form and one documented exit code.
package enum Entrance {
    package static func run(_ arguments: [String]) async -> Int32 {
        _ = signal(SIGPIPE, SIG_IGN)
        let console = Console(arguments: arguments)
        if let complaint = UsageError.unknownVerb(arguments) {
            console.talk(complaint)
            return closed(.usage, arguments, console, error: "not a verb")
        }
        do {
            try await Interruption.run(arguments, console)
            return ExitReason.pass.code
        } catch { return told(error, arguments, console) }
    }

    /// For a verb that runs before there are threads.
    static func run(_ arguments: [String], _ verb: () throws -> Void) -> Int32 {
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try verb()
            return ExitReason.pass.code
        } catch { return told(error, arguments, Console(arguments: arguments)) }
    }

    private static func told(_ error: any Error, _ arguments: [String], _ console: Console) -> Int32 {
        switch error {
        case let finished as Finished: return finished.reason.code
        case is Interrupted:
            let verb = UsageError.verb(arguments)
            console.close(ExitReason.interrupted.ending("\(verb)  stopped by a signal, what ended before is above") + "\n")
            return closed(.interrupted, arguments, console, error: "stopped by a signal")
        case let complaint as Complaint:
            console.talk(complaint.text(console.err))
            return closed(complaint.exit, arguments, console, error: complaint.sentence)
        case let errors as ConfigurationErrors:
            console.talk(ConfigurationForm.text(errors, console.err))
            return closed(.usage, arguments, console, error: errors.errors.first?.plain ?? "")
        default: return parserError(error, arguments, console)
        }
    }

    /// With `--json` the last line is the summary also when nothing could begin (looks.md section 0).
    private static func closed(
        _ reason: ExitReason, _ arguments: [String], _ console: Console, error: String
    ) -> Int32 {
        if arguments.contains("--json") {
            let line = JSONLine("summary", time: Console.utc()).adding("verb", UsageError.verb(arguments))
                .adding("exit", reason.code).adding("reason", reason.reason).adding("error", error)
            console.close(json: line)
        }
        return reason.code
    }

    /// Help and version are answers; anything else of the parser's is a usage error with that verb's usage line.
    private static func parserError(_ error: any Error, _ arguments: [String], _ console: Console) -> Int32 {
        let message = Miswire.fullMessage(for: error)
        if Miswire.exitCode(for: error) == .success {
            console.answer(message + "\n")
            return ExitReason.pass.code
        }
        let complaint = UsageError.complaint(message, arguments)
        console.talk(complaint.text(console.err))
        return closed(.usage, arguments, console, error: complaint.sentence)
    }
}
