package import Journaling
import NIOCore

/// Reads a recording, a directory of segments or one `.ndjson` or `.ndjson.gz` file, entry by entry with bounded memory. One
/// value reads it once; a copy goes on where this one stands.
package struct RecordingReader {
    /// Of the first segment that is there.
    package let header: RecordingHeader
    /// `rec/0007.ndjson:88214: the last line is cut off; at most 1 entry is lost`, without the word `warning`.
    /// At most 100, and one more that counts the rest.
    package private(set) var warnings: [String] = []
    /// False when the recording was cut short or a part is missing: such a recording is no ground for a pass
    /// (trust.md T53). Known when `next` has returned nil.
    package private(set) var isComplete = false
    /// `rec/s31` names one session of the recording in `rec`; nil = all.
    package let session: SessionID?
    /// Entries read so far, those of other sessions included.
    package private(set) var entries: UInt64 = 0

    /// Files that are still to be read.
    private var paths: [String]
    private var lines: LineReader
    private var path: String
    private var previous: UInt64?
    private var end: RecordingEnd?
    private var isDamaged = false
    private var isCut = false
    private var unlisted = 0
    private static let mostWarnings = 100
    /// Number of the segment that is being read, by its header.
    private var segment: UInt32
    private let longest: Int
    private let chunk: Int
    private let limits: Limits

    /// - Parameter chunk: bytes of one read; what is read does not depend on it.
    package init(_ path: String, limits: Limits = .standard, chunk: Int = 256 << 10) throws(RecordingError) {
        let (base, session) = RecordingReader.split(path)
        var paths = try RecordingReader.files(base)
        guard let first = paths.first else {
            throw RecordingError(
                place: base, sentence: "there is no recording here", expected: "segments such as 0001.ndjson",
                found: "none", remedy: "name a directory that `--record` wrote")
        }
        paths.removeFirst()
        longest = EntryCodec.longestLine(limits)
        self.chunk = chunk
        self.limits = limits
        let lines = try LineReader(first, longest: longest, chunk: chunk, limits: limits)
        guard case .whole(let line) = try lines.next() else {
            throw RecordingReader.headerless(first, found: "an empty or cut file")
        }
        let header = try RecordingReader.header(line, first)
        self.header = header
        self.session = session
        self.paths = paths
        self.lines = lines
        self.path = first
        segment = header.segment
        if PendingSegments.isMarked(base) {
            warn("\(base): the removal of a user was interrupted; ask for it again with `miswire recording forget`")
        }
        if header.forgotten > 0 {
            let users = header.forgotten == 1 ? "a user was" : "\(header.forgotten) users were"
            warn("\(first): \(users) removed from the recording; what is left of it is no ground for a pass")
        }
        if header.segment > 1 {
            warn("\(first): the recording begins with segment \(header.segment); what was before it is gone")
        }
    }

    /// Something is missing, so that this recording is no ground for a pass.
    private mutating func warn(_ text: String) {
        isDamaged = true
        guard warnings.count >= RecordingReader.mostWarnings else {
            warnings.append(text)
            return
        }
        unlisted += 1
        let rest = "\(path): \(unlisted) more \(unlisted == 1 ? "place is" : "places are") not listed"
        if unlisted == 1 { warnings.append(rest) } else { warnings[RecordingReader.mostWarnings] = rest }
    }

    /// The next entry in order (of `session` only, when one is named), or nil at the end.
    package mutating func next() throws(RecordingError) -> Entry? {
        while true {
            switch try lines.next() {
            case .end:
                guard try nextSegment() else { return nil }
            case .cut(let line):
                try cut(line)
            case .whole(let line):
                guard let entry = try take(line), session == nil || entry.session == session else { continue }
                return entry
            }
        }
    }

    private var place: String { "\(path):\(lines.number)" }

    /// Nil for a line that is no entry.
    private mutating func take(_ line: ByteBuffer) throws(RecordingError) -> Entry? {
        switch try EntryCodec.decode(line, place: LinePlace(path, line: lines.number)) {
        case .header:
            throw RecordingError(
                place: place, sentence: "a header stands in the middle of a segment", expected: "an entry",
                found: "a header", remedy: "split the file before this line")
        case .end(let end):
            self.end = end
            return nil
        case .entry(let entry):
            guard end == nil else {
                throw RecordingError(
                    place: place, sentence: "an entry stands behind the end of the recording", expected: "nothing",
                    found: "entry \(entry.number)", remedy: "remove what is behind the end line")
            }
            try check(entry)
            entries += 1
            return entry
        }
    }

    /// Numbers go up one by one; where they do not, something was taken out, or put in.
    private mutating func check(_ entry: Entry) throws(RecordingError) {
        defer { previous = entry.number }
        let expected = previous.map { $0 &+ 1 } ?? (header.segment == 1 ? 1 : entry.number)
        guard entry.number != expected else { return }
        // Where users were removed numbers are missing, and that was told once.
        if header.forgotten > 0, entry.number > expected { return }
        guard entry.number > expected else {
            throw RecordingError(
                place: place, sentence: "the entries are out of order", expected: "entry \(expected)",
                found: "entry \(entry.number)", remedy: "restore the recording from a copy")
        }
        let missing = entry.number - expected
        warn("\(place): \(missing) \(missing == 1 ? "entry is" : "entries are") missing before this line")
    }

    /// Only the very last line of a recording may be cut: the recorder was killed while it wrote.
    private mutating func cut(_ line: ByteBuffer) throws(RecordingError) {
        guard paths.isEmpty else {
            throw RecordingError(
                place: place, sentence: "the line is cut off", expected: "a whole line",
                found: "\(line.readableBytes) bytes without a newline", remedy: "restore the segment from a copy")
        }
        isCut = true
        warn("\(place): the last line is cut off; at most 1 entry is lost")
    }

    /// False when there is none; then it is known whether the recording is whole.
    private mutating func nextSegment() throws(RecordingError) -> Bool {
        guard !paths.isEmpty else {
            if let end {
                if end.entries != (previous ?? 0), !isDamaged {
                    warn("\(path): the recording should hold \(end.entries) entries, the last one is \(previous ?? 0)")
                }
            } else if !isCut {
                isCut = true
                warn("\(path): the recording has no end line; what was written in its last second may be lost")
            }
            isComplete = !isDamaged
            return false
        }
        if end != nil {
            throw RecordingError(
                place: paths[0], sentence: "a segment stands behind the end of the recording", expected: "no more segments",
                found: paths[0], remedy: "remove the segment")
        }
        return try begin(paths.removeFirst())
    }

    /// False for a last segment that the recorder was killed in before its header was written.
    private mutating func begin(_ path: String) throws(RecordingError) -> Bool {
        let lines = try LineReader(path, longest: longest, chunk: chunk, limits: limits)
        let first = try lines.next()
        self.path = path
        if case .whole(let line) = first {
            let next = try RecordingReader.header(line, path)
            guard next.isOfRecording(header) else {
                throw RecordingError(
                    place: "\(path):1", sentence: "the segment belongs to another recording",
                    expected: "the header of segment \(header.segment)", found: "another header",
                    remedy: "keep each recording in a directory of its own")
            }
            try follow(next.segment)
        } else if paths.isEmpty {
            isCut = true
            warn("\(path):1: the last line is cut off; at most 1 entry is lost")
            return false
        } else {
            throw RecordingReader.headerless(path, found: "an empty or cut file")
        }
        self.lines = lines
        return true
    }

    /// Segments follow each other one by one.
    private mutating func follow(_ next: UInt32) throws(RecordingError) {
        defer { segment = next }
        guard next > segment else {
            throw RecordingError(
                place: "\(path):1", sentence: "the segments are out of order", expected: "a segment behind \(segment)",
                found: "segment \(next)", remedy: "give the files the numbers in their headers")
        }
        let missing = next - segment - 1
        guard missing > 0 else { return }
        let which = missing == 1 ? "segment \(next - 1) is" : "segments \(segment + 1) to \(next - 1) are"
        warn("\(path): \(which) missing before this file")
    }

    /// The header of one segment.
    static func header(of path: String, limits: Limits = .standard) throws(RecordingError) -> RecordingHeader {
        let lines = try LineReader(path, longest: EntryCodec.longestLine(limits), chunk: 64 << 10, limits: limits)
        guard case .whole(let line) = try lines.next() else { throw headerless(path, found: "an empty or cut file") }
        return try header(line, path)
    }

    private static func header(_ line: ByteBuffer, _ path: String) throws(RecordingError) -> RecordingHeader {
        if case .header(let header) = try EntryCodec.decode(line, place: "\(path):1") { return header }
        throw headerless(path, found: "an entry")
    }

    private static func headerless(_ path: String, found: String) -> RecordingError {
        RecordingError(
            place: "\(path):1", sentence: "the recording has no header",
            expected: "a header line such as {\"miswire-recording\":\(RecordingHeader.currentVersion),…}", found: found,
            remedy: "restore the first line from another segment or remove the file")
    }

    /// A path whose last part is a session of the recording before it.
    private static func split(_ path: String) -> (String, SessionID?) {
        guard Directory.kind(path) == .missing, let parent = Directory.parent(of: path),
            let name = path.split(separator: "/").last, name.hasPrefix("s"), name.dropFirst().first != "+",
            let number = UInt32(name.dropFirst())
        else { return (path, nil) }
        return (parent, SessionID(number))
    }

    private static func files(_ path: String) throws(RecordingError) -> [String] {
        switch Directory.kind(path) {
        case .file: return [path]
        case .directory:
            // Behind the marker what waits is the recording, and what it will replace is none any more.
            let isMarked = PendingSegments.isMarked(path)
            return try PendingSegments.segments(of: path).map { isMarked && Directory.kind($0.pending) == .file ? $0.pending : $0.path }
        case .missing:
            throw RecordingError(
                place: path, sentence: "there is no recording here", expected: "a directory, an .ndjson or an .ndjson.gz file",
                found: "nothing", remedy: "name a path that exists")
        case .other:
            throw RecordingError(
                place: path, sentence: "this is no recording", expected: "a directory, an .ndjson or an .ndjson.gz file",
                found: "another kind of file", remedy: "name a recording")
        }
    }
}
