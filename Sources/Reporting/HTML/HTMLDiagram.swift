import Journaling

/// A `Sketch` as inline SVG: users in their colours, proxy and server dashed, times on the left.
struct HTMLDiagram {
    private let sketch: Sketch
    private let start: Instant
    private let width = 592
    private let gutter = 84
    private let top = 44
    private let step = 34

    init(_ sketch: Sketch, since start: Instant) {
        self.sketch = sketch
        self.start = start
    }

    var text: String {
        let height = top + step * sketch.rows.count + 12
        let sentence = "Messages between \(sketch.lanes.map { SafeText.show($0) }.joined(separator: ", "))"
        var svg = "<svg class=\"sketch\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(HTMLText.escape(sentence))\">"
        for lane in sketch.lanes.indices { svg += head(lane, height) }
        svg += holds()
        for (index, row) in sketch.rows.enumerated() { svg += line(row, at: y(index)) }
        return svg + "</svg>"
    }

    private func y(_ row: Int) -> Int { top + step * row + 18 }

    /// How long the proxy kept something: a bar from where it came to where it went on.
    private func holds() -> String {
        var bars = ""
        for (index, row) in sketch.rows.enumerated() {
            guard case .arrow(_, let lane, let label, _, _) = row.mark, lane % 2 == 1 else { continue }
            let later = sketch.rows.dropFirst(index + 1).firstIndex { other in
                if case .arrow(lane, _, label, _, _) = other.mark { true } else { false }
            }
            guard let later else { continue }
            bars += "<rect class=\"held\" x=\"\(x(lane) - 3)\" y=\"\(y(index))\" width=\"6\" height=\"\(y(later) - y(index))\"/>"
        }
        return bars
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
            // Where there is little room the number alone stands.
            svg += words(label, middle(from, first), y, bad, anchor: number.isEmpty || isHead(label) ? "middle" : "middle type")
            if first != to { svg += words(number, middle(first, to), y, bad, anchor: "middle") }
            if !note.isEmpty { svg += words(note, x(max(from, to)) + 8, y + 9, bad, anchor: "start") }
            return svg + taps(from, to, label, number, y)
        }
    }

    private func isHead(_ label: String) -> Bool { label == "upgrade" || label.count == 3 && label.allSatisfy(\.isNumber) }

    /// The taps of a message that passed at once; where it came in stands on the sender's side.
    private func taps(_ from: Int, _ to: Int, _ label: String, _ number: String, _ y: Int) -> String {
        guard !isHead(label), !number.isEmpty else { return "" }
        let near = from < to ? from + 1 : from - 1
        let names = from == 2 ? (Tap.serverIn, Tap.clientOut) : (Tap.clientIn, Tap.serverOut)
        let ends = from < to ? [(x(near) - 6, "end"), (x(to) - 8, "end")] : [(x(near) + 6, "start"), (x(to) + 8, "start")]
        let places = from == 2 ? ends : from < to ? [(x(from) + 6, "start"), (x(near) + 6, "start")] : [(x(from) - 6, "end"),
            (x(near) - 6, "end")]
        return zip(places, [names.0, names.1]).map { place, tap in
            "<text class=\"tap \(place.1)\" x=\"\(place.0)\" y=\"\(y + 12)\">\(tap.rawValue)</text>"
        }.joined()
    }

    private func middle(_ left: Int, _ right: Int) -> Int { (x(left) + x(right)) / 2 }

    private func words(_ text: String, _ x: Int, _ y: Int, _ bad: String, anchor: String) -> String {
        let shown = HTMLText.escape(SafeText.cut(SafeText.show(text), to: 18))
        return shown.isEmpty ? "" : "<text class=\"label \(anchor)\(bad)\" x=\"\(x)\" y=\"\(y - 5)\">\(shown)</text>"
    }

    /// Something that was due and did not come: a box on the lane that waited, dots to the server.
    private func missing(_ lane: Int, _ text: String, _ y: Int) -> String {
        let isLeft = lane < 2
        let anchor = isLeft ? "start" : "end"
        return "<rect class=\"due\" x=\"\(x(lane) - 5)\" y=\"\(y - 11)\" width=\"10\" height=\"22\"/>"
            + "<path class=\"dots\" d=\"M\(x(lane) + (isLeft ? 8 : -8)) \(y + 5)H\(x(2))\"/>"
            + "<text class=\"label bad \(anchor)\" x=\"\(x(lane) + (isLeft ? 12 : -12))\" y=\"\(y - 1)\">\(HTMLText.escape(text))</text>"
    }

    /// A text on a plate: amber for what we did, red for what failed. Right of its lane, left where it would be cut.
    private func stand(_ lane: Int, _ text: String, _ y: Int) -> String {
        if text.hasPrefix("✗"), sketch.lanes.indices.contains(2), lane != 2 { return missing(lane, text, y) }
        let kind = text.hasPrefix("◆") ? "ours" : text.hasPrefix("✗") ? "bad" : "peer"
        let length = min(width, text.count * 7 + 12)
        let left = max(0, min(x(lane) + 6, width - length))
        return "<circle class=\"dot \(kind)\" cx=\"\(x(lane))\" cy=\"\(y)\" r=\"4\"/>"
            + "<rect class=\"plate \(kind)\" x=\"\(left)\" y=\"\(y - 10)\" width=\"\(length)\" height=\"20\" rx=\"4\"/>"
            + "<text class=\"plated \(kind)\" x=\"\(left + 6)\" y=\"\(y + 4)\">\(HTMLText.escape(text))</text>"
    }
}
