import ArgumentParser
import Profiles

/// `miswire contract check FILE…`: says what a run would refuse, without running.
struct ContractCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read contracts and print every error and warning with its place.",
        discussion: "miswire contract check mine.yaml\nmiswire contract check --plain contracts/*.yaml")
    @Argument(help: "Files, or names of shipped contracts.")
    var files: [String]
    @Flag(help: "One line an error, for editors: FILE:LINE:COLUMN: error: SENTENCE.")
    var plain = false
    @OptionGroup var looks: Looks

    func run() throws {
        try FileCheck(verb: "contract", plain: plain, json: looks.json).run(files, Console(looks: looks)) {
            ConfigurationCheck.contract($0)
        }
    }
}
