package import Oracles
package import Plans

/// What one run of a verb found: the one model behind every form of report (looks.md, first lines). No form computes
/// anything of its own.
package struct RunReport: Sendable {
    /// `fuzz`
    package var verb: String
    /// `0.1.0`
    package var version: String
    package var seed: UInt64
    package var contractName: String
    /// First 6 hex digits over its text.
    package var contractHash: String
    /// The file name of the contract, for places of findings without a plan.
    package var contractFile: String
    /// As given: `ws://127.0.0.1:8080/ws`.
    package var target: String
    /// Sums over the whole run; its findings are those of `findings`.
    package var judgement: Judgement
    /// Worst first (order I A H E D C R, then repeats, then id); flaky ones among them.
    package var findings: [ReportedFinding]
    package var executions: Int
    package var users: Int
    /// Per cent of keepers that behave alike when run again; nil when not measured.
    package var stability: Double?
    package var took: Duration
    package var exit: ExitReason
    /// The command line that repeats the run, seed and derived options spelt out, without secrets.
    package var again: String
    package var warnings: [String] = []
    /// The run's own counts at its end, for the machine forms.
    package var figures: BoardFigures?

    package init(
        verb: String, version: String, seed: UInt64, contractName: String, contractHash: String, contractFile: String,
        target: String, judgement: Judgement, findings: [ReportedFinding], executions: Int, users: Int,
        stability: Double?, took: Duration, exit: ExitReason, again: String
    ) {
        self.verb = verb
        self.version = version
        self.seed = seed
        self.contractName = contractName
        self.contractHash = contractHash
        self.contractFile = contractFile
        self.target = target
        self.judgement = judgement
        self.findings = findings
        self.executions = executions
        self.users = users
        self.stability = stability
        self.took = took
        self.exit = exit
        self.again = again
    }
}

/// A finding with its plan.
package struct ReportedFinding: Sendable {
    /// Its attribution is set; `repeats` counts how often the run saw it.
    package var finding: Finding
    /// Nil when it could not be written.
    package var plan: Plan?
    /// Path of the plan as a user would type it: `findings/I2-7c1e44.plan`.
    package var file: String?
    /// Line of the step marked `fails here` in that file.
    package var line: Int?
    /// `miswire replay findings/I2-7c1e44.plan ws://127.0.0.1:8080/ws`
    package var replay: String?
    /// The end of the target's own process when that is the point: `signal 11`, and the last lines that it said.
    package var exit: String?
    package var stderr: [String] = []
    package init(finding: Finding, plan: Plan?, file: String?, line: Int?, replay: String?) {
        self.finding = finding
        self.plan = plan
        self.file = file
        self.line = line
        self.replay = replay
    }
    /// Quarantined: it does not fail the run.
    package var isFlaky: Bool {
        if case .flaky = finding.attribution { true } else { false }
    }
}
