import Journaling
import NIOCore
import Wire

/// One line of the page's list, and one mark in its lanes.
struct HTMLRow {
    enum Kind: String { case message = "m", control = "c", head = "h", fault = "f", end = "e", note = "n" }

    var kind: Kind
    var isError = false
    var isClose = false
    /// HTTP status or close code.
    var code: UInt16?
    var marks: [HTMLTimeline.Mark] = []
    private var entry: Entry
    private var lane: Int
    private var session: SessionID
    private var label = ""
    private var text: String?
    private var base64: String?
    private var size = 0
    private var cut = 0
    private var passage: Passage?
    private var faults: [String] = []
    private var frame: Frame?

    /// Nil for what no page shows.
    init?(_ entry: Entry, lane: Int, session: SessionID) {
        kind = .note
        self.entry = entry
        self.lane = lane
        self.session = session
        switch entry.body {
        case .head(let head): take(head)
        case .frame(let record):
            guard record.frame.fin || !record.frame.opcode.isOfMessage else { return nil }
            take(record)
        case .fault(let fault):
            kind = .fault
            label = fault.kind
            text = fault.detail
            faults = [fault.id]
        case .ended(let end):
            kind = .end
            label = "\(end.side.rawValue) \(end.style == .reset ? "reset" : "ended")"
            text = end.by == .peer ? "" : "by \(end.by == .fault ? "fault \(end.cause)" : "miswire, \(end.cause)")"
        case .limit(let limit):
            label = "limit \(limit.id)"
            text = limit.detail
        case .bytes(let bytes):
            label = bytes.kind.rawValue
            passage = bytes.passage
            size = Int(clamping: bytes.wireSize)
            hold(bytes.bytes)
        case .note(let note):
            label = "note"
            text = note
        default: return nil
        }
    }

    private mutating func take(_ head: HeadRecord) {
        kind = .head
        passage = head.passage
        faults = head.provenance.faults
        size = Int(clamping: head.wireSize)
        let text = String(buffer: head.bytes)
        let words = text.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ", maxSplits: 2)
        if head.passage.direction == .toServer {
            label = "upgrade"
        } else {
            code = words.count > 1 ? UInt16(words[1]) : nil
            label = code.map(String.init) ?? "answer"
        }
        hold(head.bytes)
    }

    private mutating func take(_ record: FrameRecord) {
        let payload = record.message.map(\.payload) ?? record.frame.payload
        let opcode = record.message?.opcode ?? record.frame.opcode
        kind = opcode.isControl ? .control : .message
        passage = record.passage
        faults = record.provenance.faults
        frame = record.frame
        size = Int(clamping: payload.map { UInt64($0.readableBytes) } ?? record.wireSize)
        switch opcode {
        case .close:
            isClose = true
            code = payload.flatMap { CloseBody($0).code }
            label = code.map { "close \($0)" } ?? "close"
        case .ping: label = "ping"
        case .pong: label = "pong"
        case .binary: label = "binary"
        default: label = "text"
        }
        guard let payload else {
            text = record.message?.unlifted ?? "not held"
            return
        }
        if opcode == .text || opcode == .binary, let type = JSONReader(payload).string(at: ["type"]), !type.isEmpty {
            label = type.count > 60 ? type.prefix(59) + "…" : type
            isError = type == "error"
        }
        hold(isClose && payload.readableBytes > 2 ? payload.getSlice(at: payload.readerIndex + 2, length: payload.readableBytes - 2) ?? payload : payload)
    }

    private mutating func hold(_ bytes: ByteBuffer) {
        let kept = min(bytes.readableBytes, HTMLTimeline.longestPayload)
        cut = bytes.readableBytes - kept
        var part = bytes.getSlice(at: bytes.readerIndex, length: kept) ?? ByteBuffer()
        // A text is cut between characters.
        for _ in 0..<3 where cut > 0 && !UTF8Validator.isValid(part) && part.readableBytes > 0 {
            part = part.getSlice(at: part.readerIndex, length: part.readableBytes - 1) ?? ByteBuffer()
        }
        if UTF8Validator.isValid(part) {
            cut = bytes.readableBytes - part.readableBytes
            text = String(buffer: part)
        } else {
            base64 = AcceptKey.base64(Array(bytes.readableBytesView.prefix(kept)))
        }
    }

