package import ArgumentParser
import Captures
import Contracts
import Journaling
import Oracles
import Profiles
import Reporting

/// `miswire check RECORDING`: judges offline, no network, the same verdicts as live.
package struct Check: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Judge a recording offline.",
        discussion: """
            miswire check rec/
            miswire check rec/ --contract agent-chat.yaml --json
            miswire check rec/ --contract mine.yaml --messages
            miswire check rec/ --report html=report.html
            """)

    @Argument(help: "A recording's directory, one .ndjson file, or RECORDING/SESSION.")
    var recording: String
    @Option(help: "Judge by this contract instead of the one in the recording.")
    var contract: String?
    @Flag(help: "One line a message: how the contract reads it, and what it was linked to.")
    var messages = false
    @Option(help: ArgumentHelp("Reports: html=FILE,junit=FILE,sarif=FILE,ndjson=FILE.", valueName: "kind=file"))
    var report: [String] = []
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let console = Console(looks: looks)
        let reports = try GivenReports(report)
        try reports.tryThem()
        let clock = ContinuousClock()
        let begun = clock.now
        let offline = try OfflineJudge(recording, contract: contract)
        var progress = Ticker(console: console, verb: "check")
        let lines = MessageLines(console: console, json: looks.json)
        var told: ((MessageReading) -> Void)?
        if messages { told = { lines.tell($0) } }
        let read = try offline.run(messages: told, progress: { entries in progress.tell("check entries=\(entries)") })
        progress.end()
        for warning in read.warnings { console.talk("warning: \(SafeText.show(warning))\n") }
        var reason = read.reason
        let files = CheckReports(recording: recording, orders: reports.files, contract: reports.files.isEmpty ? nil : offline.judgedBy)
        for fault in try files.write(read, took: begun.duration(to: clock.now), reason: reason) {
            console.talk("error: \(SafeText.show(fault))\n")
            reason = .selfCheckFailed
        }
        let form = CheckForm(console: console, recording: recording, verbose: looks.verbose)
        form.print(read, took: begun.duration(to: clock.now), reason: reason, json: looks.json)
        throw Finished(reason)
    }
}

/// Reads a recording through the same judge that runs live.
struct OfflineJudge {
    struct Result {
        var judgement: Judgement
        var warnings: [String]
        var isComplete: Bool
        /// Whose sessions it holds alone, as globs; empty = everybody's.
        var users: [String] = []

        /// A recording that was cut short can never yield exit 0 (trust.md T53).
        var reason: ExitReason {
            let reason = ExitReason.of(judgement)
            return isComplete || reason != .pass ? reason : .inconclusive
        }
    }
    /// What it is judged by.
    enum Law {
        /// The contract in its header.
        case recorded
        case given(Contract)
        case none
    }
    private let path: String
    private let law: Law
    /// Nil = by nothing but the protocol.
    var judgedBy: Contract? { try? contract(RecordingReader(path).header) }

    init(_ path: String, contract: String?) throws {
        self.init(path, law: try contract.map { .given(try ContractLoader().load($0)) } ?? .recorded)
    }

    init(_ path: String, law: Law) {
        self.path = path
        self.law = law
    }

    private func contract(_ header: RecordingHeader) throws -> Contract? {
        switch law {
        case .given(let contract): contract
        case .none: nil
        case .recorded: try header.contract.map { try ContractLoader.parse(text: $0.text, file: $0.name + ".yaml") }
        }
    }

    /// - Parameter messages: told how each message was read, in order.
    func run(messages: ((MessageReading) -> Void)? = nil, progress: (UInt64) -> Void) throws -> Result {
        do { return try read(progress, messages) } catch let error as RecordingError {
            throw Complaint(
                SafeText.show(error.sentence),
                details: [("place", SafeText.show(error.place))]
                    + (error.remedy.isEmpty ? [] : [("remedy", SafeText.show(error.remedy))]),
                exit: .usage)
        }
    }

    private func read(_ progress: (UInt64) -> Void, _ messages: ((MessageReading) -> Void)?) throws -> Result {
        var reader = try RecordingReader(path)
        if reader.header.mode == .meta {
            throw Complaint(
                "\(SafeText.show(path)) holds no messages, only who said something when",
                details: [("remedy", "record again without `meta`")], exit: .inconclusive)
        }
        let contract = try contract(reader.header)
        var judge = Judge(contract: contract, absence: try KnownAbsence.of(reader, path, judgedBy: contract))
        if messages != nil { judge.tellMessages() }
        // Of one session the recording's clock is read as well: it says when miswire itself was kept waiting.
        let session = reader.session
        if session != nil { reader = try RecordingReader(KnownAbsence.recording(path)) }
        var last = Instant.zero
        var count: UInt64 = 0
        while let entry = try reader.next() {
            if let session, entry.session != session, !entry.body.isTick { continue }
            judge.observe(entry)
            if let messages { judge.takeMessages().forEach(messages) }
            last = max(last, entry.instant)
            count += 1
            if count.isMultiple(of: 50_000) { progress(count) }
        }
        return Result(
            judgement: judge.conclude(at: last), warnings: reader.warnings, isComplete: reader.isComplete, users: reader.header.users)
    }
}
