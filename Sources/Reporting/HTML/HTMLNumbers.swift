package import Journaling

/// How durations spread, in steps of a tenth: enough for percentiles that people read, whatever the number of values.
package struct Spread: Sendable {
    private var steps: [UInt32] = []
    package private(set) var count = 0
    package private(set) var longest = Duration.zero

    package init() {}

    /// Upper ends of the steps in nanoseconds; below 1 µs everything is one.
    private static let edges: [Double] = (0...320).map { step in (0..<step).reduce(1e3) { edge, _ in edge * 1.1 } }

    package mutating func take(_ duration: Duration) {
        let nanoseconds = Double(max(0, duration.nanoseconds))
        var step = 0
        var end = Self.edges.count - 1
        while step < end {
            let middle = (step + end) / 2
            if Self.edges[middle] < nanoseconds { step = middle + 1 } else { end = middle }
        }
        while steps.count <= step { steps.append(0) }
        steps[step] &+= 1
        count += 1
        longest = max(longest, duration)
    }

    /// The least that this share of the values does not exceed; nil without any.
    package func percentile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        let wanted = max(1, (Double(count) * share).rounded(.up))
        var seen = 0.0
        for (index, step) in steps.enumerated() {
            seen += Double(step)
            if seen >= wanted { return index == Self.edges.count - 1 ? longest : min(longest, .nanoseconds(Int64(Self.edges[index]))) }
        }
        return longest
    }

    /// Shares of the highest of `bars` groups of neighbouring steps, from the shortest to the longest value.
    package func bars(_ count: Int) -> [Double] {
        guard let first = steps.firstIndex(where: { $0 > 0 }), count > 0 else { return [] }
        var sums = [Double](repeating: 0, count: count)
        let span = max(1, steps.count - first)
        for index in first..<steps.count { sums[min(count - 1, (index - first) * count / span)] += Double(steps[index]) }
        let top = sums.max() ?? 1
        return top > 0 ? sums.map { $0 / top } : []
    }
}

/// What the sockets of a recording show in numbers: how long it took to get in, to get an answer, and through the proxy.
package struct HTMLNumbers: Sendable {
    package private(set) var connect = Spread()
    package private(set) var answer = Spread()
    package private(set) var added = Spread()
    package private(set) var held = Spread()
    private var opening: [SessionID: Instant] = [:]
    private var asked: [SessionID: Instant] = [:]
    private static let most = 65_536

    package init() {}

    package mutating func take(_ entry: Entry) {
        guard let id = entry.session else { return }
        switch entry.body {
        case .opened: if opening.count < Self.most { opening[id] = entry.instant }
        case .became(.accepted):
            if let begun = opening.removeValue(forKey: id) { connect.take(begun.duration(to: entry.instant)) }
        case .became: opening[id] = nil
        case .fault(let fault): if fault.held > .zero { held.take(fault.held) }
        case .frame(let frame): take(frame, id)
        case .closed:
            opening[id] = nil
            asked[id] = nil
        default: break
        }
    }

    private mutating func take(_ frame: FrameRecord, _ id: SessionID) {
        if frame.provenance.faults.isEmpty, let arrival = frame.passage.in, let departure = frame.passage.out {
            added.take(arrival.duration(to: departure))
        }
        guard !frame.frame.opcode.isControl, frame.message != nil, let at = frame.passage.atServer else { return }
        if frame.passage.direction == .toServer {
            if asked[id] == nil, asked.count < Self.most { asked[id] = at }
        } else if let begun = asked.removeValue(forKey: id) {
            answer.take(begun.duration(to: at))
        }
    }

    var isEmpty: Bool { connect.count + answer.count + added.count == 0 }

    /// Percentiles against targets, with a histogram each.
    var table: String {
        let rows = [
            ("connect", connect, "to the server's 101", Duration.milliseconds(200)), ("answer", answer,
                "request to the next event", nil),
            ("added", added, "by the proxy, faults apart", nil), ("held by faults", held, "", nil),
        ].filter { $0.1.count > 0 }
        let cells = rows.map { name, spread, note, target -> String in
            let numbers = [0.5, 0.9, 0.99, 0.999].map { share in
                "<td class=\"n\">\(spread.percentile(share).map { Self.shown($0) } ?? "–")</td>"
            }.joined()
            let slow = target.flatMap { target in spread.percentile(0.99).map { $0 > target } } ?? false
            let goal = target.map { "p99 &lt; \(Self.shown($0)) " + (slow ? "<span class=\"chip fault\">over</span>"
                : "<span class=\"chip pass\">✓ met</span>") } ?? HTMLText.escape(note)
            return "<tr><td>\(name)</td><td class=\"n\">\(Figures.count(spread.count))</td>\(numbers)"
                + "<td class=\"n\">\(Self.shown(spread.longest))</td><td>\(Self.histogram(spread, name))</td><td class=\"quiet\">\(goal)</td></tr>"
        }
        let heads = ["count", "p50", "p90", "p99", "p99.9", "max"].map { "<th class=\"n\">\($0)</th>" }.joined()
        return "<div class=\"scroll\"><table><thead><tr><th></th>\(heads)<th>spread</th><th></th></tr></thead><tbody>\(cells.joined(separator: "\n"))</tbody></table></div>"
    }

    private static func histogram(_ spread: Spread, _ name: String) -> String {
        let bars = spread.bars(24).enumerated().filter { $0.element > 0 }.map { index, share in
            let height = max(1, Int((share * 24).rounded()))
            return "<rect x=\"\(index * 5)\" y=\"\(24 - height)\" width=\"4\" height=\"\(height)\"/>"
        }.joined()
        return "<svg class=\"bars\" viewBox=\"0 0 120 24\" width=\"120\" height=\"24\" role=\"img\" aria-label=\"how \(name) spreads\">\(bars)</svg>"
    }

    private static func shown(_ duration: Duration) -> String {
        let milliseconds = Double(duration.nanoseconds) / 1e6
        if milliseconds < 0.01 { return "&lt;0.01 ms" }
        return milliseconds < 10 ? Figures.fixed(milliseconds, digits: 2) + " ms"
            : milliseconds < 10_000 ? Figures.fixed(milliseconds, digits: 0) + " ms" : Figures.fixed(milliseconds / 1e3, digits: 1)
                + " s"
    }
}
