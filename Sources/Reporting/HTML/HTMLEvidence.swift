import Journaling
import NIOCore
import Oracles
import Plans
import Wire

/// What stands behind a finding: when its messages passed the taps, the message itself to the bit, and its plan.
struct HTMLEvidence {
    private let item: ReportedFinding
    private let block: FindingBlock

    init(_ item: ReportedFinding) {
        self.item = item
        block = FindingBlock(item.finding, stage: "", replay: nil)
    }

    // MARK: Taps

    var taps: String {
        let rows = block.named().compactMap(row)
        guard !rows.isEmpty else { return "" }
        let heads = Tap.allCases.map { "<th>\($0.rawValue)</th>" }.joined()
        return "<table><thead><tr><th>entry</th><th></th>\(heads)<th>way</th><th>type</th></tr></thead><tbody>\(rows.joined())</tbody></table>"
    }

    private func row(_ entry: Entry) -> String? {
        guard let (passage, word) = block.described(entry), let session = entry.session else { return nil }
        let cells = Tap.allCases.map { tap in
            "<td class=\"mono\">" + (passage.instant(at: tap).map { "\(Figures.time($0, since: .zero)) \(session)" } ?? "–") + "</td>"
        }
        let user = HTMLText.escape(block.userName(of: session))
        let way = passage.direction == .toServer ? "\(user) ▸ server" : "server ▸ \(user)"
        let isBad = entry.ref != nil && entry.ref == item.finding.offending
        let number = "<td class=\"id\(isBad ? " fail" : "")\">#\(entry.number)\(isBad ? " ✗" : "")</td>"
        return "<tr>\(number)<td>\(word)</td>\(cells.joined())<td>\(way)</td><td>\(HTMLText.escape(block.label(entry)))</td></tr>"
    }

    // MARK: Message

    private static let mostLines = 400
    private static let mostBytes = 512

    /// As JSON where it is some, the frame's first bits, and its first bytes.
    var message: String {
        guard let entry = block.shownEntry(), case .frame(let record) = entry.body, let session = entry.session else { return "" }
        let payload = record.message?.payload ?? record.frame.payload
        let tap = record.passage.direction == .toServer ? "Sout" : "Sin"
        let size = Figures.count(payload.readableBytes)
        let head = "#\(entry.number) at \(tap) on \(session), \(HTMLText.escape(block.label(entry))), \(size) \(payload.readableBytes == 1 ? "byte" : "bytes")"
        let carets = entry.ref == item.finding.offending ? Carets(item.finding, payload: payload).all : []
        return "<div class=\"quiet\">\(head)</div>" + text(payload, carets) + Self.bits(record.frame) + Self.hex(payload)
    }

    private func text(_ payload: ByteBuffer, _ carets: [Carets.Caret]) -> String {
        var lines: [String]
        if case .value(let json, _) = JSON.decode(payload) {
            lines = JSONLines.lines(of: json, most: Self.mostLines)
        } else {
            lines = [SafeText.cut(SafeText.show(bytes: payload.readableBytesView.prefix(4_096)), to: 2_000)]
        }
        var rest = carets
        let shown = lines.map { line -> String in
            let text = SafeText.cut(SafeText.show(line), to: 400)
            let found = rest.firstIndex { $0.column(in: text) != nil }
            let note = found.map { " <em>\(HTMLText.escape(rest[$0].label))</em>" } ?? ""
            if let found { rest.remove(at: found) }
            return "<span class=\"line\(found == nil ? "" : " hit")\">\(HTMLText.escape(text))\(note)</span>"
        }
        return "<pre tabindex=\"0\">\(shown.joined())</pre>"
    }

    /// The 16 bits that a frame begins with (RFC 6455 section 5.2).
    private static func bits(_ frame: Frame) -> String {
        let first = frame.firstByte
        func bit(_ place: UInt8) -> String { first >> place & 1 == 1 ? "1" : "0" }
        let cells = [
            ("FIN", bit(7)), ("RSV1", bit(6)), ("RSV2", bit(5)), ("RSV3", bit(4)), ("opcode", "\(first & 15)"),
            ("M", frame.maskKey == nil ? "0" : "1"), ("length", Figures.count(Int(clamping: frame.declaredLength))),
        ]
        let heads = cells.map { "<th>\($0.0)</th>" }.joined()
        return "<table class=\"bits\"><tr>\(heads)</tr><tr>\(cells.map { "<td>\($0.1)</td>" }.joined())</tr></table>"
    }

    /// 16 bytes a row: offset, hex, ASCII.
    private static func hex(_ payload: ByteBuffer) -> String {
        let bytes = Array(payload.readableBytesView.prefix(mostBytes))
        guard !bytes.isEmpty else { return "" }
        var rows: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            let numbers = row.map { digits(UInt32($0), 2) }.joined(separator: " ")
            let letters = String(decoding: row.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
            rows.append("\(digits(UInt32(start), 4))  \(numbers.left(48)) \(letters)")
        }
        let more = payload.readableBytes - bytes.count
        if more > 0 { rows.append("…(+\(Figures.count(more)) B)") }
        return "<pre tabindex=\"0\" aria-label=\"bytes\">\(rows.map { HTMLText.escape($0) }.joined(separator: "\n"))</pre>"
    }

    private static func digits(_ value: UInt32, _ count: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    // MARK: Plan

    var plan: String {
        guard let plan = item.plan else { return "" }
        return "<pre tabindex=\"0\">\(HTMLText.escapeLines(SafeText.cut(PlanText.print(plan), to: 65_536)))</pre>"
    }
}

/// A JSON value a member a line.
enum JSONLines {
    static func lines(of value: JSON, most: Int) -> [String] {
        var lines: [String] = []
        write(value, "", "", "", &lines, most)
        if lines.count > most { lines = Array(lines.prefix(most)) + ["…"] }
        return lines
    }

    /// The depth of a message is bounded by whoever decoded it.
    private static func write(_ value: JSON, _ space: String, _ head: String, _ tail: String, _ lines: inout [String], _ most: Int) {
        guard lines.count <= most else { return }
        switch value {
        case .object(let members) where !members.isEmpty:
            lines.append(space + head + "{")
            for (index, member) in members.enumerated() {
                let comma = index < members.count - 1 ? "," : ""
                write(member.value, space + "  ", JSONText.quoted(member.key) + ": ", comma, &lines, most)
            }
            lines.append(space + "}" + tail)
        case .array(let items) where !items.isEmpty:
            lines.append(space + head + "[")
            for (index, item) in items.enumerated() {
                write(item, space + "  ", "", index < items.count - 1 ? "," : "", &lines, most)
            }
            lines.append(space + "]" + tail)
        default: lines.append(space + head + value.text + tail)
        }
    }
}
