import Journaling
package import NIOCore
import Wire

/// Captures of packets: the classic form and pcapng, of any link type that is read (captures.md). Files are one source,
/// as rotating capture programs write them, and are read in the order of their first packets.
package enum PcapImporter: Importer {
    package static let name = "pcap"
    package static let summary = "packets, as tcpdump and Wireshark write them (pcap, pcapng)"
    package static let records = (one: "packet", many: "packets")
    package static let isOrdered = true
    package static let joinsFiles = true

    package static func recognizes(_ head: ByteBuffer, name: String) -> Bool {
        let bytes = Array(head.readableBytesView.prefix(24))
        return unsafe Form.of(bytes.span.bytes) != nil
            || (Packed.of(bytes) != nil && [".pcap", ".pcapng", ".cap"].contains { name.contains($0) })
    }

    package static func read(
        _ paths: [String], options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        var keys = KeyLog()
        if let path = options.keyLog {
            keys = try KeyLog.read(path)
            for complaint in keys.complaints(place: path) { try sink.note(nil, complaint) }
        }
        var taker = FileTaker(tls: TLSLayer(next: sink, keyLog: keys), options: options)
        do {
            for path in paths.count > 1 ? inOrder(paths) : paths {
                taker.begin(path)
                try read(path, &taker)
            }
        } catch {
            // What was read until then is passed on, and its connections end.
            try taker.lifter.conclude()
            throw error
        }
        try taker.lifter.conclude()
        return taker.told
    }

    /// By their first packet's time; of equal ones, and of files without any, the order given stands. What is wrong with a
    /// file is told when it is read.
    private static func inOrder(_ paths: [String]) -> [String] {
        let times = paths.map { path in
            var taker = FirstTaker()
            _ = try? read(path, &taker, ImportOptions())
            return taker.time ?? .max
        }
        return paths.indices.sorted { (times[$0], $0) < (times[$1], $1) }.map { paths[$0] }
    }

    private static func read(_ path: String, _ taker: inout FileTaker) throws(ImportError) {
        let options = taker.options
        taker.end(try read(path, &taker, options))
    }

    /// - Returns: how many bytes were read.
    private static func read<Taker: PacketTaker & ~Copyable>(
        _ path: String, _ taker: inout Taker, _ options: ImportOptions
    ) throws(ImportError) -> UInt64 {
        var window = try CaptureWindow(path: path, size: max(CaptureWindow.size, options.chunk))
        _ = try window.demand(24)
        let pointer = unsafe window.readable
        let head = unsafe pointer.bytes
        switch Form.of(head) {
        case .classic:
            let reader = try PcapReader(&window, limits: options.limits)
            try reader.read(&window, into: &taker)
        case .blocks:
            var reader = PcapngReader(limits: options.limits)
            try reader.read(&window, into: &taker)
        case nil: throw unreadable(path, (0..<min(4, head.byteCount)).map { head.byte($0) })
        }
        return window.offset
    }

    private static func unreadable(_ path: String, _ head: [UInt8]) -> ImportError {
        if let packed = Packed.of(head) {
            return ImportError(
                place: path, sentence: "the capture is packed with \(packed.rawValue)",
                expected: "a capture as it was written",
                found: "a \(packed.rawValue) file", remedy: "unpack it first: \(packed.command) \(path)")
        }
        let digits = head.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        return ImportError(
            place: path, sentence: "this is no capture of packets", expected: "pcap or pcapng",
            found: head.isEmpty ? "an empty file" : "a file that begins with \(digits)", remedy: "name a capture")
    }
}

private enum Form {
    case classic, blocks

    static func of(_ head: RawSpan) -> Form? {
        PcapReader.recognizes(head) ? .classic : PcapngReader.recognizes(head) ? .blocks : nil
    }
}

/// Looks for the first packet alone, and ends the reading with it.
private struct FirstTaker: PacketTaker {
    private(set) var time: WallTime?

