import Journaling

/// Segments that were written anew and wait beside the old ones, `.forget-0001.ndjson`, and the marker that makes them
/// count.
enum PendingSegments {
    struct Segment {
        var path: String
        var pending: String
    }

    static let marker = ".forget-committed"
    private static let prefix = ".forget-"

    /// In order.
    static func segments(of directory: String) throws(RecordingError) -> [Segment] {
        try Directory.names(in: directory).compactMap { name in SegmentName.number(name).map { ($0, name) } }
            .sorted { $0.0 < $1.0 }.map { segment($0.1, directory) }
    }

    private static func segment(_ name: String, _ directory: String) -> Segment {
        Segment(path: SegmentName.path(directory, name), pending: SegmentName.path(directory, prefix + name))
    }

    static func isMarked(_ directory: String) -> Bool {
        Directory.kind(SegmentName.path(directory, marker)) == .file
    }

    /// What an interrupted removal left there.
    static func areThere(_ names: [String]) -> Bool { names.contains { $0.hasPrefix(prefix) } }

    /// All new segments are whole, on the disk and proven.
    static func mark(_ directory: String) throws(RecordingError) {
        try Directory.sync(directory)
        let file = try FileDescriptor.create(SegmentName.path(directory, marker))
        try file.syncOrFail()
        try Directory.sync(directory)
    }

    static func clear(_ directory: String) throws(RecordingError) {
        try Directory.sync(directory)
        try Directory.delete(SegmentName.path(directory, marker))
        try Directory.sync(directory)
    }

    /// Ends what was interrupted: forward behind the marker, back before it. True: forward.
    static func settle(_ directory: String) throws(RecordingError) -> Bool {
        guard isMarked(directory) else {
            discard(directory)
            return false
        }
        for name in try waiting(directory) {
            let segment = segment(name, directory)
            try Directory.rename(segment.pending, to: segment.path)
        }
        try clear(directory)
        return true
    }

    static func discard(_ directory: String) {
        guard let names = try? waiting(directory), !isMarked(directory) else { return }
        for name in names { Directory.remove(segment(name, directory).pending) }
    }

    /// Names of segments of which a new one waits.
    private static func waiting(_ directory: String) throws(RecordingError) -> [String] {
        try Directory.names(in: directory).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            .filter { SegmentName.number($0) != nil }
    }
}

/// Keeps others away from a recording: who writes it holds the directory with others who write, and the segment that is
/// written; who changes it holds the directory alone.
struct RecordingLock: ~Copyable {
    private let directory: FileDescriptor

    /// Refuses a recording that is still written, or changed by somebody else.
    static func whole(_ path: String) throws(RecordingError) -> RecordingLock {
        let directory = try FileDescriptor.read(path)
        guard directory.lock() else { throw busy(path, try whoHolds(path)) }
        for segment in try PendingSegments.segments(of: path) where isWritten(segment.path) {
            throw busy(path, "\(segment.path) is still written to")
        }
        return RecordingLock(directory: directory)
    }

    /// Of a directory in which segments are made; nil where the file system knows no locks.
    static func writing(_ path: String) -> RecordingLock? {
        guard let directory = try? FileDescriptor.read(path), directory.lock(isShared: true) else { return nil }
        return RecordingLock(directory: directory)
    }

    private static func whoHolds(_ path: String) throws(RecordingError) -> String {
        let written = try PendingSegments.segments(of: path).last { isWritten($0.path) }
        return written.map { "\($0.path) is still written to" } ?? "another miswire holds it"
    }

    static func isWritten(_ path: String) -> Bool {
        guard let file = try? FileDescriptor.read(path) else { return false }
        return !file.lock()
    }

    /// Until here.
    borrowing func keep() {}

    private static func busy(_ path: String, _ found: String) -> RecordingError {
        RecordingError(
            place: path, sentence: "the recording is in use", expected: "nobody who writes it", found: found,
            remedy: "stop the proxy or capture that writes it, then try again")
    }
}
