import ArgumentParser
import Contracts
import Oracles
import Profiles
import Reporting

/// `miswire contract [show] [NAME|FILE]`: the shipped contracts, or what one declares and which properties that switches on.
struct ContractShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a contract declares and which properties it switches on; alone, list the shipped ones.",
        discussion: """
            miswire contract show
            miswire contract show agent-chat
            miswire contract show mine.yaml --json
            """)
    @Argument(help: "A name, or a file.")
    var contract: String?
    @OptionGroup var looks: Looks

    func run() throws {
        let console = Console(looks: looks)
        guard let contract else { return try list(console) }
        let read = try ContractLoader().load(contract)
        if looks.json { return emit([read], console) }
        let rows = [("contract", "\(read.name) \(read.hash)"), ("about", read.about)] + ContractSummary.rows(read)
        for (label, text) in rows where !text.isEmpty {
            console.answer(
                Columns.wrapped(SafeText.show(text), label: "  " + label.left(12), width: console.out.width) + "\n")
        }
        console.answer("\n" + Self.properties(read, console))
    }

    /// Every property, and the key that it lacks.
    private static func properties(_ contract: Contract, _ console: Console) -> String {
        var table = Columns([.init(4), .init(34)])
        for property in PropertyRegistry.all {
            let missing = property.missingKey(in: contract)
            let word = missing.map { "not asked, needs \($0)" } ?? console.out.paint(console.out.glyph(.pass) + " asked", .pass)
            table.add(property.id, property.name, SafeText.show(word))
        }
        return table.text(console.out)
    }

    private func list(_ console: Console) throws {
        let shipped = try ContractLoader.shipped.map { try ContractLoader().load($0) }
        if looks.json { return emit(shipped, console) }
        var table = Columns([.init(22), .init(9)])
        table.add("contract", "hash", "what it promises")
        for contract in shipped { table.add(contract.name, contract.hash, SafeText.show(contract.about)) }
        console.answer(table.text(console.out))
    }

    private func emit(_ contracts: [Contract], _ console: Console) {
        let time = Console.utc()
        for read in contracts {
            var asked: [String] = []
            var lacking: [String] = []
            for property in PropertyRegistry.all {
                if let key = property.missingKey(in: read) { lacking.append("\(property.id) \(key)") } else { asked.append(property.id) }
            }
            console.emit(
                JSONLine("contract", time: time).adding("name", read.name).adding("hash", read.hash)
                    .adding("about", read.about).adding("requests", read.requests.map(\.name))
                    .adding("events", read.events.map(\.name)).adding("runs", read.runs.map(\.name))
                    .adding("errors", read.errors?.kinds ?? []).adding("rules", read.reject.count)
                    .adding("flows", read.flows.map(\.name)).adding("asked", asked).adding("lacking", lacking))
        }
        console.emit(.summary("contract", .pass, time: time))
    }
}
