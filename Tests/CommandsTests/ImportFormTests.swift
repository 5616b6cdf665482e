import Journaling
import Reporting
import Testing

@testable import Captures
@testable import Commands

@Suite struct ImportFormTests {
    private let form = ImportForm(console: Console(colour: .never, ascii: false, environment: [:]), out: "rec/", verbose: false)

    private func result(_ change: (inout ImportRun.Result) -> Void = { _ in }) -> ImportRun.Result {
        var counts = ImportCounts()
        counts.connections = 41
        counts.sessions = 12
        counts.refused = 1
        counts.begunBefore = 3
        counts.unfinished = 2
        counts.messagesToServer = 812
        counts.messagesToClient = 2_410
        counts.entries = 8_120
        counts.gaps = 3
        counts.missingBytes = 4_380
        counts.torn = 1
        counts.span = 41_200_000_000
        let source = ImportRun.Source(importer: NDJSONImporter.self, paths: ["a.ndjson", "b\u{1b}.ndjson"])
        let summary = ImportSummary(records: 3_222, bytes: 18_200_000, unreadable: 12, skipped: 4)
        var result = ImportRun.Result(
            sources: [.init(source: source, summary: summary)], counts: counts, hasRecording: true)
        change(&result)
        return result
    }

    @Test func whatWasFoundReadsAsOneTable() {
        let text = form.text(result(), took: .milliseconds(1_240), reason: .pass)
        #expect(
            text == """
                  ndjson      3,222 lines, 18 MB, 4 passed over, 12 unreadable   a.ndjson and b\\x1b.ndjson
                  sessions    12 on 41 connections, 1 refused, 3 connections had begun before the capture, 2 without an end in it
                  messages    812 ▸   2,410 ◂   over 41.2 s
                  gaps        3, at least 4.4 kB missing; behind them 1 session cannot be judged
                  recording   rec/   8,120 entries   judge it with: miswire check rec/

                import  12 sessions, 3,222 messages, 1.2 s                                           exit 0 (pass)

                """)
    }

    @Test func exitsSayWhatARecordingIsWorth() {
        #expect(ImportForm.reason(result()) == .pass)
        let failure = ImportError(place: "a.ndjson:7", sentence: "the line is too long", expected: "less", found: "more", remedy: "cut it")
        let broken = result { $0.sources[0].failure = failure }
        #expect(ImportForm.reason(broken) == .inconclusive)
        #expect(
            form.talk(broken) == [
                "error: the line is too long", "  place     a.ndjson:7", "  expected  less", "  found     more", "  remedy    cut it",
            ])
        #expect(ImportForm.reason(result { $0.hasRecording = false }) == .nothingExercised)
        #expect(
            ImportForm.reason(
                result {
                    $0.hasRecording = false
                    $0.sources[0].failure = failure
                }) == .usage)
        let empty = result {
            $0.hasRecording = false
            $0.counts.sessions = 0
        }
        #expect(form.text(empty, took: .zero, reason: .nothingExercised).contains("recording   none: there is no WebSocket session in it"))
    }

    @Test func notesAreFolded() {
        let noisy = result { result in
            for number in 1...120 { result.counts.note("a\(number)\nb") }
        }
        let lines = form.talk(noisy)
        #expect(lines.count == 9)
        #expect(lines[0] == "warning: a1\\nb")
        #expect(lines.last == "warning: 112 more of these (--verbose lists them)")
        var long = form
        long.verbose = true
        #expect(long.talk(noisy).count == 101)
        #expect(long.talk(noisy).last == "warning: 20 more of these")
    }
}
