package import Journaling

/// Reads a recording, a directory of segments or one `.ndjson` file, entry by entry with bounded memory.
package struct RecordingReader: ~Copyable {
    package let header: RecordingHeader
    /// `rec/0007.ndjson:88214: the last line is cut off; at most 1 entry is lost`, without the word `warning`.
    package private(set) var warnings: [String] = []
    /// False when the recording was cut short or a part is missing, known when `next` has returned nil.
    package private(set) var isComplete = false
    /// `rec/s31` names one session of the recording in `rec`; nil = all.
    package let session: SessionID?

    package init(_ path: String, limits: Limits = .standard) throws(RecordingError) {
        throw RecordingError(place: path, sentence: "there is no recording here")
    }
    /// The next entry in order (of `session` only, when one is named), or nil at the end.
    package mutating func next() throws(RecordingError) -> Entry? { nil }
}
