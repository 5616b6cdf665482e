package import Journaling
package import NIOCore

/// One kind of file that traffic comes from. A new one is one file and one line in `ImporterRegistry`.
///
/// Bad input is data: an importer answers with what could be read and notes about the rest, or with a typed error that
/// names file, place and cause. It never traps or hangs, and its memory is bounded by `ImportOptions.limits` (trust.md
/// T28, L15), not by the file.
package protocol Importer: Sendable {
    /// The word for it: `pcap`
    static var name: String { get }
    /// One phrase for people: `packets, as tcpdump and Wireshark write them`
    static var summary: String { get }
    /// What one record of it is called, in one and in many: `("packet", "packets")`
    static var records: (one: String, many: String) { get }
    /// True: events of all connections come in the order of time, so that they need not be sorted on disk.
    static var isOrdered: Bool { get }
    /// True: several files are one source, read together by one call of `read`, because a connection may go on from one
    /// file in another.
    static var joinsFiles: Bool { get }
    /// True: it knows messages only, so heads and frames are made up by `MessageScribe`; the recording's purpose says so.
    static var isMessagesOnly: Bool { get }
    /// Whether the beginning of a file looks like this kind: at most `ImporterRegistry.headBytes` bytes, fewer when the
    /// file is shorter. Magic numbers and shape come first; a name's ending (`trace.har`) only decides between shapes.
    static func recognizes(_ head: ByteBuffer, name: String) -> Bool
    /// Whether it takes this directory as a whole (a corpus of many files), given the names in it.
    static func recognizes(directory names: [String]) -> Bool
    /// Reads the files, of which there is one unless `joinsFiles`, and passes on what it finds. Every connection that was
    /// opened is over, or told `gone`, when it returns. What cannot be read is a `note` if reading goes on behind it.
    static func read(
        _ paths: [String], options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary
}

extension Importer {
    package static var isOrdered: Bool { false }
    package static var isMessagesOnly: Bool { false }
    package static func recognizes(directory names: [String]) -> Bool { false }
}

/// A kind of which each file, or directory, is a source of its own.
package protocol FileImporter: Importer {
    static func read(
        _ path: String, options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary
}

extension FileImporter {
    package static var joinsFiles: Bool { false }

    package static func read(
        _ paths: [String], options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        guard let path = paths.first else { return ImportSummary() }
        let summary = try read(path, options: options, into: sink)
        options.progress?(summary)
        return summary
    }
}

/// What every importer may be asked for.
package struct ImportOptions: Sendable {
    /// A file of TLS secrets in the NSS form. The pcap importer puts its `TLSLayer` before the sink that it is given.
    package var keyLog: String?
    /// A BPF expression; packets that do not match do not exist.
    package var filter: String?
    package var limits: Limits
    /// Bytes of one read; what is found does not depend on it.
    package var chunk: Int
    /// Called now and then with how much was read, for people who wait.
    package var progress: (@Sendable (ImportSummary) -> Void)?

    package init(
        keyLog: String? = nil, filter: String? = nil, limits: Limits = .standard, chunk: Int = 256 << 10,
        progress: (@Sendable (ImportSummary) -> Void)? = nil
    ) {
        self.keyLog = keyLog
        self.filter = filter
        self.limits = limits
        self.chunk = chunk
        self.progress = progress
    }
}

/// What reading a source came to.
package struct ImportSummary: Sendable, Equatable {
    /// Packets, lines or rows read.
    package var records: UInt64
    /// Bytes of the files that were read.
    package var bytes: UInt64
    /// Records among these that could not be read; each cause is a note.
    package var unreadable: UInt64
    /// Records among these that a filter left out, or that carry nothing of ours (UDP, images).
    package var skipped: UInt64
    /// Why a file ended before its end, when reading went on with another one behind it: told as an error that was thrown.
    package var failure: ImportError?
    package init(
        records: UInt64 = 0, bytes: UInt64 = 0, unreadable: UInt64 = 0, skipped: UInt64 = 0, failure: ImportError? = nil
    ) {
        self.records = records
        self.bytes = bytes
        self.unreadable = unreadable
        self.skipped = skipped
        self.failure = failure
    }
}
