import Journaling
import NIOCore
import Wire

/// Plays the data path of one session: makes raw entries as the session machine does, and keeps the sockets' counts.
struct Wiretap {
    private(set) var raw: [RawEntry] = []
    private(set) var totals = Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)
    private let session: SessionID
    private var ordinal: UInt32 = 1
    private var scanners: [Direction: FrameScanner] = [:]
    var now: Int64 = 1_000

    init(_ session: UInt32 = 1) { self.session = SessionID(session) }

    var instant: Instant { Instant(nanoseconds: now) }

    private mutating func add(_ body: RawEntry.Body, ordinals: UInt32 = 1) -> EntryRef {
        let ref = EntryRef(session: session, ordinal: ordinal)
        raw.append(RawEntry(instant: instant, session: session, ordinal: ordinal, body: body))
        ordinal += ordinals
        now += 10
        return ref
    }

    private mutating func count(_ direction: Direction, _ bytes: Int, arrived: Bool, left: Bool) {
        switch direction {
        case .toServer:
            if arrived { totals.clientIn += UInt64(bytes) }
            if left { totals.serverOut += UInt64(bytes) }
        case .toClient:
            if arrived { totals.serverIn += UInt64(bytes) }
            if left { totals.clientOut += UInt64(bytes) }
        }
    }

    @discardableResult
    mutating func value(_ body: Entry.Body) -> EntryRef { add(.value(body)) }

    /// The scan lane, the bytes cut into reads of `size`.
    mutating func read(_ direction: Direction, _ bytes: ByteBuffer, size: Int = .max) {
        var rest = bytes
        while rest.readableBytes > 0, let part = rest.readSlice(length: min(size, rest.readableBytes)) {
            var ends: [Int32] = []
            var scanner = scanners[direction] ?? FrameScanner(direction)
            _ = scanner.scan(part, ends: &ends)
            scanners[direction] = scanner
            count(direction, part.readableBytes, arrived: true, left: true)
            _ = add(.read(direction, part, ends: ends), ordinals: UInt32(ends.count))
        }
    }

    /// The work lane.
    @discardableResult
    mutating func piece(
        _ direction: Direction, _ piece: RawEntry.Piece, _ bytes: ByteBuffer, arrives: Bool = true, leaves: Bool = true,
        _ provenance: Provenance = .none
    ) -> EntryRef {
        count(direction, bytes.readableBytes, arrived: arrives, left: leaves)
        return add(
            .piece(direction, piece, bytes, in: arrives ? instant : nil, out: leaves ? instant : nil, provenance))
    }

    mutating func upgrade(_ fields: [String] = [], extensions: String? = nil) {
        piece(.toServer, .head, Wiretap.head(["GET /ws HTTP/1.1", "Host: h"] + fields))
        let answer = extensions.map { ["Sec-WebSocket-Extensions: \($0)"] } ?? []
        piece(
            .toClient, .head,
            Wiretap.head(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"] + answer))
    }

    mutating func close() { value(.closed(totals)) }

    static func head(_ lines: [String]) -> ByteBuffer { ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n") }

    static func frame(
        _ opcode: Opcode, _ payload: ByteBuffer, fin: Bool = true, rsv: UInt8 = 0, mask: UInt32? = nil
    ) -> ByteBuffer {
        FrameWriter.bytes(Frame(fin: fin, rsv: rsv, opcode: opcode, maskKey: mask, payload: payload))
    }

    static func text(_ text: String, fin: Bool = true, opcode: Opcode = .text, mask: UInt32? = 0x0102_0304) -> ByteBuffer {
        frame(opcode, ByteBuffer(string: text), fin: fin, mask: mask)
    }

    /// Everything as entries, numbered.
    func entries(_ change: (inout Transcriber.Configuration) -> Void = { _ in }) -> [Entry] {
        var configuration = Transcriber.Configuration(redactionKey: Array(0..<32), epochSeconds: 1_000)
        change(&configuration)
        var assembler = JournalAssembler(loops: 1, configuration)
        assembler.push(raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        return entries
    }
}

extension [Entry] {
    var frames: [FrameRecord] { compactMap { if case .frame(let frame) = $0.body { frame } else { nil } } }
    var messages: [String] {
        frames.compactMap { frame in
            frame.message.map { "\($0.ordinal) \($0.payload.map { String(buffer: $0) } ?? "– \($0.unlifted ?? "")")" }
        }
    }
    var facts: [Facts] { compactMap { if case .facts(let facts) = $0.body { facts } else { nil } } }
    var bytes: [BytesRecord] { compactMap { if case .bytes(let bytes) = $0.body { bytes } else { nil } } }
    var heads: [HeadRecord] { compactMap { if case .head(let head) = $0.body { head } else { nil } } }
    var limits: [LimitRecord] { compactMap { if case .limit(let limit) = $0.body { limit } else { nil } } }

    /// As a recording would hold it.
    var ndjson: String {
        var buffer = ByteBuffer()
        for entry in self { EntryCodec.encode(entry, into: &buffer) }
        return String(buffer: buffer)
    }

    var ledger: Ledger {
        var ledger = Ledger()
        for entry in self { ledger.observe(entry) }
        return ledger
    }
}
