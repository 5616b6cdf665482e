import Captures
import Foundation
import Journaling
import Oracles
import Peers
import Plans
import Reporting
import Testing

@testable import Commands

/// What a replay may say of evidence that is damaged: never a pass (trust.md T53).
@Suite struct RecordingFormTests {
    private func form(_ isComplete: Bool = true) -> RecordingForm {
        RecordingForm(
            console: Console(colour: .never, ascii: false, environment: [:]), json: false, verbose: false, isComplete: isComplete)
    }

    private func session(_ change: (inout SessionComparison) -> Void = { _ in }) -> SessionComparison {
        var session = SessionComparison(session: SessionID(3), user: "alice")
        (session.messages, session.same) = (4, 4)
        session.nowLength = .seconds(1)
        change(&session)
        return session
    }

    private func report(_ sessions: [SessionComparison], left: [Lift.Left] = []) -> RecordingReport {
        var comparison = Comparison()
        comparison.sessions = sessions
        var report = RecordingReport()
        report.groups = [ReplayedGroup(comparison: comparison, judgement: Judgement())]
        report.left = left
        return report
    }

    @Test func aPassNeedsAllOfTheRecording() {
        let whole = report([session()])
        #expect(form().reason(whole) == .pass)
        #expect(form(false).reason(whole) == .inconclusive)
        #expect(form().reason(report([session()], left: [.init(session: SessionID(4), reason: "x")])) == .inconclusive)
        #expect(form().reason(report([session { $0.isTorn = true }])) == .inconclusive)
        #expect(form().reason(report([session { $0.undecided = 1 }])) == .inconclusive)
        // What was found stays found.
        let changed = report([session { $0.differences = [Difference(kind: .changed, number: 1, title: "x", sentence: "y")] }])
        #expect(form(false).reason(changed) == .violations)
        #expect(form(false).reason(report([])) == .nothingExercised)
    }

    @Test func theServersRoleIsNoOther() {
        let whole = ServingOutcome(sessions: [session()], strangers: [])
        #expect(form().reason(whole, left: []) == .pass)
        #expect(form(false).reason(whole, left: []) == .inconclusive)
        #expect(form().reason(whole, left: [SessionID(2)]) == .inconclusive)
        #expect(form().reason(ServingOutcome(sessions: [session { $0.undecided = 2 }], strangers: []), left: []) == .inconclusive)
        #expect(form(false).reason(ServingOutcome(sessions: [session()], strangers: ["x"]), left: []) == .violations)
    }

    @Test func whatWasNotComparedIsSaid() {
        let report = report([
            session {
                $0.isTorn = true
                $0.undecided = 2
            }
        ])
        let text = form(false).text(report, [:], .inconclusive)
        #expect(text.contains("? the recording is not whole: what it lacks was not compared\n"))
        #expect(text.contains("? s3: a part of it is missing in the recording: 2 messages not compared\n"))
        #expect(!form().text(self.report([session()]), [:], .pass).contains("?"))
    }

    @Test func aCutRecordingIsKnownToBeOne() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let whole = root.appending(path: "corpus/recordings/three-users").path
        #expect(try RecordingFile(whole, contract: nil).isComplete)
        let segment = try #require(FileManager.default.contentsOfDirectory(atPath: whole).sorted().first { $0.hasSuffix(".ndjson") })
        let bytes = try Data(contentsOf: URL(filePath: whole + "/" + segment))
        try await Program.inDirectory { directory in
            try bytes.dropLast(40).write(to: URL(filePath: directory + "/cut.ndjson"))
            let file = try RecordingFile(directory + "/cut.ndjson", contract: nil)
            #expect(!file.isComplete && !file.entries.isEmpty)
        }
    }
}
