package import Journaling

/// Writes a recording into a directory: segments `0001.ndjson` and up, each beginning with the header.
package final class RecordingWriter {
    /// - Parameter directory: made with mode 0700 when it is not there; refused when it holds a recording already.
    package init(directory: String, header: RecordingHeader, limits: Limits = .standard) throws(RecordingError) {}
    /// Appends entries, which are in order and numbered. Flushes at most every 1 s or 1 MiB (trust.md L11).
    package func append(_ entries: [Entry], redactions: Int = 0) throws(RecordingError) {}
    /// Writes out what is buffered if it is older than L11's time; call it when idle.
    package func flushIfDue() throws(RecordingError) {}
    package func flush() throws(RecordingError) {}
    /// Writes the end line, flushes and closes. A recording that is not finished is read as cut short.
    package func finish() throws(RecordingError) {}
    package private(set) var bytes: UInt64 = 0
}
