package import ArgumentParser
import Profiles
import Reporting

/// `miswire profile check FILE…`: says what a run would refuse, without running.
package struct ProfileVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Check profiles and contracts, or list the shipped ones.",
        discussion: "miswire profile check profiles/lost-credential.yaml\nmiswire profile list",
        subcommands: [ProfileCheck.self, ProfileList.self])
    package init() {}
}

package struct ProfileCheck: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read profile or contract files and print every error with its place.")
    @Argument(help: "Files, or names of shipped profiles.")
    var files: [String]
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        var errors = 0
        for file in files {
            let found = ConfigurationCheck.check(file)
            if found.errors.isEmpty {
                console.answer("\(SafeText.show(file)): \(console.out.paint(console.out.glyph(.pass) + " ok", .pass))\n")
            } else {
                console.talk(ConfigurationForm.text(found, console.err))
                errors += found.errors.filter { $0.severity == .error }.count
            }
        }
        if errors > 0 { throw Finished(.usage) }
    }
}

package struct ProfileList: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the shipped profiles.")
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        for name in ProfileLoader.shipped {
            let about = (try? ProfileLoader().load(name).about) ?? ""
            console.answer("  " + console.out.paint(name.left(18), .name) + about + "\n")
        }
    }
}
