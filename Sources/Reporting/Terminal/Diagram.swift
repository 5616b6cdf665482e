package import Journaling

/// Draws a `Sketch` with lanes 18 columns apart.
package struct Diagram: Sendable {
    package var sketch: Sketch
    package init(_ sketch: Sketch) { self.sketch = sketch }

    private static let first = 13
    private static let gap = 18

    package func text(_ style: Style, since start: Instant) -> String {
        if style.width < 80 { return list(style, since: start) }
        var lines = [head()]
        for row in sketch.rows { lines.append(line(row, since: start)) }
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }

    private func column(_ lane: Int) -> Int { Self.first + Self.gap * lane }

    private func head() -> String {
        var canvas = Canvas()
        for (lane, name) in sketch.lanes.enumerated() {
            let shown = SafeText.show(name).shortened(to: Self.gap - 2)
            canvas.put(shown, at: column(lane) - shown.count / 2)
        }
        return canvas.text
    }

    private func line(_ row: SketchRow, since start: Instant) -> String {
        var canvas = Canvas()
        for lane in sketch.lanes.indices { canvas.put("│", at: column(lane)) }
        if row.timed { canvas.put(Figures.time(row.instant, since: start).right(8), at: 0) }
        switch row.mark {
        case .stand(let lane, let text): 
            // A text beyond the last column is cut; a lane that it covers does not go on through it.
            canvas.put(SafeText.show(text).shortened(to: 100 - column(lane)) + " ", at: column(lane))
        case .arrow(let from, let to, let label, let number, let note):
            draw(from: from, to: to, label: label, number: number, on: &canvas)
            if !note.isEmpty { canvas.put(" " + note, at: max(column(from), column(to)) + 1) }
        }
        return canvas.text
    }

    private func draw(from: Int, to: Int, label: String, number: String, on canvas: inout Canvas) {
        let step = from < to ? 1 : -1
        var lane = from
        var texts = [label, number]
        while lane != to {
            let next = lane + step
            let left = min(lane, next)
            let text = texts.isEmpty ? "" : texts.removeFirst()
            var hop = Array(centred(text))
            if next == to { hop[step > 0 ? hop.count - 1 : 0] = step > 0 ? "▸" : "◂" }
            canvas.put(String(hop), at: column(left) + 1)
            if next != to { canvas.put("┼", at: column(next)) }
            lane = next
        }
    }

    private func centred(_ label: String) -> String {
        let inner = Self.gap - 1
        let text = label.isEmpty ? "" : " \(label.shortened(to: inner - 4)) "
        let left = (inner - text.count) / 2
        return String(repeating: "─", count: left) + text + String(repeating: "─", count: inner - left - text.count)
    }

    /// Below 80 columns the lanes become a numbered list.
    private func list(_ style: Style, since start: Instant) -> String {
        let lines = sketch.rows.enumerated().map { index, row in
            let time = Figures.time(row.instant, since: start)
            switch row.mark {
            case .stand(_, let text): return "  \(index + 1). \(time) \(SafeText.show(text))"
            case .arrow(let from, let to, let label, let number, let note):
                let hop = "\(SafeText.show(sketch.lanes[from])) → \(SafeText.show(sketch.lanes[to]))"
                return "  \(index + 1). \(time) \([hop, label, number, note].filter { !$0.isEmpty }.joined(separator: " "))"
            }
        }
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }
}

/// A line of text that is written at columns.
private struct Canvas {
    private var cells: [Character] = []

    mutating func put(_ text: String, at column: Int) {
        let start = max(0, column)
        let characters = Array(text)
        while cells.count < start + characters.count { cells.append(" ") }
        for (offset, character) in characters.enumerated() { cells[start + offset] = character }
    }

    var text: String {
        var end = cells.count
        while end > 0, cells[end - 1] == " " { end -= 1 }
        return String(cells[..<end])
    }
}
