import Fuzzing
import Journaling
import Oracles
import Reporting
import Wire

/// A fuzzing run as NDJSON.
enum FuzzMachine {
    static func start(_ order: FuzzOrder, seeds: Int, time: String) -> JSONLine {
        let options = order.options
        return JSONLine("start", time: time).adding("verb", "fuzz").adding("version", Miswire.number)
            .adding("seed", options.seed).adding("contract", options.contract.name).adding("hash", options.contract.hash)
            .adding("target", order.target).adding("workers", options.workers).adding("users", options.users)
            .adding("seeds", seeds).adding("again", order.again)
    }

    /// Nil for what has a line of its own elsewhere.
    static func line(_ event: CampaignEvent, settled: ReportedFinding?, time: String) -> JSONLine? {
        switch event {
        case .selfCheck(let caught, let of): JSONLine("self-check", time: time).adding("caught", caught).adding("of", of)
        case .calibrated(let runs, let p999, let deadline):
            JSONLine("calibrated", time: time).adding("runs", runs).adding("p999", milliseconds(p999))
                .adding("deadline", milliseconds(deadline))
        case .seeds, .unbalanced: nil
        case .found(let finding, let executions, let at):
            JSONLine("found", time: time).adding("finding", finding.id).adding("property", finding.property)
                .adding("sentence", finding.sentence).adding("executions", executions).adding("at", seconds(at))
        case .settled(_, let at): settled.map { RunLines(time: time).violation($0).adding("at", seconds(at)) }
        case .targetDown(let why, let at): JSONLine("target-down", time: time).adding("sentence", why).adding("at", seconds(at))
        case .targetBack(let restarts, let at):
            JSONLine("target-back", time: time).adding("restarts", restarts).adding("at", seconds(at))
        case .flooded(let flood, let at):
            JSONLine("flood", time: time).adding("bytes", flood.bytes).adding("entries", flood.entries)
                .adding("asked", flood.asked).adding("connections", flood.connections)
                .adding("ms", milliseconds(flood.took)).adding("at", seconds(at))
        case .phaseEnded(let phase):
            JSONLine("phase", time: time).adding("name", phase.phase.rawValue).adding("executions", phase.executions)
                .adding("ms", milliseconds(phase.took)).adding("newFeatures", phase.newFeatures).adding("findings", phase.findings)
        case .warning(let sentence): JSONLine("warning", time: time).adding("sentence", sentence)
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 { duration.nanoseconds / 1_000_000 }
    private static func seconds(_ duration: Duration) -> JSON { RunLines.seconds(duration) }
}
