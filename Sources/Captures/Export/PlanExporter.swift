package import Contracts
package import Journaling
import Plans

/// Plans for the fuzzer and for `miswire replay`: what the clients did, values of the server bound to where they came from.
/// A recording may give several; one output takes one.
package enum PlanExporter: Exporter {
    package static let name = "plan"
    package static let summary = "a plan that does again what the clients did"

    package static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary {
        let lifted = try lift(source, contract: nil, limits: options.limits)
        try output.write(Array(try only(lifted, source).text.utf8))
        return lifted.summary
    }

    /// The plan of a recording that gives exactly one.
    package static func only(
        _ lifted: (plans: [Named], summary: ExportSummary), _ source: ExportSource
    ) throws(RecordingError) -> Named {
        guard lifted.plans.count <= 1 else {
            let sessions = lifted.plans.prefix(8).map { $0.sessions.map(\.description).joined(separator: " with ") }
            throw RecordingError(
                place: source.path, sentence: "the recording holds \(lifted.plans.count) plans, and one file takes one",
                expected: "sessions that overlap", found: sessions.joined(separator: ", "),
                remedy: "name a directory with `--out DIR/`, or one session with `--session`")
        }
        guard let plan = lifted.plans.first else {
            throw RecordingError(
                place: source.path, sentence: "no session gives a plan", expected: "a client that sent something",
                found: lifted.summary.left.first ?? "no session", remedy: "name another recording")
        }
        return plan
    }

    /// One plan and the name of a file for it: `s1.plan`
    package struct Named: Sendable {
        package var name: String
        package var text: String
        package var sessions: [SessionID]
    }

    /// - Parameter contract: for what its messages mean; nil lifts by values alone.
    package static func lift(
        _ source: ExportSource, contract: Contract?, limits: Limits = .standard
    ) throws(RecordingError) -> (plans: [Named], summary: ExportSummary) {
        var entries: [Entry] = []
        var bytes = 0
        let read = try source.read(limits: limits) { (entry, _) throws(RecordingError) in
            if case .tick = entry.body { return }
            bytes += 256
            if case .frame(let record) = entry.body { bytes += record.frame.payload.readableBytes }
            guard bytes <= limits.importHARBytes else {
                throw RecordingError(
                    place: source.path, sentence: "the recording is too large to become plans",
                    expected: "at most \(limits.importHARBytes >> 20) MiB of entries", found: "more",
                    remedy: "name one session with `--session`")
            }
            entries.append(entry)
        }
        let epoch = WallClockText.iso(read.header.started).map { $0 / 1_000_000_000 }
        let lift = PlanLift.lift(entries: entries, contract: contract, epoch: epoch)
        var summary = ExportSummary()
        summary.take(read)
        summary.sessions = lift.plans.reduce(0) { $0 + $1.sessions.count }
        summary.messages = lift.plans.reduce(0) { $0 + $1.plan.steps.count }
        summary.left = lift.left.map { "\($0.session): \($0.reason)" }
        let plans = lift.plans.map { lifted in
            Named(
                name: "\(lifted.sessions.first?.description ?? "s0").plan", text: PlanText.print(lifted.plan),
                sessions: lifted.sessions)
        }
        return (plans, summary)
    }
}
