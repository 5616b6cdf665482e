/// The first line of every segment: all that is needed to judge the recording again without any other file.
package struct RecordingHeader: Sendable, Hashable {
    /// The format that this program writes, and the newest it reads.
    package static let currentVersion = 1

    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// No heads, payloads or bytes: who, when, how much.
        case meta
        /// Secrets replaced by keyed tags (trust.md T34, T35).
        case redacted
        /// As it was on the wire, secrets included.
        case raw
    }

    /// A configuration text that was in force.
    package struct Source: Sendable, Hashable {
        package var name: String
        /// First 6 hex digits of the text's SHA-256.
        package var hash: String
        package var text: String
        package init(name: String, hash: String, text: String) {
            self.name = name
            self.hash = hash
            self.text = text
        }
    }

    package var version: Int
    /// `0.1.0`
    package var program: String
    /// From 1, also the segment's file name.
    package var segment: UInt32
    /// UTC wall clock at instant zero: `2026-09-21T14:02:16.014Z`.
    package var started: String
    package var seed: UInt64
    package var mode: Mode
    package var profile: Source?
    package var contract: Source?
    /// `ws://chat.staging:443/ws`, for people.
    package var upstream: String
    package var purpose: String
    /// Nil: the one who wrote it promised nothing.
    package var retention: Retention?
    /// Sessions of these users alone were recorded, as globs; empty = of all. Of others there is what a fault delivered to
    /// them. Verdicts may differ from the live ones, which saw everybody.
    package var users: [String]
    /// It was captured by another program, or off a network: of the users in it sessions may be missing.
    package var isImported: Bool
    /// How many users were removed from the recording since. What is left of it is no ground for a pass.
    package var forgotten: Int
    /// Distinct secrets replaced before this segment began.
    package var redactions: Int

    package init(
        version: Int = RecordingHeader.currentVersion, program: String, segment: UInt32 = 1, started: String,
        seed: UInt64, mode: Mode = .redacted, profile: Source? = nil, contract: Source? = nil, upstream: String = "",
        purpose: String = "", retention: Retention? = nil, users: [String] = [], isImported: Bool = false, forgotten: Int = 0, redactions: Int = 0
    ) {
        self.version = version
        self.program = program
        self.segment = segment
        self.started = started
        self.seed = seed
        self.mode = mode
        self.profile = profile
        self.contract = contract
        self.upstream = upstream
        self.purpose = purpose
        self.retention = retention
        self.users = users
        self.isImported = isImported
        self.forgotten = forgotten
        self.redactions = redactions
    }

    /// Both stand at the head of segments of one recording.
    package func isOfRecording(_ other: RecordingHeader) -> Bool {
        seed == other.seed && started == other.started && program == other.program && mode == other.mode
            && profile == other.profile && contract == other.contract && users == other.users && isImported == other.isImported
    }
}

/// The last line of a recording that ended in an orderly way. A recording without it was cut short.
package struct RecordingEnd: Sendable, Hashable {
    package var entries: UInt64
    package var redactions: Int
    package init(entries: UInt64, redactions: Int) {
        self.entries = entries
        self.redactions = redactions
    }
}
