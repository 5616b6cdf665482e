import Journaling
package import NIOCore
import Wire

/// Captures of packets: the classic form and pcapng, of any link type that is read (captures.md). Files are read in the
/// order given and are one source, as rotating capture programs write them.
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
            for path in paths {
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

    private static func read(_ path: String, _ taker: inout FileTaker) throws(ImportError) {
        var window = try CaptureWindow(path: path, size: max(CaptureWindow.size, taker.options.chunk))
        _ = try window.demand(24)
        let pointer = unsafe window.readable
        let head = unsafe pointer.bytes
        switch Form.of(head) {
        case .classic:
            let reader = try PcapReader(&window, limits: taker.options.limits)
            try reader.read(&window, into: &taker)
        case .blocks:
            var reader = PcapngReader(limits: taker.options.limits)
            try reader.read(&window, into: &taker)
        case nil: throw unreadable(path, (0..<min(4, head.byteCount)).map { head.byte($0) })
        }
        taker.end(window.offset)
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

    init(tls: TLSLayer, options: ImportOptions) {
        self.tls = tls
        self.options = options
        lifter = PacketLifter(sink: tls, name: "", limits: options.limits)
    }

    mutating func begin(_ path: String) {
        lifter.name = path
    }

    mutating func end(_ bytes: UInt64) {
        bytesBefore &+= bytes
        summary.bytes = bytesBefore
    }

    mutating func packet(_ stamp: PacketStamp, _ bytes: RawSpan) throws(ImportError) {
        summary.records &+= 1
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
