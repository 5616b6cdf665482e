package import NIOCore
import Wire

/// Entries and headers as lines of JSON (NDJSON): one line each, keys in a fixed order, text payloads as strings. Reading
/// what was written gives the same value.
package enum EntryCodec {
    /// One line of a recording.
    package enum Line: Sendable, Equatable {
        /// Behind a reference: it is large, and there is one to millions of entries.
        indirect case header(RecordingHeader)
        case entry(Entry)
        case end(RecordingEnd)
    }

    /// Appends one line with its newline.
    package static func encode(_ entry: Entry, into buffer: inout ByteBuffer) {
        write(into: &buffer, size: 384 + entry.payloadSize / 4 * 5) { $0.write(entry) }
    }

    package static func encode(_ header: RecordingHeader, into buffer: inout ByteBuffer) {
        write(into: &buffer, size: 512) { $0.write(header) }
    }

    package static func encode(_ end: RecordingEnd, into buffer: inout ByteBuffer) {
        write(into: &buffer, size: 512) { $0.write(end) }
    }

    /// - Parameters:
    ///   - line: without its newline.
    ///   - place: `rec/0007.ndjson:88214`, for the error.
    package static func decode(_ line: ByteBuffer, place: LinePlace) throws(RecordingError) -> Line {
        if let frame = FrameLine.entry(line) { return .entry(frame) }
        if let read = inOrder(line, place: place) { return read }
        return try byName(line, place: place)
    }

    /// Nil for a line that nothing may be wrong with but the order of its fields.
    static func inOrder(_ line: ByteBuffer, place: LinePlace) -> Line? {
        var fields = LineFields(inOrder: line, place: place)
        return try? fields.line()
    }

    static func byName(_ line: ByteBuffer, place: LinePlace) throws(RecordingError) -> Line {
        var fields = try LineFields(line, place: place)
        return try fields.line()
    }

    /// The longest line that `encode` makes of what these limits let through: a frame and the message that it ends, or
    /// a header with its texts, of which each byte may take six.
    package static func longestLine(_ limits: Limits) -> Int {
        let payloads = limits.messageBytes.multipliedReportingOverflow(by: 2 * LineWriter.mostGrowth)
        let texts = limits.documentBytes.multipliedReportingOverflow(by: 2 * 6)
        if payloads.overflow || texts.overflow { return .max }
        let longest = payloads.partialValue.addingReportingOverflow(texts.partialValue)
        return longest.overflow ? .max : max(longest.partialValue, 1 << 20)
    }

    private static func write(into buffer: inout ByteBuffer, size: Int, _ body: (inout LineWriter) -> Void) {
        var writer = LineWriter(size: size)
        body(&writer)
        writer.finish()
        buffer.writeBytes(writer.line)
    }
}

extension LineFields {
    fileprivate mutating func line() throws(RecordingError) -> EntryCodec.Line {
        if let version = try integerIfPresent("miswire-recording", as: Int.self) { return .header(try header(version: version)) }
        if let entries = try integerIfPresent("end", as: UInt64.self) { return .end(try end(entries: entries)) }
        return .entry(try entry())
    }
}

extension Entry {
    /// Bytes of the network in it, so that a line is allocated once.
    fileprivate var payloadSize: Int {
        switch body {
        case .head(let head): head.bytes.readableBytes
        case .frame(let frame): frame.frame.payload.readableBytes
        case .bytes(let bytes): bytes.bytes.readableBytes
        default: 0
        }
    }
}
