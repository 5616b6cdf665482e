package import Journaling
package import Oracles

/// All that a proxy run leaves behind, handed over when it has stopped.
package struct RunResult: Sendable {
    package var statistics: Statistics
    /// Nil when the oracle was off.
    package var judgement: Judgement?
    /// What the live monitors said; without the oracle those of connections watch alone.
    package var alerts: [Alert]
    package var monitors: [MonitorStatus]
    package var vitals: Vitals
    /// Unexplained differences between what came in and what went out: exit 5. Looked for whenever traffic is kept.
    package var ledgerDifferences: [Journaling.LedgerDifference]
    /// Where the recording is, when one was asked for.
    package var recording: String?
    /// False when the disk failed: then the recording says less than what happened, and nothing may pass.
    package var recordingComplete: Bool
    package var recordingError: String?
    /// Oldest segments that retention deleted: each was told when it went.
    package var deletedSegments: Int
    /// Sessions of users whom the recording leaves out; nil = it leaves out nobody.
    package var unrecorded: Int?
    package var entries: UInt64
    /// The instant up to which the journal is known; what the oracle took as the end.
    package var end: Instant
    package var lasted: Duration
    /// False when sessions had to be cut because the grace period was over.
    package var drained: Bool
}
