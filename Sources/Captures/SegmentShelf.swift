import Journaling

/// A segment that retention let go; told to whoever writes or tends the recording, never silent (trust.md T36).
package struct SegmentDeletion: Sendable, Hashable, CustomStringConvertible {
    package enum Cause: Sendable, Hashable {
        case age(seconds: Int64)
        case size(bytes: Int64)
    }
    package var path: String
    package var bytes: Int64
    package var cause: Cause
    /// Why it is still there; nil = it is gone.
    package var failure: String?

    package init(path: String, bytes: Int64, cause: Cause, failure: String? = nil) {
        self.path = path
        self.bytes = bytes
        self.cause = cause
        self.failure = failure
    }

    /// `rec/0001.ndjson is deleted: the recording is kept for 7 d`
    package var description: String {
        let why =
            switch cause {
            case .age(let seconds): "the recording is kept for \(Retention.words(seconds: seconds))"
            case .size(let bytes): "the recording is kept to \(Retention.words(bytes: bytes))"
            }
        if let failure { return "\(path) should be deleted (\(why)) and is still there: \(failure)" }
        return "\(path) is deleted: \(why)"
    }
}

/// Segments that nothing more is written to, oldest first, and which of them have to go.
struct SegmentShelf {
    struct Closed {
        var path: String
        var bytes: Int64
        /// Nanoseconds on the clock of whoever asks.
        var at: UInt64
    }
    private var closed: [Closed] = []
    let retention: Retention

    init(_ retention: Retention, _ closed: [Closed] = []) {
        self.retention = retention
        self.closed = closed
    }

    mutating func add(_ segment: Closed) { closed.append(segment) }

    /// The oldest that have to go.
    /// - Parameter room: bytes that are, or may soon be, there beside these.
    mutating func takeExpired(at now: UInt64, room: Int64) -> [(segment: Closed, cause: SegmentDeletion.Cause)] {
        var gone: [(segment: Closed, cause: SegmentDeletion.Cause)] = []
        var whole = closed.reduce(Int64(0)) { $0.clampedSum($1.bytes) }
        while let oldest = closed.first {
            let age = Int64(clamping: (now > oldest.at ? now - oldest.at : 0) / 1_000_000_000)
            if let seconds = retention.seconds, age >= seconds {
                gone.append((oldest, .age(seconds: seconds)))
            } else if let bytes = retention.bytes, whole.clampedSum(room) > bytes {
                gone.append((oldest, .size(bytes: bytes)))
            } else {
                break
            }
            whole -= oldest.bytes
            closed.removeFirst()
        }
        return gone
    }

    /// Deletes a segment, if it still bears the header of this recording: what others put there is theirs.
    static func delete(
        _ segment: Closed, _ cause: SegmentDeletion.Cause, of header: RecordingHeader, limits: Limits
    ) -> SegmentDeletion {
        var told = SegmentDeletion(path: segment.path, bytes: segment.bytes, cause: cause)
        do throws(RecordingError) {
            guard try RecordingReader.header(of: segment.path, limits: limits).isOfRecording(header) else {
                told.failure = "it belongs to another recording"
                return told
            }
            try Directory.delete(segment.path)
        } catch {
            // Somebody else was quicker.
            if Directory.kind(segment.path) == .missing { return told }
            told.failure = error.found.isEmpty ? error.sentence : "\(error.sentence): \(error.found)"
        }
        return told
    }
}

extension Int64 {
    fileprivate func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
