package import ArgumentParser
import Contracts
import Profiles
import Reporting

/// `miswire contract`: the shipped contracts, and what one says in short.
package struct ContractVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "contract", abstract: "List the shipped contracts, or show what one declares.",
        discussion: """
            miswire contract
            miswire contract agent-chat
            miswire contract mine.yaml
            """)
    @Argument(help: "A name, or a file.")
    var contract: String?
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        guard let contract else { return try list(console) }
        let read = try ContractLoader().load(contract)
        if looks.json { return emit([read], console) }
        let rows: [(String, String)] = [
            ("contract", "\(read.name) \(read.hash)"), ("about", read.about),
            ("requests", read.requests.map(\.name).joined(separator: " ")),
            ("events", read.events.map(\.name).joined(separator: " ")),
            ("runs", read.runs.map(\.name).joined(separator: " ")),
            ("errors", (read.errors?.kinds ?? []).joined(separator: " ")),
            ("rules", "\(read.reject.count) of what must be rejected"),
            ("flows", read.flows.map(\.name).joined(separator: " ")),
        ]
        for (label, text) in rows where !text.isEmpty {
            console.answer(
                Columns.wrapped(SafeText.show(text), label: "  " + label.left(10), width: console.out.width) + "\n")
        }
    }

    private func list(_ console: Console) throws {
        let shipped = try ContractLoader.shipped.map { try ContractLoader().load($0) }
        if looks.json { return emit(shipped, console) }
        var table = Columns([.init(14), .init(9)])
        table.add("contract", "hash", "what it promises")
        for contract in shipped { table.add(contract.name, contract.hash, SafeText.show(contract.about)) }
        console.answer(table.text(console.out))
    }

    private func emit(_ contracts: [Contract], _ console: Console) {
        let time = Console.utc()
        for read in contracts {
            console.emit(
                JSONLine("contract", time: time).adding("name", read.name).adding("hash", read.hash)
                    .adding("about", read.about).adding("requests", read.requests.map(\.name))
                    .adding("events", read.events.map(\.name)).adding("runs", read.runs.map(\.name))
                    .adding("errors", read.errors?.kinds ?? []).adding("rules", read.reject.count)
                    .adding("flows", read.flows.map(\.name)))
        }
        console.emit(.summary("contract", .pass, time: time))
    }
}