    mutating func packet(_ stamp: PacketStamp, _ bytes: RawSpan) throws(ImportError) {
        time = stamp.time
        throw ImportError(place: "", sentence: "the first packet is enough")
    }
    mutating func secrets(_ bytes: RawSpan) {}
    mutating func note(_ sentence: String) {}
    mutating func brokenOff(_ error: ImportError) {}
}

/// What capture files come packed in.
private enum Packed: String {
    case gzip, zstd, xz

    static func of(_ head: [UInt8]) -> Packed? {
        head.starts(with: [0x1f, 0x8b])
            ? .gzip
            : head.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
                ? .zstd : head.starts(with: [0xfd, 0x37, 0x7a, 0x58]) ? .xz : nil
    }

    var command: String {
        switch self {
        case .gzip: "gunzip"
        case .zstd: "unzstd"
        case .xz: "unxz"
        }
    }
}

/// Packets of files on their way to the reassembler: the filter, progress, secrets.
private struct FileTaker: ~Copyable, PacketTaker {
    var lifter: PacketLifter
    let options: ImportOptions
    var summary = ImportSummary()
    private let tls: TLSLayer
    private var filters: [(link: UInt32, filter: PacketFilter)] = []
    private var bytesBefore: UInt64 = 0
    /// The latest packet so far and the file it stands in; whether the file now read was compared with it.
    private var newest: (time: WallTime, path: String)?
    private var isCompared = true

    init(tls: TLSLayer, options: ImportOptions) {
        self.tls = tls
        self.options = options
        lifter = PacketLifter(sink: tls, name: "", limits: options.limits)
    }

    mutating func begin(_ path: String) {
        lifter.name = path
        isCompared = newest == nil
    }

    /// Times go on, and a file that goes back is told: what overlaps comes late, as if it had been captured then.
    private mutating func compare(_ time: WallTime) throws(ImportError) {
        if !isCompared, let newest {
            isCompared = true
            let (overlap, far) = newest.time.subtractingReportingOverflow(time)
            if far ? newest.time > time : overlap > WaitingLine.patience {
                try note(
                    "\(lifter.name) begins before \(newest.path) ends: files are read one behind the other, so what "
                        + "the two have in common comes late or twice"
                )
            }
        }
        if newest.map({ time >= $0.time }) ?? true { newest = (time, lifter.name) }
    }

    mutating func end(_ bytes: UInt64) {
        bytesBefore &+= bytes
        summary.bytes = bytesBefore
    }

    mutating func packet(_ stamp: PacketStamp, _ bytes: RawSpan) throws(ImportError) {
        summary.records &+= 1
        try compare(stamp.time)
        summary.bytes &+= UInt64(bytes.byteCount)
        if summary.records & 0xffff == 0 { options.progress?(told) }
        if let expression = options.filter,
            !(try filter(expression, stamp.link).admits(bytes, wireLength: stamp.wireLength))
        {
            summary.skipped &+= 1
            return
        }
        try lifter.take(stamp, bytes)
    }

    /// Secrets stand before the packets that they open.
    mutating func secrets(_ bytes: RawSpan) throws(ImportError) {
        let text = unsafe bytes.withUnsafeBytes { unsafe ByteBuffer(bytes: $0) }
        try tls.add(secrets: text, place: "\(lifter.name) secrets")
    }

    mutating func note(_ sentence: String) throws(ImportError) { try tls.note(nil, sentence) }

    /// The first is what the source failed by; a later one is a note.
    mutating func brokenOff(_ error: ImportError) throws(ImportError) {
        guard summary.failure != nil else {
            summary.failure = error
            return
        }
        try note("\(error.place): \(error.sentence)")
    }

    private mutating func filter(_ expression: String, _ link: UInt32) throws(ImportError) -> PacketFilter {
        if let known = filters.first(where: { $0.link == link }) { return known.filter }
        let made = try PacketFilter(expression, link: link, place: "--filter")
        filters.append((link, made))
        return made
    }

    var told: ImportSummary {
        var told = summary
        told.unreadable = lifter.tally.broken &+ lifter.tally.headless
        told.skipped = summary.skipped &+ lifter.tally.others
        return told
    }
}
