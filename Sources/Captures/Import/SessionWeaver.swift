package import Journaling
package import NIOCore
package import Wire

/// Makes a recording of connections: finds the upgrade on each, and writes the entries that a proxy without faults would
/// have written, had it stood there. Times must come in order; one that does not is raised to the one before.
package final class SessionWeaver: ConnectionSink {
    package struct Settings: Sendable {
        /// The recording's directory, made when the first session is found.
        package var directory: String
        /// `started` is replaced by the time of the first event.
        package var header: RecordingHeader
        package var limits: Limits
        package var finder: any SecretFinder
        /// Random bytes for the redaction tags, at least 16.
        package var redactionKey: [UInt8]
        package init(
            directory: String, header: RecordingHeader, limits: Limits = .standard,
            finder: any SecretFinder = StandardSecrets(), redactionKey: [UInt8]
        ) {
            self.directory = directory
            self.header = header
            self.limits = limits
            self.finder = finder
            self.redactionKey = redactionKey
        }
    }

    private let settings: Settings

    package init(_ settings: Settings) throws(ImportError) { self.settings = settings }

    package func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {}
    package func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) throws(ImportError) {}
    package func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) throws(ImportError) {}
    package func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError) {}
    package func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {}
    package func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {}

    /// Ends what is still open and closes the recording.
    package func finish() throws(ImportError) {}
}
