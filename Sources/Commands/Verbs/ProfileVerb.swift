package import ArgumentParser
import Contracts
import Profiles
import Reporting

/// `miswire profile check FILE…`: says what a run would refuse, without running.
package struct ProfileVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Check profiles and contracts, list or show the shipped profiles.",
        discussion: """
            miswire profile list
            miswire profile show delayed-accept
            miswire profile check profiles/lost-credential.yaml
            miswire profile schema > profile.schema.json
            """,
        subcommands: [ProfileCheck.self, ProfileList.self, ProfileShow.self, ProfileSchemaVerb.self])
    package init() {}
}

package struct ProfileCheck: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read profiles, contracts or files of listeners and print every error with its place.",
        discussion: "miswire profile check profiles/lost-credential.yaml\nmiswire profile check --plain *.yaml")
    @Argument(help: "Files, or names of shipped profiles.")
    var files: [String]
    @Flag(help: "One line an error, for editors: FILE:LINE:COLUMN: error: SENTENCE.")
    var plain = false
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        try FileCheck(verb: "profile", plain: plain, json: looks.json).run(files, Console(looks: looks)) {
            ConfigurationCheck.check($0, Listeners.words)
        }
    }
}

package struct ProfileList: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the shipped profiles.", discussion: "miswire profile list")
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let time = Console.utc()
        var table = Columns([.init(20), .init(9)])
        table.add("profile", "hash", "what it does")
        for name in ProfileLoader.shipped {
            let profile = try ProfileLoader().load(name)
            table.add(name, profile.hash, profile.about)
            if looks.json {
                console.emit(
                    JSONLine("profile", time: time).adding("name", name).adding("hash", profile.hash)
                        .adding("about", profile.about).adding("faults", profile.faults.map(\.id)))
            }
        }
        if looks.json { return console.emit(.summary("profile", .pass, time: time)) }
        console.answer(table.text(console.out))
    }
}

package struct ProfileShow: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a profile as it is written, to copy and edit.",
        discussion: "miswire profile show delayed-accept > mine.yaml\nmiswire profile show --resolved mine.yaml")
    @Argument(help: "A shipped profile's name, or a file.")
    var profile: String
    @Flag(help: "As it comes out of everything that it extends.")
    var resolved = false
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let read = try ProfileLoader().load(profile)
        if looks.json {
            let time = Console.utc()
            console.emit(
                JSONLine("profile", time: time).adding("name", read.name).adding("hash", read.hash)
                    .adding("about", read.about).adding("faults", read.faults.map(\.id))
                    .adding("text", resolved ? try ProfileLoader().resolved(profile) : read.text))
            return console.emit(.summary("profile", .pass, time: time))
        }
        console.answer(FileText.shown(resolved ? try ProfileLoader().resolved(profile) : read.text))
    }
}

package struct ProfileSchemaVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of profiles, for editors.",
        discussion: """
            miswire profile schema > profile.schema.json
            The first line of a profile that an editor is to check:
            # yaml-language-server: $schema=profile.schema.json
            """)
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        guard looks.json else { return console.answer(ProfileSchema.text) }
        let time = Console.utc()
        console.emit(JSONLine("schema", time: time).adding("schema", ProfileSchema.json))
        console.emit(.summary("profile", .pass, time: time))
    }
}

/// A file's text line by line: only line ends stay what they are (trust.md T38).
enum FileText {
    static func shown(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { SafeText.show(String($0)) }
        let whole = lines.joined(separator: "\n")
        return whole.hasSuffix("\n") || whole.isEmpty ? whole : whole + "\n"
    }
}
