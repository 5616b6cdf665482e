import Journaling

/// A `Sketch` as inline SVG: users in their colours, proxy and server dashed, times on the left.
struct HTMLDiagram {
    private let sketch: Sketch
    private let start: Instant
    private let width = 592
    private let gutter = 84
    private let top = 44
    private let step = 30

    init(_ sketch: Sketch, since start: Instant) {
        self.sketch = sketch
        self.start = start
    }

    var text: String {
        let height = top + step * sketch.rows.count + 12
        let sentence = "Messages between \(sketch.lanes.map { SafeText.show($0) }.joined(separator: ", "))"
        var svg = "<svg class=\"sketch\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(HTMLText.escape(sentence))\">"
        for lane in sketch.lanes.indices { svg += head(lane, height) }
        for (index, row) in sketch.rows.enumerated() { svg += line(row, at: top + step * index + 18) }
        return svg + "</svg>"
    }

    private func x(_ lane: Int) -> Int {
        let last = max(1, sketch.lanes.count - 1)
        return gutter + 36 + (width - gutter - 80) * lane / last
    }

    /// The users stand at the ends, the first left.
    private func colour(_ lane: Int) -> String? {
        lane == 0 ? "c1" : lane == 4 ? "c2" : nil
    }

    private func head(_ lane: Int, _ height: Int) -> String {
        let name = SafeText.cut(SafeText.show(sketch.lanes[lane]), to: 10)
        let kind = colour(lane) ?? "peer"
        return "<rect class=\"lane \(kind)\" x=\"\(x(lane) - 36)\" y=\"8\" width=\"72\" height=\"22\" rx=\"4\"/>"
            + "<text class=\"name \(kind)\" x=\"\(x(lane))\" y=\"23\">\(HTMLText.escape(name))</text>"
            + "<path class=\"life \(kind)\" d=\"M\(x(lane)) 32V\(height - 4)\"/>"
    }

    private func line(_ row: SketchRow, at y: Int) -> String {
        let time = row.timed ? "<text class=\"time\" x=\"0\" y=\"\(y + 4)\">\(Figures.time(row.instant, since: start))</text>" : ""
        switch row.mark {
        case .stand(let lane, let text): return time + stand(lane, SafeText.brief(text, to: 56), y)
        case .arrow(let from, let to, let label, let number, let note):
            let bad = note.isEmpty ? "" : " bad"
            let sign = from < to ? -1 : 1
            let end = x(to)
            let first = from < to ? from + 1 : from - 1
            var svg = time + "<path class=\"arrow\(bad)\" d=\"M\(x(from)) \(y)H\(end)\"/>"
            svg += "<path class=\"tip\(bad)\" d=\"M\(end) \(y)l\(8 * sign) -4v8z\"/>"
            svg += words(label, middle(from, first), y, bad, anchor: "middle")
            if first != to { svg += words(number, middle(first, to), y, bad, anchor: "middle") }
            if !note.isEmpty { svg += words(note, x(max(from, to)) + 8, y + 9, bad, anchor: "start") }
            return svg
        }
    }

    private func middle(_ left: Int, _ right: Int) -> Int { (x(left) + x(right)) / 2 }

    private func words(_ text: String, _ x: Int, _ y: Int, _ bad: String, anchor: String) -> String {
        let shown = HTMLText.escape(SafeText.cut(SafeText.show(text), to: 18))
        return shown.isEmpty ? "" : "<text class=\"label \(anchor)\(bad)\" x=\"\(x)\" y=\"\(y - 5)\">\(shown)</text>"
    }

    /// A text on a plate: amber for what we did, red for what failed. Right of its lane, left where it would be cut.
    private func stand(_ lane: Int, _ text: String, _ y: Int) -> String {
        let kind = text.hasPrefix("◆") ? "ours" : text.hasPrefix("✗") ? "bad" : "peer"
        let length = min(width, text.count * 7 + 12)
        let left = max(0, min(x(lane) + 6, width - length))
        return "<circle class=\"dot \(kind)\" cx=\"\(x(lane))\" cy=\"\(y)\" r=\"4\"/>"
            + "<rect class=\"plate \(kind)\" x=\"\(left)\" y=\"\(y - 10)\" width=\"\(length)\" height=\"20\" rx=\"4\"/>"
            + "<text class=\"plated \(kind)\" x=\"\(left + 6)\" y=\"\(y + 4)\">\(HTMLText.escape(text))</text>"
    }
}
