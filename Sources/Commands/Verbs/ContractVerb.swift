package import ArgumentParser

/// `miswire contract`: the shipped contracts, what one says in short, what is wrong with one, and a first one from recordings.
package struct ContractVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "contract", abstract: "List and show contracts, check them, or infer a first one from recordings.",
        discussion: """
            miswire contract
            miswire contract show agent-chat
            miswire contract check mine.yaml
            miswire contract infer rec/ --out mine.yaml
            """,
        subcommands: [ContractShow.self, ContractCheck.self, ContractInfer.self], defaultSubcommand: ContractShow.self)
    package init() {}
}
