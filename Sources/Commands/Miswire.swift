package import ArgumentParser
import Captures

/// The command line's root. One verb is one file in `Verbs/` and one line here.
package struct Miswire: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "miswire",
        abstract: "A WebSocket proxy that injects faults, and an oracle that proves where errors and messages went.",
        discussion: """
            miswire demo                                  the whole idea in seconds
            miswire proxy ws://127.0.0.1:8080             in front of your server
            miswire fuzz ws://127.0.0.1:8080/ws           find what breaks a promise, by itself
            miswire check rec/                            judge a recording
            miswire replay F.plan ws://127.0.0.1:8080/ws  play a finding again
            """,
        version: version,
        subcommands: verbs)

    package static let number = "0.1.0"

    /// Also names the C libraries it is linked with, so that a report says which ones parsed its input.
    package static var version: String {
        "miswire \(number)\n" + LibraryVersions.lines.map { "  " + $0 }.joined(separator: "\n")
    }

    package static let verbs: [any ParsableCommand.Type] = [
        Demo.self, Proxy.self, Fuzz.self, Replay.self, Check.self, Capture.self, Import.self, Export.self, ProfileVerb.self,
        ContractVerb.self, FaultsVerb.self, Backend.self, CorpusVerb.self, RecordingVerb.self, CAVerb.self, LimitsVerb.self,
    ]

    package init() {}
}
