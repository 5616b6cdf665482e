package import Journaling

/// Deletes what a recording's own retention lets go, once nobody writes it any more (trust.md T36), and what an
/// interrupted removal of a user left beside it.
package enum Expiry {
    package struct Told: Sendable, Equatable {
        package var deletions: [SegmentDeletion] = []
        /// Segments that stay.
        package var kept = 0
        /// What its header, or whoever asked, says.
        package var retention: Retention?
    }

    /// - Parameters:
    ///   - retention: in place of the header's; a recording without one loses nothing.
    ///   - now: seconds since 1970. A segment's age counts from when it was last written to.
    ///   - isTrial: nothing is deleted, only told.
    /// - Returns: nothing for an empty directory, of which all went before.
    package static func run(
        _ directory: String, retention: Retention? = nil, now: Int64, isTrial: Bool = false, limits: Limits = .standard
    ) throws(RecordingError) -> Told {
        let names = try Directory.names(in: directory)
        if names.isEmpty { return Told() }
        // Else what was written for it would be kept for ever.
        if !isTrial, PendingSegments.areThere(names) {
            let lock = try RecordingLock.whole(directory)
            defer { lock.keep() }
            _ = try PendingSegments.settle(directory)
        }
        let paths = try PendingSegments.segments(of: directory).map(\.path)
        guard let first = paths.first else {
            throw RecordingError(
                place: directory, sentence: "there is no recording here", expected: "segments such as 0001.ndjson", found: "none",
                remedy: "name a directory that `--record` wrote")
        }
        let header = try RecordingReader.header(of: first, limits: limits)
        var told = Told(kept: paths.count, retention: retention ?? header.retention)
        guard let retention = told.retention else { return told }
        var shelf = SegmentShelf(retention)
        var written: Int64 = 0
        for path in paths {
            let (size, modified) = try Directory.sizeAndTime(of: path)
            if RecordingLock.isWritten(path) {
                written += size
            } else {
                shelf.add(.init(path: path, bytes: size, at: nanoseconds(modified)))
            }
        }
        for (segment, cause) in shelf.takeExpired(at: nanoseconds(now), room: written) {
            let deletion = isTrial
                ? SegmentDeletion(path: segment.path, bytes: segment.bytes, cause: cause)
                : SegmentShelf.delete(segment, cause, of: header, limits: limits)
            if deletion.failure == nil { told.kept -= 1 }
            told.deletions.append(deletion)
        }
        return told
    }

    /// A file may claim any time: beyond what fits it is the last that does.
    private static func nanoseconds(_ seconds: Int64) -> UInt64 {
        let (whole, overflow) = UInt64(clamping: max(0, seconds)).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole
    }
}
