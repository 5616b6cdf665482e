import ArgumentParser
import Captures
import Contracts
import Journaling
import Reporting

/// `miswire contract infer RECORDING…`: a first contract from what was seen.
struct ContractInfer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer", abstract: "Write a first contract from recordings; nothing in it makes a request must-reject.",
        discussion: """
            miswire contract infer rec/ > mine.yaml
            miswire contract infer monday/ tuesday/ --name shop --out shop.yaml
            miswire check --contract shop.yaml wednesday/
            """)
    @Argument(help: "Recordings: directories, .ndjson files, or RECORDING/SESSION.")
    var recordings: [String]
    @Option(help: "The contract's name. Default: what the first recording is called.")
    var name: String?
    @Option(help: "The file to write. Default: standard output.")
    var out: String?
    @OptionGroup var looks: Looks

    func run() throws {
        let console = Console(looks: looks)
        if let name, !ContractReader.isName(name) {
            throw Complaint(
                "`\(SafeText.show(name))` is not a name", details: [("expected", "letters, digits, dots and dashes, such as shop")],
                exit: .usage)
        }
        var progress = Ticker(console: console, verb: "contract")
        let work = InferenceRun(recordings: recordings, name: name ?? Self.name(of: recordings.first ?? ""))
        let result = try work.run { progress.tell("contract infer \($0)") }
        progress.end()
        for warning in result.warnings { console.talk("warning: \(SafeText.show(warning))\n") }
        if let out { try write(result.text, to: out) }
        if looks.json {
            let time = Console.utc()
            console.emit(
                JSONLine("contract", time: time).adding("name", work.name).adding("text", result.text)
                    .adding("messages", result.messages).adding("left", result.left))
            return console.emit(.summary("contract", .pass, time: time))
        }
        if out == nil { return console.answer(result.text) }
        console.talk("contract \(SafeText.show(work.name)) is written from \(Figures.plural(result.messages, "message"))\n")
    }

    private func write(_ text: String, to path: String) throws {
        do throws(RecordingError) {
            let file = try ExportFile(path)
            try file.write(Array(text.utf8))
            try file.finish()
        } catch {
            throw Export.complaint(error)
        }
    }

    /// `rec/shop/` is shop.
    static func name(of path: String) -> String {
        var last = path.split(separator: "/").last.map(String.init) ?? ""
        for end in [".gz", ".ndjson"] where last.hasSuffix(end) { last = String(last.dropLast(end.count)) }
        let tame = String(last.unicodeScalars.map { ContractReader.isName("a" + String($0)) ? Character($0) : "-" }.prefix(40))
        return ContractReader.isName(tame) && tame.contains(where: \.isLetter) ? tame : "inferred"
    }
}
