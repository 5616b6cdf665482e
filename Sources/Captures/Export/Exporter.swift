package import Journaling

/// One form that a recording is exported in. A new one is one file and one line in `ExporterRegistry`.
///
/// What stands in the recording is what is exported: secrets that were redacted stay so. An exporter reads the recording
/// as often as it must, holds no more than `ExportOptions.limits` says, and answers what it had to leave out.
package protocol Exporter: Sendable {
    /// The word for it: `har`
    static var name: String { get }
    /// One phrase for people.
    static var summary: String { get }
    /// False: bytes that must not reach a terminal.
    static var isText: Bool { get }
    static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary
}

extension Exporter {
    package static var isText: Bool { true }
}

package enum ExporterRegistry {
    package static let all: [any Exporter.Type] = [HARExporter.self, PcapngExporter.self, NDJSONExporter.self, PlanExporter.self]

    package static func named(_ name: String) -> (any Exporter.Type)? { all.first { $0.name == name } }
}

/// A recording, or one session of it, that can be read again and again.
package struct ExportSource: Sendable {
    /// `rec`, `rec/s31`, `rec/0001.ndjson`
    package var path: String
    /// Only this session.
    package var session: SessionID?
    package init(_ path: String, session: SessionID? = nil) {
        self.path = path
        self.session = session
    }

    /// Its header, entries of the wanted session in order, and what was wrong with the file.
    package func read(
        limits: Limits, _ body: (Entry, RecordingHeader) throws(RecordingError) -> Void
    ) throws(RecordingError) -> ExportRead {
        var reader = try RecordingReader(path, limits: limits)
        while let entry = try reader.next() {
            guard session == nil || entry.session == session else { continue }
            try body(entry, reader.header)
        }
        return ExportRead(header: reader.header, warnings: reader.warnings, isComplete: reader.isComplete)
    }
}

/// What one reading of a recording told beside its entries.
package struct ExportRead: Sendable {
    package var header: RecordingHeader
    package var warnings: [String]
    package var isComplete: Bool
}

package struct ExportOptions: Sendable {
    /// Control frames and the bits of frames, where the form can hold them.
    package var frames: Bool
    package var limits: Limits
    package init(frames: Bool = false, limits: Limits = .standard) {
        self.frames = frames
        self.limits = limits
    }
}

/// Where the bytes go.
package protocol ExportOutput: AnyObject {
    func write(_ bytes: [UInt8]) throws(RecordingError)
}

/// What was written.
package struct ExportSummary: Sendable, Equatable {
    /// Sessions, messages (or frames, packets, steps) in the export.
    package var sessions = 0
    package var messages = 0
    /// One sentence each: what the recording holds and the export does not.
    package var left: [String] = []
    /// As `RecordingReader` gives them.
    package var warnings: [String] = []
    package var isComplete = true
    package init() {}

    mutating func take(_ read: ExportRead) {
        warnings = read.warnings
        isComplete = read.isComplete
    }
}
