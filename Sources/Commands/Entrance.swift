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
        if let complaint = unknownVerb(arguments) {
            console.talk(complaint)
            return ExitReason.usage.code
        }
        do {
            var command = try Miswire.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitReason.pass.code
        } catch let finished as Finished {
            return finished.reason.code
        } catch let complaint as Complaint {
            console.talk(complaint.text(console.err))
            return complaint.exit.code
        } catch let errors as ConfigurationErrors {
            console.talk(ConfigurationForm.text(errors, console.err))
            return ExitReason.usage.code
        } catch {
            return parserError(error, console)
        }
    }

    /// Help and version are answers; anything else of the parser's is a usage error with that verb's usage line.
    private static func parserError(_ error: any Error, _ console: Console) -> Int32 {
        if Miswire.exitCode(for: error) == .success {
            console.answer(Miswire.fullMessage(for: error) + "\n")
            return ExitReason.pass.code
        }
        let lines = Miswire.fullMessage(for: error).split(separator: "\n").map(String.init)
        let sentence = (lines.first ?? "\(error)").replacingPrefix("Error: ", with: "")
        let usage = lines.first { $0.hasPrefix("Usage:") }?.replacingPrefix("Usage: ", with: "")
        var details = [(label: "usage", text: usage ?? "miswire <verb> [options]")]
        details.append((label: "remedy", text: "see `miswire help` or add --help to the verb"))
        let complaint = Complaint(SafeText.show(sentence), details: details, exit: .usage)
        console.talk(complaint.text(console.err))
        return ExitReason.usage.code
    }

    /// The first word is a verb, or the nearest one is named (looks.md section 4).
    private static func unknownVerb(_ arguments: [String]) -> String? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return nil }
        let names = Miswire.verbs.map { verb in verb.configuration.commandName ?? "" }
        guard !names.contains(word) else { return nil }
        let shown = SafeText.show(word)
        let nearest = Nearest.word(to: word, among: names)
        let remedy = nearest.map { "; write `miswire \($0)`" } ?? ""
        let first = "error: `\(shown)` is not a verb\(remedy)"
        let gap = String(repeating: " ", count: max(2, 82 - first.count - ExitReason.usage.words.count))
        return first + gap + ExitReason.usage.words + "\n  verbs: " + names.joined(separator: " ") + "\n"
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
