import ArgumentParser
import Captures
import Foundation
import Journaling
import Reporting

/// `miswire recording expire REC…`
struct RecordingExpire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expire", abstract: "Delete the segments that a recording's header says may not be kept any longer.",
        discussion: """
            miswire recording expire rec-*/                  from cron, once a day
            miswire recording expire --dry-run rec/          says what would go
            miswire recording expire --retain 1d rec/        for this once, whatever the header says

            Only files that bear the header of the recording are deleted, each is told, and the segment that a running
            proxy writes to stays. A segment's age counts from when it was last written to.
            """)

    @Argument(help: "Directories of recordings.")
    var recordings: [String]
    @Option(help: "In place of what the headers say: 7d, 12h, forever.")
    var retain: RetainedTime?
    @Option(name: .customLong("retain-size"), help: "In place of what the headers say: 10GiB, 500MiB, unlimited.")
    var retainSize: RetainedSize?
    @Flag(name: .customLong("dry-run"), help: "Delete nothing, only say what would go.")
    var dryRun = false
    @OptionGroup var looks: Looks

    private var given: Retention? {
        retain == nil && retainSize == nil ? nil : Retention(seconds: retain?.seconds, bytes: retainSize?.bytes)
    }

    func run() throws {
        let console = Console(looks: looks)
        var (deleted, failed) = (0, 0)
        var problems: [Complaint] = []
        for path in recordings {
            do throws(RecordingError) {
                let told = try Expiry.run(path, retention: given, now: Int64(Date().timeIntervalSince1970), isTrial: dryRun)
                for deletion in told.deletions {
                    if deletion.failure == nil { deleted += 1 } else { failed += 1 }
                    tell(deletion, console)
                }
                if told.retention == nil, told.kept > 0 {
                    console.talk("warning: \(SafeText.show(path)): its header names no retention, so nothing goes; name one with --retain\n")
                }
            } catch { problems.append(RecordingComplaint.of(error)) }
        }
        // One of a nightly list that cannot be read keeps none of the others.
        if let last = problems.popLast() {
            for problem in problems { console.talk(problem.text(console.err)) }
            throw last
        }
        let reason: ExitReason = failed == 0 ? .pass : .inconclusive
        let what = "recording  \(Figures.plural(deleted, "segment")) \(dryRun ? "would go" : "deleted"), \(Figures.plural(recordings.count, "recording"))"
        if looks.json {
            console.emit(
                JSONLine.summary("recording", reason, time: Console.utc()).adding("deleted", deleted).adding("failed", failed)
                    .adding("dryRun", .bool(dryRun)))
        } else {
            console.answer(reason.ending(what) + "\n")
        }
        throw Finished(reason)
    }

    private func tell(_ deletion: SegmentDeletion, _ console: Console) {
        let text = dryRun ? deletion.description.replacingOccurrences(of: " is deleted: ", with: " would go: ") : deletion.description
        if looks.json {
            console.emit(
                JSONLine("deletion", time: Console.utc()).adding("path", deletion.path).adding("bytes", deletion.bytes)
                    .adding("sentence", text).adding("failed", .bool(deletion.failure != nil)))
        } else {
            console.answer("  \(SafeText.show(text)), \(Figures.bytes(UInt64(clamping: deletion.bytes)))\n")
        }
    }
}
