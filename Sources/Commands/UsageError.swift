import ArgumentParser
import Contracts
import Reporting

/// What is wrong with a command line, in the words of looks.md section 4.
enum UsageError {
    static var names: [String] { Miswire.verbs.map { verb in verb.configuration.commandName ?? "" } }

    /// The verb a command line names; `miswire` when none.
    static func verb(_ arguments: [String]) -> String {
        arguments.first.flatMap { names.contains($0) ? $0 : nil } ?? "miswire"
    }

    /// The first word is a verb, or the nearest one is named.
    static func unknownVerb(_ arguments: [String]) -> String? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return nil }
        let remedy = Nearest.word(to: word, among: names).map { "; write `miswire \($0)`" } ?? ""
        let first = ExitReason.usage.ending("error: `\(SafeText.show(word))` is not a verb\(remedy)")
        let list = Columns.wrapped(names.joined(separator: " "), label: "  verbs: ", width: 98)
        return first + "\n" + list + "\n"
    }

    /// The parser's own message as ours: one sentence and the usage line of that verb only.
    static func complaint(_ message: String, _ arguments: [String]) -> Complaint {
        let lines = message.split(separator: "\n").map(String.init)
        let raw = (lines.first ?? message).replacingHead("Error: ", with: "")
        let usage = lines.first { $0.hasPrefix("Usage:") }?.replacingHead("Usage: ", with: "")
        return Complaint(
            SafeText.show(sentence(raw, arguments)), details: [("usage", SafeText.show(usage ?? "miswire <verb> [options]"))],
            exit: .usage)
    }

    private static func sentence(_ raw: String, _ arguments: [String]) -> String {
        let (type, path) = command(arguments)
        let quoted = raw.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        let word = quoted.count > 1 ? quoted[1] : ""
        let flag = String(word.split(separator: " ").first ?? "")
        if raw.hasPrefix("Missing expected argument"), let unknown = unknownOption(arguments, of: type) {
            // The parser misses the argument first; the word that is wrong is said first all the same.
            return sentence("Unknown option '\(unknown)'", arguments)
        }
        if raw.hasPrefix("Unknown option") {
            let near = Nearest.word(to: word, among: options(of: type)).map { "; write `\($0)`" } ?? ""
            return "`\(word)` is not an option of `\(path)`\(near)"
        }
        if raw.hasPrefix("Missing expected argument") { return "`\(path)` needs \(word)" }
        if raw.hasPrefix("Missing value for") { return "`\(flag)` needs a value" }
        if raw.hasPrefix("The value"), quoted.count > 3 {
            let option = quoted[3].split(separator: " ").first.map(String.init) ?? quoted[3]
            let choices = quoted.count > 4 && quoted[4].contains("Please provide") ? ": one of " + listed(quoted) : ""
            return "`\(word)` is not a value of `\(option)`\(choices)"
        }
        let parts = type.configuration.subcommands.map { part in part.configuration.commandName ?? "" }
        if raw.contains("nexpected argument"), !parts.isEmpty {
            let near = Nearest.word(to: word, among: parts).map { "; write `\($0)`" } ?? ": \(parts.joined(separator: ", "))"
            return "`\(word)` is no part of `\(path)`\(near)"
        }
        if raw.contains("nexpected argument") { return "`\(word)` is one word too many for `\(path)`" }
        return raw
    }

    /// The words that the parser quotes behind the first two.
    private static func listed(_ quoted: [String]) -> String {
        stride(from: 5, to: quoted.count, by: 2).map { "`\(quoted[$0])`" }.joined(separator: ", ")
    }

    private static func command(_ arguments: [String]) -> (any ParsableCommand.Type, String) {
        var found: any ParsableCommand.Type = Miswire.self
        var path = "miswire"
        for word in arguments {
            let below = found.configuration.subcommands
            guard let next = below.first(where: { $0.configuration.commandName == word }) else { break }
            found = next
            path += " " + word
        }
        return (found, path)
    }

    private static func unknownOption(_ arguments: [String], of type: any ParsableCommand.Type) -> String? {
        let known = options(of: type) + ["--help", "--version"]
        let words = arguments.filter { $0.hasPrefix("--") && $0.count > 2 }.map { $0.split(separator: "=")[0] }
        return words.map(String.init).first { !known.contains($0) && !$0.contains("'") }
    }

    private static func options(of type: any ParsableCommand.Type) -> [String] {
        let words = Miswire.helpMessage(for: type, columns: 200).split { $0 == " " || $0 == "\n" || $0 == "," || $0 == "/" }
        return words.filter { $0.hasPrefix("--") }.map(String.init)
    }
}
