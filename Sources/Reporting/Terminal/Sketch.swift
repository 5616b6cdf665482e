package import Journaling
import NIOCore
package import Oracles
import Wire

/// One row of a sequence diagram before it is drawn.
package struct SketchRow: Sendable, Equatable {
    package enum Mark: Sendable, Equatable {
        /// An arrow from lane to lane; the label stands in the first hop, the number in the second.
        case arrow(from: Int, to: Int, label: String, number: String, note: String)
        /// A text at a lane, beginning with its own glyph.
        case stand(lane: Int, text: String)
    }
    package var instant: Instant
    package var mark: Mark
    /// Rows of one instant keep this order.
    package var timed: Bool
}

/// Turns a finding's witness into rows: requester left, server in the middle, the other user right, the proxy between
/// each (looks.md section 1).
package struct Sketch: Sendable, Equatable {
    package var lanes: [String]
    package var rows: [SketchRow]

    package init(_ finding: Finding) {
        let users = finding.users.isEmpty ? ["client"] : finding.users
        let pair = users.count > 1
        lanes = pair ? [users[0], "proxy", "server", "proxy", users[1]] : [users[0], "proxy", "server"]
        var rows: [SketchRow] = []
        for entry in finding.witness {
            let right = pair && finding.sessions.count > 1 && entry.session == finding.sessions[1]
            let side = Laneing(right: right)
            rows += Self.rows(of: entry, side: side, finding: finding)
        }
        if finding.offending == nil {
            let text = "✗ \(finding.property) \(finding.sentence)"
            rows.append(SketchRow(instant: finding.instant, mark: .stand(lane: 0, text: text), timed: true))
        } else if let also = finding.also.first, finding.instant > (rows.last?.instant ?? .zero) {
            let missing = finding.expected.hasPrefix("no ") ? finding.expected : "no " + finding.expected
            let text = "✗ \(also) \(missing)"
            rows.append(SketchRow(instant: finding.instant, mark: .stand(lane: 0, text: text), timed: true))
        }
        self.rows = Array(rows.sorted { $0.instant < $1.instant }.prefix(10))
    }

    private static func rows(of entry: Entry, side: Laneing, finding: Finding) -> [SketchRow] {
        let number = "#\(entry.number)"
        let note = entry.ref != nil && entry.ref == finding.offending ? "✗ \(finding.property)" : ""
        switch entry.body {
        case .head(let head):
            return hops(head.passage, headLabel(head), number, note, side)
        case .frame(let record):
            return hops(record.passage, frameLabel(record), number, note, side)
        case .fault(let fault):
            let text = "◆ \(fault.id) \(fault.detail.replacingHead("101 held", with: "held"))"
            return [SketchRow(instant: entry.instant, mark: .stand(lane: side.proxy, text: text), timed: false)]
        case .ended(let end):
            let lane = end.side == .client ? side.user : 2
            let text = "end (\(end.style.rawValue), by \(end.by.rawValue)) \(number)"
            return [SketchRow(instant: entry.instant, mark: .stand(lane: lane, text: text), timed: true)]
        default: return []
        }
    }

    /// One row when it passed at once, two when the proxy held it, a half row when it never left.
    private static func hops(
        _ passage: Passage, _ label: String, _ number: String, _ note: String, _ side: Laneing
    ) -> [SketchRow] {
        let source = passage.direction == .toServer ? side.user : 2
        let target = passage.direction == .toServer ? 2 : side.user
        func row(_ at: Instant, _ from: Int, _ to: Int, _ label: String, _ number: String) -> SketchRow {
            let mark = SketchRow.Mark.arrow(from: from, to: to, label: label, number: number, note: note)
            return SketchRow(instant: at, mark: mark, timed: true)
        }
        switch (passage.in, passage.out) {
        case (let arrival?, let departure?) where departure > arrival:
            return [
                row(arrival, source, side.proxy, "\(label) \(number)", ""),
                row(departure, side.proxy, target, "\(label) \(number)", ""),
            ]
        case (let arrival?, .some): return [row(arrival, source, target, label, number)]
        case (let arrival?, nil): return [row(arrival, source, side.proxy, "\(label) \(number)", "")]
        case (nil, let departure?): return [row(departure, side.proxy, target, "\(label) \(number)", "")]
        case (nil, nil): return []
        }
    }

    private static func headLabel(_ head: HeadRecord) -> String {
        guard head.passage.direction == .toClient else { return "upgrade" }
        let line = head.bytes.readableBytesView.prefix(12)
        return SafeText.show(bytes: line.suffix(from: min(line.endIndex, line.startIndex + 9)))
    }

    static func frameLabel(_ record: FrameRecord) -> String {
        switch record.frame.opcode {
        case .close:
            let view = record.frame.payload.readableBytesView
            guard view.count >= 2 else { return "close" }
            return "close \(UInt16(view[view.startIndex]) << 8 | UInt16(view[view.startIndex + 1]))"
        case .ping: return "ping"
        case .pong: return "pong"
        default: break
        }
        guard let payload = record.message?.payload else { return "message" }
        if case .value(let json, _) = JSON.decode(payload), case .string(let type)? = json["type"] {
            return SafeText.show(type)
        }
        return record.message?.opcode == .binary ? "binary" : "text"
    }
}

/// The lanes of one user's hops.
private struct Laneing {
    var user: Int
    var proxy: Int
    init(right: Bool) {
        user = right ? 4 : 0
        proxy = right ? 3 : 1
    }
}

extension String {
    /// With `other` instead of `head` where it begins with that.
    package func replacingHead(_ head: String, with other: String) -> String {
        hasPrefix(head) ? other + dropFirst(head.count) : self
    }
}
