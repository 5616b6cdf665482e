import Contracts
import Reporting

/// Every error of each file: painted blocks, lines for editors, or JSON; exit 4 when there is one that no run would take.
struct FileCheck {
    var verb: String
    var plain: Bool
    var json: Bool

    func run(_ files: [String], _ console: Console, _ check: (String) -> ConfigurationErrors) throws {
        var errors = 0
        let time = Console.utc()
        for file in files {
            let found = check(file)
            errors += found.errors.filter { $0.severity == .error }.count
            if json {
                for error in found.errors { console.emit(Self.line(error, time)) }
            } else if found.errors.isEmpty {
                console.answer("\(SafeText.show(file)): \(console.out.paint(console.out.glyph(.pass) + " ok", .pass))\n")
            } else if plain {
                console.talk(found.errors.map { $0.plain + "\n" }.joined())
            } else {
                console.talk(ConfigurationForm.text(found, console.err))
            }
        }
        let reason = errors > 0 ? ExitReason.usage : .pass
        if json {
            console.emit(.summary(verb, reason, time: time).adding("files", files.count).adding("errors", errors))
        }
        if errors > 0 { throw Finished(reason) }
    }

    private static func line(_ error: ConfigurationError, _ time: String) -> JSONLine {
        JSONLine(error.severity.rawValue, time: time).adding("file", error.file).adding("line", error.line)
            .adding("column", error.column).adding("message", error.message).adding("remedy", error.remedy)
    }
}
