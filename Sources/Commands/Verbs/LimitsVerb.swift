import ArgumentParser
import Journaling
import Reporting

/// `miswire limits`: every bound of ours with its number (trust.md section 3).
package struct LimitsVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Print every limit: what, default, and what happens beyond.")
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        var lines = ["  " + "id".left(5) + "what".left(40) + "default".left(26) + "when exceeded"]
        for row in Limits.standard.rows {
            lines.append("  " + console.out.paint(row.id.left(5), .name) + row.what.left(40) + row.value.left(26) + row.then)
        }
        console.answer(lines.joined(separator: "\n") + "\n")
    }
}
