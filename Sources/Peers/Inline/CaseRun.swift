package import Faults
package import Journaling
package import Oracles
package import Plans

/// How one plan is to be played.
package struct CaseOptions: Sendable {
    package var cast = Cast()
    /// Seed of variables, keys and masks, and of the plan's faults.
    package var seed: UInt64 = 1
    /// Ends the play as soon as the judge knows a finding for which this holds.
    package var isEnough: (@Sendable (Finding) -> Bool)?
    /// Every property's obligations are waited for at most so long after the last step; nil = three times the
    /// contract's longest bound. What is open then is inconclusive.
    package var patience: Duration?
    /// See `PlayMachine.Settings`.
    package var missesAllowed: Int? = 2
    package var mostPatience: Duration?
    /// Faults for all users besides those of the plan, which then has none of its own.
    package var profile: Profile?
    /// See `PlayMachine.Settings`.
    package var gaps: [Int: Duration] = [:]
    package var rests: [Int: Duration] = [:]
    /// Guards that do not hold wait so much longer while the judge has not decided.
    package var reprieve = Duration.zero
    /// Findings name users as the server knows them.
    package var keepsPrincipals = false
    /// p99.9 of answers without faults: the judge's deadlines are at least four times as long.
    package var calibration: Duration?
    /// Bytes of memory; a case that takes more is a flood, and cut.
    package var mostMemory = CaseWeight.usual
    /// Called once every step has ended; what is undecided is still waited for.
    package var onPlayed: (@Sendable () -> Void)?
    /// Called once when a step has waited for so long without anything happening: the server has nothing to do for this
    /// case, and whoever plays many side by side may begin another.
    package var idle: Duration?
    package var onIdle: (@Sendable () -> Void)?
    package init() {}
}

/// What came of one play.
package struct CaseRun: Sendable {
    package var steps: [StepResult]
    /// Users in findings bear the plan's names.
    package var judgement: Judgement
    /// Who the users were in its journal.
    package var cast = Cast()
    /// The whole journal in its order, ticks left out.
    package var entries: [Entry]
    package var took: Duration
    /// Messages (text and binary) that left for the server, and that it sent.
    package var sent = 0
    package var received = 0
    /// Bytes that the server sent.
    package var bytesReceived: UInt64 = 0
    package var connections = 0
    /// For each session in order the label of the step that opened it.
    package var openings: [Int] = []
    /// Connections that the target did not take (refused, silent): one phrase each.
    package var unreachable: [String] = []
    /// True when it was ended by the time allowed for it, or by a flood.
    package var isCut = false
    /// More came from the server than may be held: the play was ended there, and `entries` are only its first.
    package var flood: Flood?
    package init(steps: [StepResult], judgement: Judgement, entries: [Entry], took: Duration) {
        self.steps = steps
        self.judgement = judgement
        self.entries = entries
        self.took = took
    }
}

/// A server that sends without end: how much came before a limit of ours bit (trust.md L11).
package struct Flood: Sendable, Equatable {
    package var entries: Int
    package var bytes: Int
    /// What the users had sent, in bytes.
    package var asked: Int
    package var connections: Int
    package var took: Duration
    package init(entries: Int, bytes: Int, asked: Int, connections: Int, took: Duration) {
        self.entries = entries
        self.bytes = bytes
        self.asked = asked
        self.connections = connections
        self.took = took
    }
}

/// Whatever can play a plan against the target and judge what happened. Plans bring their own faults.
package protocol CaseRunner: Sendable {
    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun
}
