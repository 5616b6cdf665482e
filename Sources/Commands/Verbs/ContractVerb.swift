package import ArgumentParser
import Profiles
import Reporting

/// `miswire contract`: the shipped contracts, and what one says in short.
package struct ContractVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "contract", abstract: "List the shipped contracts, or show what one declares.",
        discussion: "miswire contract\nmiswire contract agent-chat")
    @Argument(help: "A name, or a file.")
    var contract: String?
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        guard let contract else {
            for name in ContractLoader.shipped { console.answer("  " + console.out.paint(name, .name) + "\n") }
            return
        }
        let read = try ContractLoader().load(contract)
        let rows: [(String, String)] = [
            ("contract", "\(read.name) \(read.hash)"), ("about", read.about),
            ("requests", read.requests.map(\.name).joined(separator: " ")),
            ("events", read.events.map(\.name).joined(separator: " ")),
            ("runs", read.runs.map(\.name).joined(separator: " ")),
            ("errors", (read.errors?.kinds ?? []).joined(separator: " ")),
            ("rules", "\(read.reject.count) of what must be rejected"),
            ("flows", read.flows.map(\.name).joined(separator: " ")),
        ]
        for (label, text) in rows where !text.isEmpty { console.answer("  " + label.left(10) + SafeText.show(text) + "\n") }
    }
}
