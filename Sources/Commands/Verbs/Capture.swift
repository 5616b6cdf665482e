package import ArgumentParser
import Captures
import Contracts
import Profiles
import Reporting
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// `miswire capture -i IFACE [BPF]`: listens to an interface, writes what passes, or makes a recording of it at once.
package struct Capture: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Capture WebSocket traffic from a network interface.",
        discussion: """
            miswire capture -i eth0 --out rec/ --duration 5m
            miswire capture -i lo tcp port 8080 --write chat.pcapng
            miswire capture -i eth0 --out rec/ --record-mode meta --purpose 'load of Monday' --retain 1d
            miswire capture -i lo tcp port 443 --keylog keys.log --out rec/
            sudo miswire capture -i eth0 --write all.pcapng --yes --user tcpdump
            Ctrl-C ends it in good order. Rights are for opening the device only: then it belongs to who called sudo, else
            to nobody, or to --user, and has no capability left. Files are made by that user.
            """)

    @Option(name: [.customShort("i"), .long], help: "The network interface; any = all of them.")
    var interface: String
    @Argument(help: "Only these packets, in the language of tcpdump: tcp port 8080.")
    var filter: [String] = []
    @Option(help: "Write the packets into this pcapng file as they are, secrets and all; needs a yes.")
    var write: String?
    @Option(help: "Make a recording of them in this directory, as --record-mode says.")
    var out: String?
    @OptionGroup var recording: RecordOptions
    @Option(help: "A shipped contract's name, or a file: goes into the recording, and tells where its secrets stand.")
    var contract: String?
    @Option(name: .customLong("keylog"), help: "A file of TLS secrets (SSLKEYLOGFILE), for --out. Followed while clients write it; may come later.")
    var keyLog: String?
    @Option(help: "Stop after this time, such as 30s.")
    var duration: TimeSpan?
    @Option(help: "Stop after this many packets.")
    var count: UInt64?
    @Option(help: "Whom it belongs to once the device is open. Default: who called sudo, else nobody.")
    var user: String?
    @OptionGroup var root: RootOptions
    @OptionGroup var looks: Looks

    package init() {}

    package func validate() throws {
        guard write != nil || target != nil else {
            throw ValidationError("`miswire capture` needs --write FILE or --out RECORDING")
        }
        if keyLog != nil, target == nil {
            throw ValidationError("`--keylog` needs --out RECORDING: packets are written as they are, and `miswire import` takes the same `--keylog` later")
        }
        if count == 0 { throw ValidationError("`0` is not a value of `--count`") }
    }

    var expression: String? { filter.isEmpty ? nil : filter.joined(separator: " ") }

    /// Where the recording will be; nil = none is made.
    private var target: String? { recording.mode == .none ? nil : out }

    package func run() async throws {
        let console = Console(looks: looks)
        let opened: EarlyCapture.Opened
        do { opened = try EarlyCapture.take(self) } catch { throw ImportForm.complaint(error) }
        try RawConsent.obtain(recording, out: target, packets: write, console: console)
        let promise = try contract.map { try ContractLoader().load($0) }
        let options = LiveCapture.Options(
            interface: interface, filter: expression, write: write, duration: duration?.duration, count: count,
            keyLog: keyLog, program: "miswire \(Miswire.number)")
        let job = CaptureJob(options, opened.device, out: target, contract: promise, recording: recording)
        let begun = ContinuousClock.now
        let watch = Task { for await _ in Signals.stream([SIGINT, SIGTERM]) { job.stop() } }
        defer { watch.cancel() }
        let ticker = Mutex(Ticker(console: console, verb: "capture"))
        let result = await job.run(
            opened: { awaited in
                console.talk(CaptureForm.opening(options, out: target, recording.mode, as: opened.rights.user))
                if let awaited { console.talk(CaptureForm.awaits(awaited)) }
            },
            progress: { summary in ticker.withLock { $0.tell(CaptureForm.progress(summary)) } },
            warn: { sentence in
                ticker.withLock { $0.end() }
                console.talk(CaptureForm.trouble(sentence, as: opened.rights.user))
            })
        ticker.withLock { $0.end() }
        switch result {
        case .failure(let error): throw ImportForm.complaint(told(error, user: opened.rights.user))
        case .success(let told): try finish(told, console, took: begun.duration(to: .now))
        }
    }

    /// Files are not made, or read, by the one who started it, which is no fault of theirs.
    private func told(_ error: ImportError, user: String) -> ImportError {
        guard error.found == "Permission denied" else { return error }
        var error = error
        let rest = error.place == keyLog ? "let that user read it" : "name a place where that user may write"
        error.remedy = "the capture belongs to \(user) by now: \(rest), or name another user with --user"
        return error
    }

    private func finish(_ told: CaptureJob.Told, _ console: Console, took: Duration) throws {
        for line in CaptureForm.warnings(told, interface) { console.talk("warning: \(SafeText.show(line))\n") }
        // Nothing was asked for but a recording, and no session was found to record.
        let isNothing = told.live.packets == 0 || write == nil && !told.hasRecording
        let reason: ExitReason = isNothing ? .nothingExercised : .pass
        if !looks.json { console.answer(CaptureForm.files(told, write: write, out: target)) }
        console.talk(reason.ending(CaptureForm.closing(told.live, took: took)) + "\n")
        if looks.json { console.emit(CaptureForm.line(told, reason)) }
        throw Finished(reason)
    }
}