    static func milliseconds(_ instant: Instant) -> String { Figures.fixed(Double(instant.nanoseconds) / 1e6, digits: 3) }

    /// Short keys, because there are many lines.
    var line: [UInt8] {
        var members: [JSON.Member] = []
        func add(_ key: String, _ value: JSON) { members.append(.init(key: key, value: value)) }
        add("n", .number(String(entry.number)))
        add("t", .number(Self.milliseconds(entry.instant)))
        add("l", .number(String(lane)))
        add("s", .string(session.description))
        if let ref = entry.ref { add("r", .string(ref.description)) }
        add("k", .string(kind.rawValue))
        if let passage {
            add("d", .number(passage.direction == .toServer ? "1" : "0"))
            add("i", .array(Tap.allCases.map { tap in passage.instant(at: tap).map { JSON.number(Self.milliseconds($0)) } ?? .null }))
        }
        add("y", .string(label))
        if size > 0 { add("b", .number(String(size))) }
        if let text, !text.isEmpty { add("p", .string(text)) }
        if let base64 { add("x", .string(base64)) }
        if cut > 0 { add("c", .number(String(cut))) }
        if let code { add("o", .number(String(code))) }
        if isError { add("e", .number("1")) }
        if !faults.isEmpty { add("f", .array(faults.map { .string($0) })) }
        if let frame { add("w", .array(bits(frame))) }
        if !marks.isEmpty { add("v", .array(marks.map(mark))) }
        return Array((JSON.object(members).text + "\n").utf8)
    }

    /// First byte, masking key or null, length, form of the length.
    private func bits(_ frame: Frame) -> [JSON] {
        [
            .number(String(frame.firstByte)), frame.maskKey.map { JSON.number(String($0)) } ?? .null,
            .number(String(frame.declaredLength)), .number(String(frame.lengthForm.rawValue)),
        ]
    }

    private func mark(_ mark: HTMLTimeline.Mark) -> JSON {
        .object([
            .init(key: "ids", value: .array(mark.ids.map { .string($0) })), .init(key: "s", value: .string(mark.sentence)),
            .init(key: "c", value: mark.cause.map { JSON.string($0.description) } ?? .null),
        ])
    }

    /// Something that a page of too many rows keeps, with its neighbours.
    var isMark: Bool { !marks.isEmpty || kind == .fault || isError }
}

/// The rows of a page. Up to 50,000 all are kept; of more, the first thousand and 500 on either side of each mark, and behind
/// that what findings show, with a few rows around it.
struct HTMLRows {
    static let most = 50_000
    private static let beginning = 1_000
    private static let around = 500
    private static let mostOfFindings = 10_000
    private static let aroundFindings = 10

    var omitted: Int { passed + recent.count }
    private var passed = 0
    private var lines: [Line] = []
    /// Rows since the last mark that are still kept.
    private var following = 0
    private var recent: [Line] = []
    private var isThinned = false

    private struct Line {
        var bytes: [UInt8]
        var isMark: Bool
        var isOfFinding: Bool
    }

    mutating func append(_ row: HTMLRow) {
        let line = Line(bytes: row.line, isMark: row.isMark, isOfFinding: !row.marks.isEmpty)
        if isThinned { return thin(line) }
        lines.append(line)
        guard lines.count > Self.most else { return }
        isThinned = true
        let all = lines
        lines = Array(all.prefix(Self.beginning))
        for line in all.dropFirst(Self.beginning) { thin(line) }
    }

    private mutating func thin(_ line: Line) {
        let isFull = lines.count >= Self.most
        if isFull, following > Self.aroundFindings { following = 0 }
        if isFull ? line.isOfFinding && lines.count < Self.most + Self.mostOfFindings : line.isMark {
            let around = isFull ? Self.aroundFindings : Self.around
            lines += recent.suffix(around)
            passed += max(0, recent.count - around)
            recent.removeAll(keepingCapacity: true)
            following = around
            lines.append(line)
        } else if following > 0 {
            following -= 1
            lines.append(line)
        } else {
            recent.append(line)
            guard recent.count >= 2 * Self.around else { return }
            passed += recent.count - Self.around
            recent.removeFirst(recent.count - Self.around)
        }
    }

    var bytes: [UInt8] { lines.flatMap(\.bytes) }
}
