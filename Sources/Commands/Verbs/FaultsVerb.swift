package import ArgumentParser
import Contracts
import Faults
import Reporting
import Wire

/// `miswire faults [KIND]`: the catalogue, printed from the registry.
package struct FaultsVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "List the faults a profile can name, or one fault's settings.",
        discussion: """
            miswire faults
            miswire faults message
            miswire faults drop-auth
            """)

    @Argument(help: "One kind, for its settings, or a group of kinds.")
    var kind: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let group = FaultCatalogue.groups.first { $0 == kind }
        if let kind, group == nil {
            guard let fault = FaultCatalogue.all.first(where: { $0.name == kind }) else { throw Self.unknown(kind) }
            if looks.json { return Self.emit([fault], console) }
            return console.answer(FaultCatalogue.settings(of: fault, console.out))
        }
        if looks.json {
            return Self.emit(FaultCatalogue.all.filter { group == nil || $0.group.rawValue == group }, console)
        }
        console.answer(FaultCatalogue.table(group, console.out))
    }

    private static func unknown(_ kind: String) -> Complaint {
        let names = FaultCatalogue.all.map { fault in fault.name }
        let near = Nearest.word(to: kind, among: names).map { [(label: "remedy", text: "write `\($0)`")] }
        return Complaint(
            "no fault is called `\(SafeText.show(kind))`",
            details: [("known", Nearest.list(names))] + (near ?? [("remedy", "`miswire faults` lists all")]), exit: .usage)
    }

    private static func emit(_ faults: [any Fault.Type], _ console: Console) {
        let time = Console.utc()
        for fault in faults {
            let settings = fault.parameters.map { parameter in
                JSON.object([
                    .init(key: "name", value: .string(parameter.name)),
                    .init(key: "value", value: .string(FaultCatalogue.words(parameter.unit))),
                    .init(key: "default", value: parameter.default.map { .string($0) } ?? .null),
                    .init(key: "doc", value: .string(parameter.doc)),
                ])
            }
            console.emit(
                JSONLine("fault", time: time).adding("name", fault.name).adding("group", fault.group.rawValue)
                    .adding("taps", FaultCatalogue.taps(fault)).adding("summary", fault.summary)
                    .adding("excuse", fault.excuse).adding("settings", .array(settings)))
        }
        console.emit(.summary("faults", .pass, time: time).adding("faults", faults.count))
    }
}
