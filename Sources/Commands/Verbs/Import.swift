package import ArgumentParser
import Captures
import Contracts
import Journaling
import Profiles
import ProxyRuntime
import Reporting

/// `miswire import FILE… --out RECORDING`: makes a recording of traffic that others captured.
package struct Import: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a recording of captures: packets, HAR, mitmproxy flows, messages, raw files.",
        discussion: """
            miswire import chat.pcapng --out rec/ --contract agent-chat
            miswire import a.pcap b.pcap --keylog keys.log --filter 'tcp port 443' --out rec/
            miswire import trace.har dump.flow messages.ndjson --out rec/
            miswire import afl-out/queue --format raw --out rec/
            miswire import chat.pcapng --record-mode none                 reads it all, writes nothing
            miswire import chat.pcapng --out rec/ --record-mode raw --yes --retain 1d

            A child of its own reads them, which may open these files and the recording and nothing else: no other file, no
            socket, no program (Landlock and seccomp, where the kernel has them). A --filter with names of hosts that only
            DNS knows needs --no-sandbox.

            """ + forms)

    /// What can be read, from the registry.
    private static var forms: String {
        ImporterRegistry.all.map { $0.name.left(8) + $0.summary }.joined(separator: "\n")
    }

    @Argument(help: "Files to read, or directories of raw files. Their sessions are merged by time.")
    var files: [String]
    @Option(help: "The recording's directory; new, or without a recording.")
    var out: String?
    @OptionGroup var recording: RecordOptions
    @Option(help: "TLS secrets in the form of SSLKEYLOGFILE.")
    var keylog: String?
    @Option(help: "A BPF filter for packets, such as 'tcp port 8080'.")
    var filter: String?
    @Option(help: "A shipped contract's name, or a file: goes into the recording, and tells where its secrets stand.")
    var contract: String?
    @Option(help: "What the files are, when they do not tell by themselves.")
    var format: String?
    @Flag(help: "Pack the recording's segments with gzip.")
    var gzip = false
    @Flag(name: .customLong("no-sandbox"), help: "Read the files with all rights that you have, in this process.")
    var noSandbox = false
    @OptionGroup var root: RootOptions
    @OptionGroup var looks: Looks

    package init() {}

    package func validate() throws {
        guard out != nil || recording.mode == .none else {
            throw ValidationError("`miswire import` needs --out RECORDING, or --record-mode none to write nothing")
        }
    }

    /// Where the recording will be; nil = nothing is written.
    var target: String? { recording.mode == .none ? nil : out }

    func readContract() throws -> Contract? { try contract.map { try ContractLoader().load($0) } }

    package func run() async throws {
        try root.check("import")
        try perform(EarlyImport.take(self))
    }

    /// All of it, on the calling thread.
    func perform(_ begin: @autoclosure () throws -> EarlyImport.Standing) throws {
        let console = Console(looks: looks)
        let ticking = ImportTicker(Ticker(console: console, verb: "import"))
        do {
            let standing = try begin()
            if let target { try RawConsent.obtain(recording, out: target, console: console) }
            let begun = ContinuousClock.now
            let form = ImportForm(console: console, out: target, verbose: looks.verbose, sandbox: standing.sandbox?.words)
            form.tell(standing, json: looks.json)
            let options = ImportOptions(keyLog: keylog, filter: filter, progress: { ticking.tell($0) })
            let run = try ImportRun(files, kind: format, options: options)
            try checkPackets(run)
            let weaver = try SessionWeaver(Self.settings(standing.contract, recording, out: target, isPacked: gzip, purpose: run.purpose))
            let result = try run.run(into: weaver, scratch: standing.scratch ?? scratch)
            ticking.end()
            let reason = ImportForm.reason(result, isWritten: target != nil)
            form.print(result, took: begun.duration(to: .now), reason: reason, json: looks.json)
            throw Finished(reason)
        } catch let error as ImportError {
            ticking.end()
            throw ImportForm.complaint(error)
        }
    }

    /// Keys and filters are of use for packets only.
    private func checkPackets(_ run: ImportRun) throws {
        guard keylog != nil || filter != nil, !run.sources.contains(where: { $0.importer.name == "pcap" }) else { return }
        throw Complaint(
            "\(keylog != nil ? "--keylog" : "--filter") is for captures of packets",
            details: [("found", run.sources.map { $0.importer.name }.joined(separator: ", ")), ("remedy", "leave it out")], exit: .usage)
    }

    static func settings(
        _ contract: Contract?, _ recording: RecordOptions, out: String?, isPacked: Bool, purpose: String
    ) -> SessionWeaver.Settings {
        let header = RecordingHeader(
            program: Miswire.number, started: "", seed: 1, mode: recording.mode.header ?? .redacted,
            contract: contract.map { .init(name: $0.name, hash: $0.hash, text: $0.text) },
            purpose: recording.purpose(purpose), retention: recording.retention, isImported: true)
        let signing = SigningKey.checking(contract)
        let finder: any SecretFinder =
            contract.map { ContractSecrets($0, key: signing.map { Array($0.text.utf8) }, isPresumed: signing?.isPresumed ?? false) }
            ?? StandardSecrets()
        // Fresh each time and never stored (trust.md T35).
        var system = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &system) }
        return SessionWeaver.Settings(directory: out, header: header, finder: finder, redactionKey: key, isPacked: isPacked)
    }

    /// A directory that is there, on the recording's file system.
    private var scratch: String { RecordingWriter.nearestDirectory(target ?? "/tmp") }
}
