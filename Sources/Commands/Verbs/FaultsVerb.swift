package import ArgumentParser
import Faults
import Reporting

/// `miswire faults [KIND]`: the catalogue, printed from the registry.
package struct FaultsVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "List the faults a profile can name, or one fault's settings.",
        discussion: "miswire faults\nmiswire faults drop-auth")

    @Argument(help: "One kind, for its settings.")
    var kind: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        guard let kind else {
            console.answer(FaultCatalogue.table(console.out))
            return
        }
        guard let settings = FaultCatalogue.settings(of: kind, console.out) else {
            let names = FaultRegistry.all.map { fault in fault.name }
            throw Complaint(
                "no fault is called `\(SafeText.show(kind))`",
                details: [("expected", names.joined(separator: " ")), ("remedy", "`miswire faults` lists all")],
                exit: .usage)
        }
        console.answer(settings)
    }
}
