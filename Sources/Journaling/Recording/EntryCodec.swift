package import NIOCore
import Wire

/// Entries and headers as lines of JSON (NDJSON): one line each, keys in a fixed order, text payloads as strings. Reading
/// what was written gives the same value.
package enum EntryCodec {
    /// One line of a recording.
    package enum Line: Sendable, Equatable {
        case header(RecordingHeader)
        case entry(Entry)
        case end(RecordingEnd)
    }

    /// Appends one line with its newline.
    package static func encode(_ entry: Entry, into buffer: inout ByteBuffer) {
        write(into: &buffer) { $0.write(entry) }
    }

    package static func encode(_ header: RecordingHeader, into buffer: inout ByteBuffer) {
        write(into: &buffer) { $0.write(header) }
    }

    package static func encode(_ end: RecordingEnd, into buffer: inout ByteBuffer) {
        write(into: &buffer) { $0.write(end) }
    }

    /// - Parameters:
    ///   - line: without its newline.
    ///   - place: `rec/0007.ndjson:88214`, for the error.
    package static func decode(_ line: ByteBuffer, place: String) throws(RecordingError) -> Line {
        let value: JSON
        do {
            value = try JSON.parse(line)
        } catch {
            throw RecordingError(
                place: place, sentence: "the line is no JSON: \(error.reason) at byte \(error.offset + 1)",
                expected: "one entry", found: excerpt(of: line), remedy: "restore the line from a copy or remove it")
        }
        var fields = try LineFields(value, place: place)
        if let version = try fields.integerIfPresent("miswire-recording", as: Int.self) {
            return .header(try fields.header(version: version))
        }
        if let entries = try fields.integerIfPresent("end", as: UInt64.self) {
            return .end(try fields.end(entries: entries))
        }
        return .entry(try fields.entry())
    }

    /// The buffer is handed over whole while it is written to, so that it is never copied.
    private static func write(into buffer: inout ByteBuffer, _ body: (inout LineWriter) -> Void) {
        var writer = LineWriter(exchange(&buffer))
        body(&writer)
        writer.finish()
        buffer = writer.buffer
    }

    private static func exchange(_ buffer: inout ByteBuffer) -> ByteBuffer {
        let whole = buffer
        buffer = ByteBuffer()
        return whole
    }

    /// The line's first characters, printable ones only.
    private static func excerpt(of line: ByteBuffer) -> String {
        let bytes = line.readableBytesView.prefix(40).map { 0x20..<0x7f ~= $0 ? $0 : UInt8(ascii: "?") }
        return "`\(String(decoding: bytes, as: UTF8.self))`"
    }
}
