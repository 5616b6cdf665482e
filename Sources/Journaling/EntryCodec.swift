package import NIOCore

/// Entries and headers as lines of JSON (NDJSON): one line each, keys in a fixed order, text payloads as strings. Reading
/// what was written gives the same value.
package enum EntryCodec {
    /// Appends one line with its newline.
    package static func encode(_ entry: Entry, into buffer: inout ByteBuffer) {}
    package static func encode(_ header: RecordingHeader, into buffer: inout ByteBuffer) {}
    package static func encode(_ end: RecordingEnd, into buffer: inout ByteBuffer) {}

    package enum Line: Sendable, Equatable {
        case header(RecordingHeader)
        case entry(Entry)
        case end(RecordingEnd)
    }

    /// - Parameters:
    ///   - line: without its newline.
    ///   - place: `rec/0007.ndjson:88214`, for the error.
    package static func decode(_ line: ByteBuffer, place: String) throws(RecordingError) -> Line {
        throw RecordingError(place: place, sentence: "the line is no entry")
    }
}
